// The profiles as texts of the program (src/generate/profile_tables.cpp writes them): to parse
// their JSON on every container's start would cost more than the rest of the policy.
#pragma once

#include <span>
#include <string_view>

#include "layer.hpp"

namespace runclad::policy {

struct CompiledProfile {
  std::string_view name;
  std::string_view text;    // profiles/<name>.json
  std::string_view digest;  // SHA-256 of the text
  // A line "ID\tACTION" for each rule, followed by a line "\tPARAMETER\tVALUE" for each of its
  // parameters, with as many values as a list has. One text, since each pointer in a table has to
  // be relocated when the program starts, whatever it is called for.
  std::string_view rules;
};

std::span<const CompiledProfile> CompiledProfiles();

// The profile `name` as a layer; an error when it does not follow `rules`.
Result<Layer> CompiledLayer(std::string_view name, std::span<const RuleSchema> rules);
std::string_view CompiledDigest(std::string_view name);

}  // namespace runclad::policy
