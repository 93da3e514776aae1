// The only, strict JSON reader: every JSON reader interprets what it accepts in the same way.
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

// The position of each member and element, by JSON pointer.
using Positions = std::map<std::string, Position, std::less<>>;

// Why a text is not a document, for who shows the place in another way than the error's sentence.
struct SyntaxFault {
  Position position;
  std::string reason;
};

struct ReadOptions {
  bool comments = false;           // accept // and /* */
  Positions* positions = nullptr;  // filled when given
  SyntaxFault* fault = nullptr;    // the same for a text that is not read
  std::size_t max_depth = 64;
  // Keep any other number (2.5, 1e3) as its text, in a binary value, which Write writes as it was.
  bool keeps_numbers = false;
};

// Parses one JSON document. Refused because JSON readers interpret them differently: a byte order
// mark, anything after the value, a duplicate member, U+0000 in a string, invalid UTF-8 and lone
// surrogates, numbers that are not integers within [-2^63, 2^64) (unless
// keeps_numbers), more than max_depth levels.
// Errors name line and column.
Result<Document> Read(std::string_view text, const ReadOptions& options = {});

}  // namespace runclad::json
