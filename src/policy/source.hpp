// One text of a policy and how it becomes a layer.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runclad/base/result.hpp"

#include "layer.hpp"

namespace runclad::policy {

struct Source {
  LayerKind kind = LayerKind::kHost;
  std::string title;  // in errors: "policy /etc/runclad/policy.json"
  std::string label;  // in origins: "policy.json"
  std::string_view text;
};

// Errors name the source and the line.
Result<Layer> ReadSource(const Source& source, const Format& format, bool wants_origins);

// Where everything in `text` stands; costs more than the rest of the parse.
json::Positions FindPositions(std::string_view text);

// Faults with their lines instead of their pointers, in the order of the lines.
std::vector<Fault> Locate(std::string_view text, std::vector<LayerFault> faults);

}  // namespace runclad::policy
