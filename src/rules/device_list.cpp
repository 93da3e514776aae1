#include "runclad/rules/device_list.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace runclad::rules {
namespace {

std::string Number(std::int64_t number) { return number < 0 ? "*" : std::to_string(number); }

// Of an entry and a device.
bool Overlap(std::string_view entry, std::int64_t number) {
  return entry == "*" || number < 0 || entry == std::to_string(number);
}

}  // namespace

std::string DeviceName(bool is_block, std::int64_t major, std::int64_t minor) {
  return std::string(is_block ? "b " : "c ") + Number(major) + ":" + Number(minor);
}

bool IsListedDevice(std::span<const std::string> allowed, bool is_block, std::int64_t major,
                    std::int64_t minor) {
  if (allowed.empty()) return false;
  const std::string covering[] = {DeviceName(is_block, major, minor),
                                  DeviceName(is_block, major, -1), DeviceName(is_block, -1, -1)};
  return std::ranges::any_of(covering, [&](const std::string& name) {
    return std::ranges::find(allowed, name) != allowed.end();
  });
}

bool IsDeniedDevice(std::span<const std::string> denied, bool is_block, std::int64_t major,
                    std::int64_t minor) {
  constexpr std::size_t kTypeLength = 2;  // "c "
  return std::ranges::any_of(denied, [&](std::string_view entry) {
    const std::size_t colon = entry.find(':');
    return entry.starts_with(is_block ? "b " : "c ") && colon != std::string_view::npos &&
           Overlap(entry.substr(kTypeLength, colon - kTypeLength), major) &&
           Overlap(entry.substr(colon + 1), minor);
  });
}

bool IsMemoryDevice(std::int64_t major, std::int64_t minor) {
  constexpr std::int64_t kMemory = 1;
  constexpr std::int64_t kMem = 1;
  constexpr std::int64_t kPort = 4;
  // 3 is /dev/null.
  return major == kMemory && (minor == kMem || minor == 2 || minor == kPort || minor < 0);
}

bool IsOrdinaryDevice(std::int64_t major, std::int64_t minor) {
  constexpr std::array<std::pair<std::int64_t, std::int64_t>, 7> kOrdinary = {{
      {1, 3},  // null
      {1, 5},  // zero
      {1, 7},  // full
      {1, 8},  // random
      {1, 9},  // urandom
      {5, 0},  // tty
      {5, 2},  // ptmx
  }};
  constexpr std::int64_t kFirstTerminals = 136;
  constexpr std::int64_t kLastTerminals = 143;
  if (major >= kFirstTerminals && major <= kLastTerminals) return true;
  return std::ranges::find(kOrdinary, std::pair(major, minor)) != kOrdinary.end();
}

}  // namespace runclad::rules
