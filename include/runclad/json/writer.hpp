// The canonical text of a JSON value: compact, members in the order of their names.
#pragma once

#include <string>

#include "runclad/json/value.hpp"

namespace runclad::json {

// Bytes that are not UTF-8 (a path may have them) become U+FFFD. Written by hand since every create
// writes three documents: nlohmann's dump() takes four times the instructions (tests/bench).
std::string Write(const Document& document);

}  // namespace runclad::json
