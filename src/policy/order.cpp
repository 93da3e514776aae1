#include "order.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "runclad/base/id_range.hpp"

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

// Of lists of ranges: what is in both, whatever ranges it was written with.
Strings Overlap(const Strings& left, const Strings& right) {
  Strings both;
  for (const std::string& one : left) {
    for (const std::string& other : right) {
      const auto a = ParseIdRange(one);
      const auto b = ParseIdRange(other);
      if (!a || !b || a->last < b->first || b->last < a->first) continue;
      std::string text = ToString({std::max(a->first, b->first), std::min(a->last, b->last)});
      if (!Has(both, text)) both.push_back(std::move(text));
    }
  }
  return both;
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
    const Strings& other = std::get<Strings>(right);
    if (is_union) return Union(std::move(*list), other);
    return schema.vocabulary == Vocabulary::kIdRange ? Overlap(*list, other)
                                                     : Intersection(std::move(*list), other);
  }
  if (IsLooser(schema, left, right) == wants_looser) return left;
  return right;
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

std::vector<std::string> Lost(const Parameters::Value& value, const Parameters::Value& kept) {
  if (const auto* list = std::get_if<Strings>(&value)) {
    Strings lost;
    for (const std::string& element : *list) {
      if (!Has(std::get<Strings>(kept), element)) lost.push_back(element);
    }
    return lost;
  }
  if (const auto* text = std::get_if<std::string>(&value)) return {*text};
  if (const auto* number = std::get_if<std::int64_t>(&value)) return {std::to_string(*number)};
  return {std::get<bool>(value) ? "true" : "false"};
}

}  // namespace runclad::policy
