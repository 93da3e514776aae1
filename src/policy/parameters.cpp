#include "runclad/policy/parameters.hpp"

#include <algorithm>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace runclad::policy {

std::string_view Name(Action action) {
  switch (action) {
    case Action::kFix:
      return "fix";
    case Action::kRefuse:
      return "refuse";
    case Action::kWarn:
      return "warn";
    case Action::kOff:
      break;
  }
  return "off";
}

std::string_view Name(Mode mode) { return mode == Mode::kEnforce ? "enforce" : "audit"; }

namespace {

template <typename T>
const T* Find(const std::map<std::string, Parameters::Value, std::less<>>& values,
              std::string_view name) {
  const auto found = values.find(name);
  return found == values.end() ? nullptr : std::get_if<T>(&found->second);
}

}  // namespace

void Parameters::Read(std::string_view name, std::span<const std::string>& value) const {
  if (const auto* found = Find<std::vector<std::string>>(values_, name)) value = *found;
}

void Parameters::Read(std::string_view name, std::int64_t& value) const {
  if (const auto* found = Find<std::int64_t>(values_, name)) value = *found;
}

void Parameters::Read(std::string_view name, std::string_view& value) const {
  if (const auto* found = Find<std::string>(values_, name)) value = *found;
}

void Parameters::Read(std::string_view name, bool& value) const {
  if (const auto* found = Find<bool>(values_, name)) value = *found;
}

Parameters::Value ValueOf(const Parameters& parameters, const ParameterSchema& schema) {
  const auto found = parameters.all().find(schema.name);
  if (found != parameters.all().end()) return found->second;
  switch (schema.type) {
    case ParameterType::kStrings:
      return std::vector<std::string>();
    case ParameterType::kInteger:
      return std::int64_t{0};
    case ParameterType::kText:
      // An unset choice is the strictest.
      return schema.choices.empty() ? std::string() : std::string(schema.choices.front());
    case ParameterType::kBoolean:
      break;
  }
  return false;
}

void Parameters::Set(std::string_view name, Value value) {
  values_.insert_or_assign(std::string(name), std::move(value));
}

void Parameters::Append(std::string_view name, std::vector<std::string> texts) {
  const auto found = values_.find(name);
  auto* list =
      found == values_.end() ? nullptr : std::get_if<std::vector<std::string>>(&found->second);
  if (list == nullptr) return Set(name, std::move(texts));
  constexpr std::size_t kFew = 32;
  if (texts.size() <= kFew) {
    for (std::string& text : texts) {
      if (std::ranges::find(*list, text) == list->end()) list->push_back(std::move(text));
    }
    return;
  }
  list->reserve(list->size() + texts.size());  // so that what the views look at stays in place
  std::unordered_set<std::string_view> known(list->begin(), list->end());
  for (std::string& text : texts) {
    if (!known.contains(text)) known.insert(list->emplace_back(std::move(text)));
  }
}

}  // namespace runclad::policy
