// What a container's user namespace makes of its root.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runclad/oci/spec.hpp"

namespace runclad::oci {

// Whether the id 0 inside is another user's on the host: the spec asks for a user namespace of its
// own and maps 0 elsewhere. One that is joined by path is not looked into.
bool RootIsMapped(const Spec& spec);

// The uid on the host that such a mapping gives to the container's root; no value for all others.
std::optional<std::uint32_t> MappedRoot(const Spec& spec);

// Where mounts ("idmapped") make files other users' than they are: JSON pointers to their mappings,
// and to options that hold one. Those that repeat the mapping of the spec's user namespace are left
// out: under them each id is itself.
std::vector<std::string> ForeignIdMaps(const Spec& spec);

}  // namespace runclad::oci
