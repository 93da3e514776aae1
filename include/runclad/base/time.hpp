// Times and days of UTC as RFC 3339 writes them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace runclad {

inline constexpr std::int64_t kSecondsPerDay = 86400;

// "2026-11-22T05:40:18Z" and a NUL, of seconds since 1970-01-01 in the years 0 to 9999. Allocates
// nothing.
using TimeText = std::array<char, sizeof "2026-11-22T05:40:18Z">;
TimeText FormatTime(std::int64_t seconds);

// "2026-11-22T05:40:18.000042Z"
std::string FormatTime(std::int64_t seconds, std::int64_t microseconds);

// "2026-11-22", the day that these seconds are in.
std::string FormatDay(std::int64_t seconds);

// Seconds since 1970-01-01 of a time with any offset; a fraction is cut off. No value: it is not a
// time of that form and of the calendar.
std::optional<std::int64_t> ParseTime(std::string_view text);

// The days from 1970-01-01 to `text`, a day of the calendar such as "2027-03-31".
std::optional<std::int64_t> ParseDay(std::string_view text);

}  // namespace runclad
