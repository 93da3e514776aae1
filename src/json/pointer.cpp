#include "runclad/json/pointer.hpp"

#include <charconv>
#include <utility>

#include <nlohmann/json.hpp>

namespace runclad::json {
namespace {

using Pointer = Document::json_pointer;

// The index that `token` names in an array of `size` elements; `size` itself for "-" and beyond.
std::size_t IndexIn(std::size_t size, std::string_view token) {
  std::size_t index = size;
  std::from_chars(token.data(), token.data() + token.size(), index);
  return index < size ? index : size;
}

}  // namespace

std::string Escape(std::string_view token) {
  std::string escaped;
  for (const char c : token) {
    if (c == '~') {
      escaped += "~0";
    } else if (c == '/') {
      escaped += "~1";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

Value Get(const Document& document, std::string_view pointer) {
  const Pointer path{std::string(pointer)};
  return document.contains(path) ? Value(document.at(path)) : Value();
}

Value Set(Document& document, std::string_view pointer, const Value& value) {
  return Value(std::exchange(document[Pointer{std::string(pointer)}], value.document()));
}

void Insert(Document& document, std::string_view pointer, const Value& value) {
  const Pointer path{std::string(pointer)};
  Document& parent = document[path.parent_pointer()];
  if (parent.is_null()) parent = Document::array();
  const std::size_t index = IndexIn(parent.size(), path.back());
  parent.insert(parent.begin() + static_cast<std::ptrdiff_t>(index), value.document());
}

Value Remove(Document& document, std::string_view pointer) {
  const Pointer path{std::string(pointer)};
  if (!document.contains(path)) return {};
  Value removed(std::move(document[path]));
  Document& parent = document[path.parent_pointer()];
  if (parent.is_array()) {
    parent.erase(IndexIn(parent.size(), path.back()));
  } else {
    parent.erase(path.back());
  }
  return removed;
}

}  // namespace runclad::json
