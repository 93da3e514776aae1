// Whose program each hook is: rules::HookFacts.
#pragma once

#include <map>
#include <string>

#include "runclad/engine/layout.hpp"
#include "runclad/oci/spec.hpp"
#include "runclad/policy/effective.hpp"
#include "runclad/rules/facts.hpp"

namespace runclad::enforce {

// `setting` is hooks' own. In a document that is no living container's (layout.id is empty) a
// process that is not there passes for the engine's.
void GatherHooks(const oci::Spec& spec, const policy::RuleSetting& setting,
                 const engine::Layout& layout, std::map<std::string, rules::HookFacts>& hooks);

}  // namespace runclad::enforce
