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
// this host, given the policy that it has now: {"capabilities": {"allow": […]}}. As narrow as the
// rule's parameters can say it; a rule that has no such parameter is set to warn. What no policy
// line should allow (the host's root) is left out.
json::Value WaysOut(const std::vector<Finding>& findings, const policy::Effective& now);

}  // namespace runclad::ctl
