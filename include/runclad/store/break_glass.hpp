// The host's break-glass switch: for a time that root sets, decisions are recorded and not
// enforced.
//
// The file lies in /run and carries the boot's id, so the switch ends with a reboot. It counts time
// since boot, which nobody can set: a clock that is set back prolongs nothing.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "runclad/base/result.hpp"

namespace runclad::store {

inline constexpr const char* kBreakGlassFile = "/run/runclad/break-glass.json";
inline constexpr std::chrono::seconds kLongestBreakGlass = std::chrono::hours(24);

struct BreakGlass {
  std::string reason;
  std::string by;     // "alice (uid 1000)"
  std::string since;  // RFC 3339, as the clock was set then
  std::string until;
  std::chrono::seconds left{0};
};

// No value: it is off, has run out, or is of an earlier boot. An error: there is a file that others
// than root could have made, or that cannot be understood; the switch is off then, too. Costs one
// system call while there is no file.
Result<std::optional<BreakGlass>> FindBreakGlass(const std::string& path = kBreakGlassFile);

// Turns it on for this time, at most kLongestBreakGlass, in place of what was there.
Result<BreakGlass> StartBreakGlass(std::chrono::seconds time, const std::string& reason,
                                   const std::string& by,
                                   const std::string& path = kBreakGlassFile);

// Turns it off; false if there was no file.
Result<bool> EndBreakGlass(const std::string& path = kBreakGlassFile);

}  // namespace runclad::store
