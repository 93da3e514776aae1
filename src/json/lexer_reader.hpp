// The slow path, for any text.
#pragma once

#include <string_view>

#include "runclad/base/result.hpp"
#include "runclad/json/reader.hpp"

namespace runclad::json {

// As Read(), which see, by nlohmann's lexer.
Result<Document> ReadWithLexer(std::string_view text, const ReadOptions& options);

}  // namespace runclad::json
