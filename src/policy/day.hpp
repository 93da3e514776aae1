#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace runclad::policy {

// The days from 1970-01-01 to `text`, a day of the calendar such as "2027-03-31".
std::optional<std::int64_t> DaysOf(std::string_view text);

}  // namespace runclad::policy
