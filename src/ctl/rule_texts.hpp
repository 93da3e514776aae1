// The catalogue in words, for what prints it.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runclad/base/result.hpp"
#include "runclad/json/value.hpp"
#include "runclad/policy/effective.hpp"
#include "runclad/rules/rule.hpp"

namespace runclad::ctl {

// Each under its name.
using Profiles = std::vector<policy::Effective>;

Result<Profiles> LoadProfiles();

// An error suggests the nearest id.
Result<const rules::Rule*> NamedRule(const std::string& name);

std::vector<std::string_view> ActionNames(const rules::Rule& rule);

// "the container: create and run"
std::string ScopeText(const rules::Rule& rule);

// "list of capabilities; a policy replaces its profile's"
std::string TypeName(const policy::ParameterSchema& parameter);

// Null where it is not set.
json::Document ValueOf(const policy::RuleSetting& setting,
                       const policy::ParameterSchema& parameter);

// A parameter's values in the profiles: value, names of the profiles. Profiles with the same value
// are named together, in the order of their first.
std::vector<std::pair<std::string, std::string>> ValuesOf(const policy::ParameterSchema& parameter,
                                                          const rules::Rule& rule,
                                                          const Profiles& profiles);

// "restricted: fix, baseline: warn, build: warn"
std::string ActionsText(const rules::Rule& rule, const Profiles& profiles);

// "host-mounts/denied"
std::string FullCode(const rules::Rule& rule, const rules::Code& code);

}  // namespace runclad::ctl
