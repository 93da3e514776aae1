// Which security modules this kernel runs, and what is loaded of AppArmor: LsmFacts.
#pragma once

#include <string>

#include "runclad/engine/identity.hpp"
#include "runclad/host/facts.hpp"
#include "runclad/oci/spec.hpp"

namespace runclad::host {

// Looks below `host_root` ("" but for tests), and only as far as the spec gives a reason: a process
// with an engine's own profile gives none.
LsmFacts GatherLsm(const oci::Spec& spec, engine::Engine engine, const std::string& host_root = {});

}  // namespace runclad::host
