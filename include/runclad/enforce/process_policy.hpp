// The policy for exec and update, fixed when their container was created.
#pragma once

#include "runclad/oci/spec.hpp"
#include "runclad/policy/effective.hpp"
#include "runclad/rules/facts.hpp"

namespace runclad::enforce {

// The rules of the process and those of limits, narrowed to what the container itself was given:
// `spec` is its document as it is handed on. Of the rest of the policy, what a record keeps.
policy::Effective ProcessPolicy(const policy::Effective& policy, const oci::Spec& spec,
                                const rules::Facts& facts);

}  // namespace runclad::enforce
