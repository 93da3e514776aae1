// Which of two settings is more permissive: the basis of trust ceilings and of merging several
// names.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runclad/policy/parameters.hpp"

namespace runclad::policy {

// The loosest value that is as strict as either; Looser() is in parameters.hpp.
Parameters::Value Stricter(const ParameterSchema& schema, Parameters::Value left,
                           const Parameters::Value& right);

// Docker's own default for the parameter; no value: no limit.
std::optional<Parameters::Value> DockerDefaultOf(const ParameterSchema& schema);

// refuse, fix, warn, off: each lets a container do more than the one before.
Action Stricter(Action left, Action right);

// {"CAP_KILL"}, {"4096"}: what of `value` is not in `kept` (lists), or the value.
std::vector<std::string> Lost(const Parameters::Value& value, const Parameters::Value& kept);

}  // namespace runclad::policy
