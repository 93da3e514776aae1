// Whose program each hook is: HookFacts.
#pragma once

#include <map>
#include <string>

#include "runclad/engine/layout.hpp"
#include "runclad/host/facts.hpp"
#include "runclad/oci/spec.hpp"

namespace runclad::host {

// In a document without a living container (layout.id is empty), a process that no longer exists
// counts as the engine's.
void GatherHooks(const oci::Spec& spec, const engine::Layout& layout,
                 std::map<std::string, HookFacts>& hooks);

}  // namespace runclad::host
