// Whose program each hook is: HookFacts.
#pragma once

#include <map>
#include <string>

#include "runclad/engine/layout.hpp"
#include "runclad/host/facts.hpp"
#include "runclad/oci/spec.hpp"

namespace runclad::host {

// In a document that is no living container's (layout.id is empty) a
// process that is not there passes for the engine's.
void GatherHooks(const oci::Spec& spec, const engine::Layout& layout,
                 std::map<std::string, HookFacts>& hooks);

}  // namespace runclad::host
