#pragma once

#include <string>
#include <string_view>

namespace runclad::ctl {

// `text` for an element or a quoted attribute of HTML or XML. Invisible characters, and those that
// reorder text, are escaped as on a terminal, because an attacker may have chosen the text.
std::string Markup(std::string_view text);

}  // namespace runclad::ctl
