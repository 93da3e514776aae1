// Values in YAML and JSON files that people write.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "runclad/base/result.hpp"
#include "runclad/json/value.hpp"

namespace runclad::draft {

// The member; null if there is none.
const json::Document& MemberOf(const json::Document& object, std::string_view name);

// The text of a string, a number or a boolean; no value: a list, a mapping or null.
std::optional<std::string> ScalarOf(const json::Document& value);

// The text of a member; empty if there is none.
std::string TextOf(const json::Document& object, std::string_view name);

// An error for what is not a mapping, or has another key than these.
Status CheckKeys(const json::Document& object, std::span<const std::string_view> known);

// true, "true", "yes", "on"; everything else is false.
bool IsTrue(const json::Document& value);

// Each element of a list, or a scalar alone. An error for a mapping.
Status ForEachText(const json::Document& list,
                   const std::function<Status(const std::string&)>& take);
// Each "name=value" of a mapping, or of a list of such strings. A name without a value is returned
// alone.
Status ForEachPair(const json::Document& pairs,
                   const std::function<Status(const std::string&)>& take);

}  // namespace runclad::draft
