// The canonical text of a JSON value: compact, members in the order of their names.
#pragma once

#include <string>
#include <string_view>

#include "runclad/json/value.hpp"

namespace runclad::json {

// Bytes that are not UTF-8 (a path may have them) become U+FFFD. Written by hand since every create
// writes three documents: nlohmann's dump() takes four times the instructions (tests/bench).
std::string Write(const Document& document);

// The text of one object, written member by member: a document that is made to be written once is a
// copy of all that it holds. The caller puts each name once; in their order, the text is canonical.
class ObjectWriter {
 public:
  ObjectWriter& Put(std::string_view name, const Document& value);
  ObjectWriter& Put(std::string_view name, std::string_view text);
  ObjectWriter& Put(std::string_view name, const std::string& text) {
    return Put(name, std::string_view(text));
  }
  ObjectWriter& Put(std::string_view name, const char* text) {
    return Put(name, std::string_view(text));
  }

  // What stands between the braces is complete; the writer is empty afterwards.
  std::string Finish();

 private:
  void PutName(std::string_view name);

  std::string text_;
};

}  // namespace runclad::json
