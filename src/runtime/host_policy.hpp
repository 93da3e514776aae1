// The host's policy, with what suspends it.
#pragma once

#include <optional>
#include <string>

#include "runclad/base/result.hpp"
#include "runclad/engine/identity.hpp"
#include "runclad/policy/effective.hpp"

namespace runclad::runtime {

// The reason for which nothing is enforced at the moment; empty: everything is.
std::string BreakGlassReason();

// The policy in force in `directory`, or in /etc/runclad, for containers of this image. While the
// break-glass switch is on, a policy that cannot be used stops nothing: `restricted` is judged by,
// and recorded.
Result<policy::Effective> LoadPolicy(const std::optional<std::string>& directory,
                                     const engine::Identity& identity);

// The same, as enforce::LoadLoosestPolicy has it.
Result<policy::Effective> LoadLoosestPolicy(const std::optional<std::string>& directory);

}  // namespace runclad::runtime
