#pragma once

#include <set>
#include <string>

#include "runclad/policy/effective.hpp"

namespace runclad::ctl {

// Why the seccomp filters of containers under `policy` cannot be created, for one without
// capabilities, one with those of the policy, and one with all; sentences, empty when they can.
std::set<std::string> FilterFaults(const policy::Effective& policy);

}  // namespace runclad::ctl
