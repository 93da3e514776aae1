// What rules may know about a container that does not exist yet: mount sources, kernel and security
// modules of this host, but nothing about the image's files.
#pragma once

#include <string>
#include <vector>

#include "runclad/draft/draft.hpp"
#include "runclad/enforce/decision.hpp"
#include "runclad/engine/identity.hpp"
#include "runclad/oci/spec.hpp"
#include "runclad/policy/effective.hpp"

namespace runclad::ctl {

// The properties of this host that an engine's document for a container depends on.
draft::Host ThisHost();

// What create would decide about the draft. `not_judged` gets sentences about what is unknown.
// An error if the engine would refuse the request itself: the source of a bind is missing.
Result<enforce::Decision> DecideOn(const draft::Draft& draft, oci::Spec spec,
                                   const policy::Effective& policy,
                                   const engine::Identity& identity,
                                   std::vector<std::string>& not_judged);

}  // namespace runclad::ctl
