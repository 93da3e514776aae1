// Variables in a compose file: "${TAG:-latest}".
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "runclad/base/result.hpp"
#include "runclad/json/value.hpp"

namespace runclad::draft {

using Variables = std::map<std::string, std::string, std::less<>>;

// The variables of a file such as .env; none if it is missing.
Result<Variables> ReadVariables(const std::string& path);

// Expands as compose does: $NAME; ${NAME}, also with :- - :+ + :? ? and a text; $$ for a dollar
// sign. A variable that is in neither the environment nor `file` is empty.
Result<std::string> Substitute(std::string_view text, const Variables& file);
// Expands the variables in every string of `document`.
Status SubstituteAll(json::Document& document, const Variables& file);

}  // namespace runclad::draft
