// Members of a checked document (schema.hpp): where a member is, it has the spec's type.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "runclad/json/value.hpp"

namespace runclad::oci {

// The member of `object` at the end of `names`; null when there is none.
template <typename... Names>
const json::Document* Find(const json::Document& object, Names... names) {
  const json::Document* at = &object;
  for (const std::string_view name : {std::string_view(names)...}) {
    const auto* const members = at->get_ptr<const json::Document::object_t*>();
    if (members == nullptr) return nullptr;
    const auto member = members->find(name);
    if (member == members->end()) return nullptr;
    at = &member->second;
  }
  return at;
}

// nlohmann's own iterators ask at every step what they iterate over.
inline const json::Document::array_t& Elements(const json::Document& array) {
  return array.get_ref<const json::Document::array_t&>();
}

inline std::vector<std::string> Strings(const json::Document* array) {
  std::vector<std::string> strings;
  if (array == nullptr) return strings;
  strings.reserve(Elements(*array).size());
  for (const json::Document& element : Elements(*array)) {
    strings.push_back(element.get_ref<const std::string&>());
  }
  return strings;
}

inline std::string Text(const json::Document* text) {
  return text == nullptr ? std::string() : text->get_ref<const std::string&>();
}

inline std::int64_t Number(const json::Document* number, std::int64_t absent) {
  return number == nullptr ? absent : number->get<std::int64_t>();
}

inline bool IsTrue(const json::Document* boolean) {
  return boolean != nullptr && boolean->get<bool>();
}

// A member more of an object that is made, behind those that come before it: a list in braces would
// be made twice.
template <typename T>
void Add(json::Document& object, const char* name, T&& value) {
  auto& members = object.get_ref<json::Document::object_t&>();
  members.emplace_hint(members.end(), name, std::forward<T>(value));
}

}  // namespace runclad::oci
