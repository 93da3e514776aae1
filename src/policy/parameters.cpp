#include "runclad/policy/parameters.hpp"

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>
#include <system_error>
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

constexpr std::string_view kUnlimited = "unlimited";
constexpr int kOctal = 8;
constexpr std::size_t kOctalDigits = 4;  // as chmod(1) and umask(1) print them

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

std::string WordFor(const ParameterSchema& schema, std::int64_t value) {
  if (schema.has_unlimited && value == schema.maximum) return std::string(kUnlimited);
  if (!schema.is_octal || value < 0) return {};
  std::string digits;
  do {
    digits.insert(digits.begin(), static_cast<char>('0' + value % kOctal));
    value /= kOctal;
  } while (value != 0 || digits.size() < kOctalDigits);
  return digits;
}

std::optional<std::int64_t> IntegerOf(const ParameterSchema& schema, std::string_view word) {
  if (schema.has_unlimited && word == kUnlimited) return schema.maximum;
  if (!schema.is_octal || !word.starts_with('0') || word.size() > kOctalDigits) return std::nullopt;
  std::int64_t value = 0;
  const auto [end, fault] = std::from_chars(word.data(), word.data() + word.size(), value, kOctal);
  if (fault != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return value;
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
