// The one strict JSON reader: what it accepts, every reader of JSON understands alike.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "runclad/base/result.hpp"
#include "runclad/json/value.hpp"

namespace runclad::json {

struct Position {
  std::size_t line = 1;    // from 1
  std::size_t column = 1;  // from 1, in bytes
};

// Where each member and element stands, by JSON pointer.
using Positions = std::map<std::string, Position, std::less<>>;

struct ReadOptions {
  bool comments = false;           // accept // and /* */
  Positions* positions = nullptr;  // filled when given
  std::size_t max_depth = 64;
};

// Parses one JSON document. Refused, since readers of JSON differ on them: a byte order mark,
// anything after the value, the same member twice, U+0000 in a string, invalid UTF-8 and lone
// surrogates, numbers that are not integers within [-2^63, 2^64), more than max_depth levels.
// Errors name line and column.
Result<Document> Read(std::string_view text, const ReadOptions& options = {});

}  // namespace runclad::json
