// The numbers that files of cgroup v2 take (/linux/resources/unified).
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

namespace runclad::rules {

// What to ask of the engine instead of a text that is not one.
constexpr const char* kAskForPlainNumber = "request a plain decimal number";

// A plain decimal number. Nothing for all else that the kernel reads as one ("0x10", "4G", "max"):
// what is not plain is not known to be below a limit.
inline std::optional<std::int64_t> PlainNumber(std::string_view text) {
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [at, fault] = std::from_chars(text.data(), end, number);
  if (fault != std::errc() || at != end || number < 0) return std::nullopt;
  // "010" is eight.
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  return number;
}

}  // namespace runclad::rules
