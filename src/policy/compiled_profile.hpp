// The profiles as tables of the program (src/generate/profile_tables.cpp writes them): to parse
// their JSON on every container's start would cost more than the rest of the policy.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <variant>

#include "layer.hpp"

namespace runclad::policy {

// Strings, each with a newline behind it: one text, since each pointer in a table has to be
// relocated when the program starts, whatever it is called for.
struct CompiledList {
  std::string_view lines;
};

struct CompiledParameter {
  std::string_view name;
  std::variant<CompiledList, std::int64_t, std::string_view, bool> value;
};

struct CompiledRule {
  std::string_view id;
  std::string_view action;
  std::span<const CompiledParameter> parameters;
};

struct CompiledProfile {
  std::string_view name;
  std::string_view text;    // profiles/<name>.json
  std::string_view digest;  // SHA-256 of the text
  std::span<const CompiledRule> rules;
};

std::span<const CompiledProfile> CompiledProfiles();

// The profile `name` as a layer; an error when it does not follow `rules`.
Result<Layer> CompiledLayer(std::string_view name, std::span<const RuleSchema> rules);
std::string_view CompiledDigest(std::string_view name);

}  // namespace runclad::policy
