// The policy lines that would allow what a rule did.
#pragma once

#include <string>
#include <vector>

#include "runclad/json/value.hpp"
#include "runclad/policy/effective.hpp"
#include "runclad/rules/rule.hpp"

#include "findings.hpp"

namespace runclad::ctl {

// Whether a line of policy.json about `rule` would have let `finding` pass.
bool IsLiftedBy(const rules::Rule& rule, const Finding& finding);

// The members of policy.json's "rules" that would have let `findings` (of several rules) pass on
// this host, given the policy that it has now: {"capabilities": {"allow": […]}}. They are the
// remedies that the findings carry; only for rules without codes are they read from sentences, and
// such a rule is set to warn where it has no parameter for it. What no policy line lifts is left
// out.
json::Value WaysOut(const std::vector<Finding>& findings, const policy::Effective& now);

}  // namespace runclad::ctl
