// Capability names, as people write them and as the OCI spec writes them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace runclad::privilege {

// "CAP_KILL" for "KILL", "cap_kill", "CAP_KILL"; none when no such capability is known.
std::optional<std::string> CanonicalCapability(std::string_view name);

// The number of a canonical name (capabilities(7)): "CAP_KILL" is 5.
std::optional<int> CapabilityNumber(std::string_view canonical_name);

// Every capability name known here, in the order of their numbers.
const std::vector<std::string>& AllCapabilities();

}  // namespace runclad::privilege
