#include "order.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace runclad::policy {
namespace {

using Strings = std::vector<std::string>;

bool Has(const Strings& list, const std::string& text) {
  return std::ranges::find(list, text) != list.end();
}

Strings Union(Strings left, const Strings& right) {
  for (const std::string& text : right) {
    if (!Has(left, text)) left.push_back(text);
  }
  return left;
}

Strings Intersection(Strings left, const Strings& right) {
  std::erase_if(left, [&](const std::string& text) { return !Has(right, text); });
  return left;
}

// Of two single values: whether `left` lets a container do more than `right`.
bool IsLooser(const ParameterSchema& schema, const Parameters::Value& left,
              const Parameters::Value& right) {
  switch (schema.order) {
    case Order::kLaterIsLooser: {
      const auto place = [&](const Parameters::Value& value) {
        return std::ranges::find(schema.choices, std::get<std::string>(value));
      };
      return place(left) > place(right);
    }
    case Order::kMoreIsLooser:
    case Order::kTrueIsLooser:
      return left > right;
    case Order::kFewerIsLooser:
    case Order::kFalseIsLooser:
      return left < right;
    case Order::kUndeclared:
      break;
  }
  return left != right;  // nothing is known: never the stricter one
}

Parameters::Value Meet(const ParameterSchema& schema, Parameters::Value left,
                       const Parameters::Value& right, bool wants_looser) {
  if (auto* list = std::get_if<Strings>(&left)) {
    const bool is_union = wants_looser == (schema.order == Order::kMoreIsLooser);
    return is_union ? Union(std::move(*list), std::get<Strings>(right))
                    : Intersection(std::move(*list), std::get<Strings>(right));
  }
  return IsLooser(schema, left, right) == wants_looser ? std::move(left) : right;
}

}  // namespace

Parameters::Value Looser(const ParameterSchema& schema, Parameters::Value left,
                         const Parameters::Value& right) {
  return Meet(schema, std::move(left), right, /*wants_looser=*/true);
}

Parameters::Value Stricter(const ParameterSchema& schema, Parameters::Value left,
                           const Parameters::Value& right) {
  return Meet(schema, std::move(left), right, /*wants_looser=*/false);
}

std::optional<Parameters::Value> DockerDefaultOf(const ParameterSchema& schema) {
  const DockerDefault& value = schema.docker_default;
  if (const auto* texts = std::get_if<std::span<const std::string_view>>(&value)) {
    return Strings(texts->begin(), texts->end());
  }
  if (const auto* text = std::get_if<std::string_view>(&value)) return std::string(*text);
  if (const auto* number = std::get_if<std::int64_t>(&value)) return *number;
  if (const auto* boolean = std::get_if<bool>(&value)) return *boolean;
  return std::nullopt;
}

Action Stricter(Action left, Action right) {
  for (const Action action : {Action::kRefuse, Action::kFix, Action::kWarn}) {
    if (left == action || right == action) return action;
  }
  return Action::kOff;
}

std::string Difference(const Parameters::Value& value, const Parameters::Value& rest) {
  if (const auto* list = std::get_if<Strings>(&value)) {
    std::string text;
    for (const std::string& element : *list) {
      if (Has(std::get<Strings>(rest), element)) continue;
      if (!text.empty()) text += ", ";
      text += element;
    }
    return text;
  }
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
  return std::get<bool>(value) ? "true" : "false";
}

}  // namespace runclad::policy
