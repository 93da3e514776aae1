#pragma once

#include <span>
#include <string>
#include <string_view>

namespace runclad {

// The candidate that `word` is most likely a misspelling of, letter case ignored; empty when none
// is near.
std::string_view Nearest(std::string_view word, std::span<const std::string_view> candidates);

// "; did you mean "create"?" for the end of a sentence; empty when no candidate is near.
std::string Suggestion(std::string_view word, std::span<const std::string_view> candidates);

// "fix, refuse or off"
std::string Alternatives(std::span<const std::string_view> names);

// `text` for an error message: in double quotes, cut to 80 bytes, control characters as "?".
std::string Quoted(std::string_view text);

}  // namespace runclad
