// The architectures that an intersection is for.
#pragma once

#include <string>
#include <vector>

#include "runclad/privilege/seccomp.hpp"

namespace runclad::privilege {

// Those of both filters, the native one first. The lower runtime filters the native architecture
// always, and kills calls of those not named.
std::vector<std::string> CommonArchitectures(const SeccompFilter& requested,
                                             const SeccompFilter& ours, bool only_64_bit);

// Whether one of them compares the lower 32 bits of arguments only.
bool ComparesNarrowly(const std::vector<std::string>& architectures);

}  // namespace runclad::privilege
