// Decisions of a container that are the same, one after the other (a health check every ten
// seconds): the first has a line in the log, those after it are counted.
//
// The count is in a file beside the container's record. It has a line of its own every 15 minutes
// while it grows, before the next decision that differs, and when the container is deleted. If the
// host dies, the count of at most that time is lost, and nothing else.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "runclad/base/result.hpp"

namespace runclad::enforce {

inline constexpr std::int64_t kRepeatSeconds = 900;

using MakeLine = std::function<std::string()>;
using WriteLine = std::function<Status(const std::string& line)>;

// Counts a decision in `file` if `key`, everything in its line that is not a time, is that of the
// last one; else writes first the line of what was counted and then its own. Where the file cannot
// be used (-1), or another process holds it, the decision has its line. An error is of `write`.
// `now`: seconds since 1970-01-01.
Status CountOrLog(int file, std::string_view key, std::int64_t now, const MakeLine& make_line,
                  const WriteLine& write);

// The line of what was counted and not logged so far; empty: nothing was.
std::string TakeRepeats(int file);

}  // namespace runclad::enforce
