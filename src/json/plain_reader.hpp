// The fast path for what engines write.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "runclad/json/value.hpp"

namespace runclad::json {

// The document, at most `max_depth` levels deep, if it is JSON as Read() takes it. Nothing for any
// other text, and for some odd but good ones: Read() goes over those with nlohmann's lexer, which
// decides, and says what is wrong and where. It takes 30 instructions a byte for an engine's
// document, the lexer 110 (tests/bench).
std::optional<Document> ReadPlain(std::string_view text, std::size_t max_depth);

}  // namespace runclad::json
