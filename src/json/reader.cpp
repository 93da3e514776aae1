#include "runclad/json/reader.hpp"

#include <utility>

#include <nlohmann/json.hpp>

#include "lexer_reader.hpp"
#include "plain_reader.hpp"

namespace runclad::json {

Result<Document> Read(std::string_view text, const ReadOptions& options) {
  if (!options.comments && options.positions == nullptr) {
    if (auto document = ReadPlain(text, options.max_depth)) return *std::move(document);
  }
  return ReadWithLexer(text, options);
}

}  // namespace runclad::json
