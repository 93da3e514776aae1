#include "day.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>

namespace runclad::policy {

std::optional<std::int64_t> DaysOf(std::string_view text) {
  constexpr std::string_view kForm = "0000-00-00";
  const bool has_form =
      text.size() == kForm.size() && std::ranges::equal(text, kForm, [](char c, char form) {
        return form == '-' ? c == '-' : c >= '0' && c <= '9';
      });
  if (!has_form) return std::nullopt;
  const auto number = [text](std::size_t at, std::size_t digits) {
    unsigned value = 0;
    std::from_chars(text.data() + at, text.data() + at + digits, value);
    return value;
  };
  const std::chrono::year_month_day day(std::chrono::year(static_cast<int>(number(0, 4))),
                                        std::chrono::month(number(5, 2)),
                                        std::chrono::day(number(8, 2)));
  if (!day.ok()) return std::nullopt;
  return std::chrono::sys_days{day}.time_since_epoch().count();
}

}  // namespace runclad::policy
