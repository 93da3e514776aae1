// One document of a policy, held to its format and not yet merged with others. A policy is a list
// of these, folded from left to right (DESIGN: profile, policy.json, … each over the one before).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runclad/json/reader.hpp"
#include "runclad/policy/effective.hpp"

namespace runclad::policy {

// What a document may say depends on where it stands.
enum class LayerKind { kProfile, kHost };

struct RuleLayer {
  std::string_view rule;
  std::optional<Action> action;
  std::vector<std::pair<const ParameterSchema*, Parameters::Value>> parameters;
};

struct Layer {
  LayerKind kind = LayerKind::kHost;
  std::string label;  // in origins: "policy.json", "profile restricted"
  std::optional<std::string> extends;
  std::optional<Mode> mode;
  std::optional<std::string> log_target;
  std::optional<bool> log_required;
  std::optional<Rootless> rootless;
  std::vector<RuleLayer> rules;
  json::Positions positions;  // filled on request
};

// A fault by the JSON pointer of what is wrong.
struct LayerFault {
  std::string pointer;
  std::string message;
};

// What documents are held to.
struct Format {
  std::span<const RuleSchema> rules;
  std::string_view (*profile)(std::string_view name) = nullptr;
  bool (*is_syscall)(const std::string& name) = nullptr;  // none: only their form is checked
};

// Reads one document. With faults, what the layer holds is not to be used.
Layer ReadLayer(const json::Document& document, LayerKind kind, const Format& format,
                std::vector<LayerFault>& faults);

// Merges `layer` over `policy`: lists that deny accumulate, everything else replaces.
void Fold(Layer layer, Effective& policy);

}  // namespace runclad::policy
