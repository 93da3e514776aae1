// Members of a checked document (schema.hpp): where a member is, it has the spec's type.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "runclad/json/value.hpp"

namespace runclad::oci {

// The member of `object` at the end of `names`; null when there is none.
template <typename... Names>
const json::Document* Find(const json::Document& object, Names... names) {
  const json::Document* at = &object;
  for (const std::string_view name : {std::string_view(names)...}) {
    const auto member = at->find(name);
    if (member == at->end()) return nullptr;
    at = &*member;
  }
  return at;
}

inline std::vector<std::string> Strings(const json::Document* array) {
  std::vector<std::string> strings;
  if (array == nullptr) return strings;
  strings.reserve(array->size());
  for (const json::Document& element : *array) {
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

}  // namespace runclad::oci
