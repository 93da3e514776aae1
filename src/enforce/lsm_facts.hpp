// Which security modules this kernel runs, and what is loaded of AppArmor: rules::LsmFacts.
#pragma once

#include <string>

#include "runclad/engine/identity.hpp"
#include "runclad/oci/spec.hpp"
#include "runclad/policy/effective.hpp"
#include "runclad/rules/facts.hpp"

namespace runclad::enforce {

// Looks below `host_root` ("" but for tests), and only as far as the spec gives a reason: a process
// with an engine's own profile gives none.
rules::LsmFacts GatherLsm(const oci::Spec& spec, const policy::RuleSetting& setting,
                          engine::Engine engine, const std::string& host_root = {});

}  // namespace runclad::enforce
