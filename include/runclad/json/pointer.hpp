// JSON pointers (RFC 6901) and the three changes that a rule may propose.
#pragma once

#include <string>
#include <string_view>

#include "runclad/json/value.hpp"

namespace runclad::json {

// One reference token as it stands in a pointer: "~" and "/" escaped.
std::string Escape(std::string_view token);

// The value at `pointer`, null where there is none.
Value Get(const Document& document, std::string_view pointer);

// Sets the value at `pointer`; missing objects on the path are created. Returns the previous value
// (moved, not copied); null if there was none.
Value Set(Document& document, std::string_view pointer, const Value& value);

// Inserts an element before the one that `pointer` names (or at the end), as JSON Patch "add".
void Insert(Document& document, std::string_view pointer, const Value& value);

// Removes the member or element at `pointer`, if there, and returns it.
Value Remove(Document& document, std::string_view pointer);

}  // namespace runclad::json
