// Small reads and writes of JSON that several commands share.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "runclad/json/value.hpp"

namespace runclad::ctl {

// A member that is a string; empty if there is none.
inline std::string Text(const json::Document& object, const char* member) {
  const auto found = object.find(member);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

// As a file or as the output of a command: indented, in ASCII, with a newline at its end.
inline std::string Dump(const json::Document& document) {
  return document.dump(2, ' ', /*ensure_ascii=*/true, json::Document::error_handler_t::replace) +
         "\n";
}

}  // namespace runclad::ctl
