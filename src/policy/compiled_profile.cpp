#include "compiled_profile.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runclad/base/spelling.hpp"

#include "layer.hpp"

namespace runclad::policy {
namespace {

const CompiledProfile* FindProfile(std::string_view name) {
  const auto profiles = CompiledProfiles();
  const auto found = std::ranges::find(profiles, name, &CompiledProfile::name);
  return found == profiles.end() ? nullptr : &*found;
}

// The lines of a profile, part by part. Each part ends with a tab or a newline, the last one too.
class Parts {
 public:
  explicit Parts(std::string_view lines) : at_(lines.data()), end_(lines.data() + lines.size()) {}

  [[nodiscard]] bool is_over() const { return at_ == end_; }
  [[nodiscard]] bool ends_line() const { return at_[-1] == '\n'; }

  std::string_view Take() {
    const char* const begin = at_;
    const char* end = begin;
    while (static_cast<unsigned char>(*end) > '\n') ++end;
    at_ = end + 1;
    return {begin, end};
  }

 private:
  const char* at_;
  const char* end_;
};

// What stands behind the name of a parameter; no value: not what the schema wants.
std::optional<Parameters::Value> ValueOf(const ParameterSchema& schema, Parts& parts) {
  if (schema.type == ParameterType::kStrings) {
    constexpr std::size_t kUsual = 8;
    std::vector<std::string> strings;
    if (!parts.ends_line()) strings.reserve(kUsual);
    while (!parts.ends_line()) strings.emplace_back(parts.Take());
    return strings;
  }
  if (parts.ends_line()) return std::nullopt;
  const std::string_view value = parts.Take();
  if (!parts.ends_line()) return std::nullopt;
  switch (schema.type) {
    case ParameterType::kStrings:
      break;
    case ParameterType::kText:
      return std::string(value);
    case ParameterType::kInteger: {
      if (const auto meant = IntegerOf(schema, value)) return *meant;
      std::int64_t number = 0;
      const char* const end = value.data() + value.size();
      const auto parsed = std::from_chars(value.data(), end, number);
      if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
      return number;
    }
    case ParameterType::kBoolean:
      if (value == "true" || value == "false") return value == "true";
  }
  return std::nullopt;
}

}  // namespace

std::string_view Profile(std::string_view name) {
  const CompiledProfile* profile = FindProfile(name);
  return profile == nullptr ? std::string_view() : profile->text;
}

std::string_view CompiledDigest(std::string_view name) {
  const CompiledProfile* profile = FindProfile(name);
  return profile == nullptr ? std::string_view() : profile->digest;
}

Result<Layer> CompiledLayer(std::string_view name, std::span<const RuleSchema> rules) {
  const CompiledProfile* profile = FindProfile(name);
  if (profile == nullptr) return Error{"unknown profile " + Quoted(name)};
  Layer layer;
  layer.kind = LayerKind::kProfile;
  layer.rules.reserve(rules.size());
  const RuleSchema* schema = nullptr;
  for (Parts parts(profile->rules); !parts.is_over();) {
    const auto fault = [&](std::string_view id, std::string_view what) {
      return Error{"profile " + std::string(name) + ": rule " + Quoted(id) +
                   " does not match the catalogue: its " + std::string(what)};
    };
    const std::string_view first = parts.Take();
    const std::string_view second = parts.Take();
    if (!first.empty()) {
      const auto found = std::ranges::find(rules, first, &RuleSchema::id);
      if (found == rules.end()) return fault(first, "id");
      schema = &*found;
      const auto action = std::ranges::find(schema->actions, second,
                                            [](Action supported) { return Name(supported); });
      if (action == schema->actions.end()) return fault(first, "action");
      layer.rules.push_back({schema->id, *action, {}});
      layer.rules.back().parameters.reserve(schema->parameters.size());
      continue;
    }
    if (schema == nullptr) return fault("", second);
    const auto known = std::ranges::find(schema->parameters, second, &ParameterSchema::name);
    if (known == schema->parameters.end()) return fault(schema->id, second);
    std::optional<Parameters::Value> value = ValueOf(*known, parts);
    if (!value) return fault(schema->id, second);
    layer.rules.back().parameters.emplace_back(&*known, *std::move(value));
  }
  return layer;
}

}  // namespace runclad::policy
