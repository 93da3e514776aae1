#include "compiled_profile.hpp"

#include <algorithm>
#include <utility>

#include "runclad/base/spelling.hpp"

#include "layer.hpp"

namespace runclad::policy {
namespace {

const CompiledProfile* FindProfile(std::string_view name) {
  const auto profiles = CompiledProfiles();
  const auto found = std::ranges::find(profiles, name, &CompiledProfile::name);
  return found == profiles.end() ? nullptr : &*found;
}

std::vector<std::string> StringsOf(const CompiledList& list) {
  std::vector<std::string> strings;
  strings.reserve(static_cast<std::size_t>(std::ranges::count(list.lines, '\n')));
  for (std::string_view rest = list.lines; !rest.empty();) {
    const std::size_t end = rest.find('\n');
    strings.emplace_back(rest.substr(0, end));
    rest.remove_prefix(end + 1);
  }
  return strings;
}

Parameters::Value ValueOf(const CompiledParameter& parameter) {
  if (const auto* list = std::get_if<CompiledList>(&parameter.value)) return StringsOf(*list);
  if (const auto* text = std::get_if<std::string_view>(&parameter.value)) return std::string(*text);
  if (const auto* number = std::get_if<std::int64_t>(&parameter.value)) return *number;
  return std::get<bool>(parameter.value);
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
  layer.rules.reserve(profile->rules.size());
  for (const CompiledRule& compiled : profile->rules) {
    const auto fault = [&](std::string_view what) {
      return Error{"profile " + std::string(name) + ": rule " + Quoted(compiled.id) +
                   " does not match the catalogue: its " + std::string(what)};
    };
    const auto schema = std::ranges::find(rules, compiled.id, &RuleSchema::id);
    if (schema == rules.end()) return fault("id");
    const auto action = std::ranges::find(schema->actions, compiled.action,
                                          [](Action supported) { return Name(supported); });
    if (action == schema->actions.end()) return fault("action");
    RuleLayer& rule = layer.rules.emplace_back(RuleLayer{schema->id, *action, {}});
    rule.parameters.reserve(compiled.parameters.size());
    for (const CompiledParameter& parameter : compiled.parameters) {
      const auto known =
          std::ranges::find(schema->parameters, parameter.name, &ParameterSchema::name);
      if (known == schema->parameters.end()) return fault(parameter.name);
      Parameters::Value value = ValueOf(parameter);
      if (const auto* word = std::get_if<std::string>(&value);
          word != nullptr && known->type == ParameterType::kInteger) {
        const auto meant = IntegerOf(*known, *word);
        if (!meant) return fault(parameter.name);
        value = *meant;
      }
      if (value.index() != static_cast<std::size_t>(known->type)) return fault(parameter.name);
      rule.parameters.emplace_back(&*known, std::move(value));
    }
  }
  return layer;
}

}  // namespace runclad::policy
