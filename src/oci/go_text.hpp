// Texts as Go's standard library reads them.
#pragma once

#include <optional>
#include <string_view>

namespace runclad::oci {

// Whether `text` begins or ends with what Go's strings.TrimSpace cuts off.
bool HasOuterBlank(std::string_view text);
std::string_view WithoutOuterBlanks(std::string_view text);

bool IsDigits(std::string_view text);

// Whether `text` is a number that is spelt as every parser reads it alike: plain decimal of at most
// 18 digits. Go also reads 0x10, 0o17, 1_000, and 010 as eight.
bool IsPlainInteger(std::string_view text);

// strconv.ParseBool.
std::optional<bool> ParseBool(std::string_view text);

}  // namespace runclad::oci
