// The canonical text of a JSON value: compact, members in the order of their names.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "runclad/json/value.hpp"

namespace runclad::json {

// Bytes that are not UTF-8 (a path may have them) become U+FFFD. Hand-written because every create
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

  // A value whose text is there already.
  ObjectWriter& PutJson(std::string_view name, std::string_view text) {
    PutName(name);
    text_ += text;
    return *this;
  }

  // An object whose members `fill` puts into the writer that it is given.
  template <typename Fill>
  ObjectWriter& PutObject(std::string_view name, Fill&& fill) {
    PutName(name);
    ObjectWriter inner;
    inner.text_ = std::move(text_);
    fill(inner);
    text_ = inner.Finish();
    return *this;
  }

  // An array of what `to_document` makes of each element: one document at a time.
  template <typename List, typename ToDocument>
  ObjectWriter& PutList(std::string_view name, const List& list, ToDocument&& to_document) {
    PutName(name);
    char separator = '[';
    for (const auto& element : list) {
      text_ += separator;
      PutValue(to_document(element));
      separator = ',';
    }
    if (separator == '[') text_ += '[';
    text_ += ']';
    return *this;
  }

  // What stands between the braces is complete; the writer is empty afterwards.
  std::string Finish();

 private:
  void PutName(std::string_view name);
  void PutValue(const Document& value);

  std::string text_;
  bool is_empty_ = true;  // the object, not the text in front of it
};

}  // namespace runclad::json
