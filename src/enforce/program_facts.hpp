// What a process's program is in its container's filesystem: rules::ProgramFacts.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "runclad/base/result.hpp"
#include "runclad/oci/spec.hpp"
#include "runclad/policy/effective.hpp"
#include "runclad/rules/facts.hpp"

namespace runclad::enforce {

// Looks where the runtime will: below `root`, along PATH, and at the interpreters of scripts. The
// files are the image's: nothing is followed out of `root`, little is read, nothing is waited for.
// What a mount of the spec covers is not in `root` yet and stays unknown; `resolved` are the
// mounts' destinations as facts have them. No value where no rule asks.
Result<std::optional<rules::ProgramFacts>> GatherProgram(
    const oci::Spec& spec, const policy::Effective& policy, const std::string& root,
    const std::map<std::string, std::string>& resolved);

}  // namespace runclad::enforce
