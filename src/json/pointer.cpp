#include "runclad/json/pointer.hpp"

#include <charconv>
#include <string>
#include <type_traits>
#include <utility>

#include <nlohmann/json.hpp>

namespace runclad::json {
namespace {

using Pointer = Document::json_pointer;

template <typename Json>
using MembersOf =
    std::conditional_t<std::is_const_v<Json>, const Document::object_t, Document::object_t>;

// The index that `token` names in an array of `size` elements; `size` itself for "-" and beyond.
std::size_t IndexIn(std::size_t size, std::string_view token) {
  std::size_t index = size;
  std::from_chars(token.data(), token.data() + token.size(), index);
  return index < size ? index : size;
}

// As far as `pointer` leads through what is there and is named without an escape: that value, and
// what is left of the pointer. nlohmann makes a list of texts of each pointer first.
template <typename Json>
std::pair<Json*, std::string_view> Follow(Json& document, std::string_view pointer) {
  Json* at = &document;
  while (pointer.starts_with('/')) {
    const std::string_view token = pointer.substr(1, pointer.find('/', 1) - 1);
    if (token.find('~') != std::string_view::npos) break;
    if (auto* members = at->template get_ptr<MembersOf<Json>*>(); members != nullptr) {
      const auto member = members->find(token);
      if (member == members->end()) break;
      at = &member->second;
    } else {
      // A leading zero and what is no number are left to nlohmann as well.
      const std::size_t index = at->is_array() ? IndexIn(at->size(), token) : 0;
      if (!at->is_array() || index == at->size() || std::to_string(index) != token) break;
      at = &(*at)[index];
    }
    pointer.remove_prefix(1 + token.size());
  }
  return {at, pointer};
}

std::string Unescaped(std::string_view token) {
  if (token.find('~') == std::string_view::npos) return std::string(token);
  std::string name;
  name.reserve(token.size());
  while (!token.empty()) {
    const bool is_escape = token.starts_with("~0") || token.starts_with("~1");
    name += !is_escape ? token.front() : token[1] == '0' ? '~' : '/';
    token.remove_prefix(is_escape ? 2 : 1);
  }
  return name;
}

// nlohmann's own reader of pointers moves the rest of a token at each of its escapes.
Pointer PointerOf(std::string_view text) {
  Pointer pointer;
  while (text.starts_with('/')) {
    const std::string_view token = text.substr(1, text.find('/', 1) - 1);
    pointer.push_back(Unescaped(token));
    text.remove_prefix(1 + token.size());
  }
  return pointer;
}

// Whether Follow has ended before a member that is not there.
bool LacksMember(const Document& at, std::string_view rest) {
  return at.is_object() && rest.starts_with('/') &&
         rest.substr(0, rest.find('/', 1)).find('~') == std::string_view::npos;
}

// The value at `pointer`, made where it is missing.
Document& Place(Document& document, std::string_view pointer) {
  const auto [at, rest] = Follow(document, pointer);
  if (!rest.empty() && rest.find('/', 1) == std::string_view::npos && LacksMember(*at, rest)) {
    return (*at)[std::string(rest.substr(1))];
  }
  return rest.empty() ? *at : (*at)[PointerOf(rest)];
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
  const auto [at, rest] = Follow(document, pointer);
  if (rest.empty()) return Value(*at);
  if (LacksMember(*at, rest)) return Value();
  const Pointer path = PointerOf(rest);
  return at->contains(path) ? Value(at->at(path)) : Value();
}

Value Set(Document& document, std::string_view pointer, const Value& value) {
  return Value(std::exchange(Place(document, pointer), value.document()));
}

void Insert(Document& document, std::string_view pointer, const Value& value) {
  const std::size_t slash = pointer.rfind('/');
  Document& parent = Place(document, pointer.substr(0, slash));
  if (parent.is_null()) parent = Document::array();
  const std::size_t index = IndexIn(parent.size(), pointer.substr(slash + 1));
  parent.insert(parent.begin() + static_cast<std::ptrdiff_t>(index), value.document());
}

Value Remove(Document& document, std::string_view pointer) {
  const Pointer path = PointerOf(pointer);
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
