#include "documents.hpp"

#include <algorithm>

#include "runclad/base/spelling.hpp"

namespace runclad::draft {

using json::Document;

const Document& MemberOf(const Document& object, std::string_view name) {
  static const Document kNothing;
  if (!object.is_object()) return kNothing;
  const auto found = object.find(std::string(name));
  return found == object.end() ? kNothing : *found;
}

std::optional<std::string> ScalarOf(const Document& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? "true" : "false";
  if (value.is_number_unsigned()) return std::to_string(value.get<std::uint64_t>());
  if (value.is_number_integer()) return std::to_string(value.get<std::int64_t>());
  // A number that is not an integer, as json::Read keeps it.
  if (value.is_binary()) return std::string(value.get_binary().begin(), value.get_binary().end());
  return std::nullopt;
}

std::string TextOf(const Document& object, std::string_view name) {
  return ScalarOf(MemberOf(object, name)).value_or("");
}

Status CheckKeys(const Document& object, std::span<const std::string_view> known) {
  if (!object.is_object()) return Error{"must be a mapping"};
  for (const auto& [key, value] : object.items()) {
    if (std::ranges::find(known, key) == known.end()) {
      return Error{"unknown key " + Quoted(key) + Suggestion(key, known)};
    }
  }
  return {};
}

bool IsTrue(const Document& value) {
  const std::string text = ScalarOf(value).value_or("");
  return text == "true" || text == "yes" || text == "on" || text == "y" || text == "1";
}

Status ForEachText(const Document& list, const std::function<Status(const std::string&)>& take) {
  if (list.is_null()) return {};
  if (const auto text = ScalarOf(list)) return take(*text);
  if (!list.is_array()) return Error{"must be a list"};
  for (const Document& element : list) {
    const auto text = ScalarOf(element);
    if (!text) return Error{"must be a list of texts"};
    if (auto taken = take(*text); !taken) return taken;
  }
  return {};
}

Status ForEachPair(const Document& pairs, const std::function<Status(const std::string&)>& take) {
  if (!pairs.is_object()) return ForEachText(pairs, take);
  for (const auto& [name, value] : pairs.items()) {
    const auto text = ScalarOf(value);
    if (!text && !value.is_null()) return Error{Quoted(name) + " must be a text"};
    if (auto taken = take(text ? name + "=" + *text : name); !taken) return taken;
  }
  return {};
}

}  // namespace runclad::draft
