#include "runclad/base/time.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>

namespace runclad {
namespace {

constexpr std::string_view kDayForm = "0000-00-00";
constexpr std::string_view kTimeForm = "0000-00-00T00:00:00";

// A 0 of `form` is a digit of `text`.
bool HasForm(std::string_view text, std::string_view form) {
  return std::ranges::equal(text, form, [](char c, char expected) {
    return expected == '0' ? c >= '0' && c <= '9' : c == expected;
  });
}

// strftime(3) costs a create as much as ten thousand instructions, for its locales and time zones.
void WriteDigits(std::int64_t number, int digits, char* to) {
  constexpr int kTen = 10;
  for (int i = digits - 1; i >= 0; --i) {
    to[i] = static_cast<char>('0' + number % kTen);
    number /= kTen;
  }
}

int NumberAt(std::string_view text, std::size_t at, std::size_t digits) {
  int value = 0;
  std::from_chars(text.data() + at, text.data() + at + digits, value);
  return value;
}

}  // namespace

TimeText FormatTime(std::int64_t seconds) {
  const std::chrono::sys_seconds time{std::chrono::seconds(seconds)};
  const auto midnight = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day day(midnight);
  const std::chrono::hh_mm_ss clock(time - midnight);
  TimeText text{"0000-00-00T00:00:00Z"};
  WriteDigits(static_cast<int>(day.year()), 4, text.data());
  WriteDigits(static_cast<unsigned>(day.month()), 2, text.data() + 5);
  WriteDigits(static_cast<unsigned>(day.day()), 2, text.data() + 8);
  WriteDigits(clock.hours().count(), 2, text.data() + 11);
  WriteDigits(clock.minutes().count(), 2, text.data() + 14);
  WriteDigits(clock.seconds().count(), 2, text.data() + 17);
  return text;
}

std::string FormatTime(std::int64_t seconds, std::int64_t microseconds) {
  std::string text(FormatTime(seconds).data(), kTimeForm.size());
  text += ".000000Z";
  WriteDigits(microseconds, 6, text.data() + kTimeForm.size() + 1);
  return text;
}

std::string FormatDay(std::int64_t seconds) {
  return {FormatTime(seconds).data(), kDayForm.size()};
}

std::optional<std::int64_t> ParseDay(std::string_view text) {
  if (!HasForm(text, kDayForm)) return std::nullopt;
  const std::chrono::year_month_day day(
      std::chrono::year(NumberAt(text, 0, 4)),
      std::chrono::month(static_cast<unsigned>(NumberAt(text, 5, 2))),
      std::chrono::day(static_cast<unsigned>(NumberAt(text, 8, 2))));
  if (!day.ok()) return std::nullopt;
  return std::chrono::sys_days{day}.time_since_epoch().count();
}

std::optional<std::int64_t> ParseTime(std::string_view text) {
  constexpr int kSecondsPerMinute = 60;
  constexpr int kMinutesPerHour = 60;
  if (text.size() <= kTimeForm.size() || !HasForm(text.substr(0, kTimeForm.size()), kTimeForm)) {
    return std::nullopt;
  }
  const auto days = ParseDay(text.substr(0, kDayForm.size()));
  const int hour = NumberAt(text, 11, 2);
  const int minute = NumberAt(text, 14, 2);
  const int second = NumberAt(text, 17, 2);
  if (!days || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  std::string_view zone = text.substr(kTimeForm.size());
  if (zone.starts_with('.')) {
    zone.remove_prefix(std::min(zone.find_first_not_of("0123456789", 1), zone.size()));
  }
  int offset = 0;  // minutes east of UTC
  if (HasForm(zone, "+00:00") || HasForm(zone, "-00:00")) {
    offset = NumberAt(zone, 1, 2) * kMinutesPerHour + NumberAt(zone, 4, 2);
    if (zone.front() == '-') offset = -offset;
  } else if (zone != "Z") {
    return std::nullopt;
  }
  const std::int64_t minutes = (*days * 24 + hour) * kMinutesPerHour + minute - offset;
  return minutes * kSecondsPerMinute + second;
}

}  // namespace runclad
