// What a container's user namespace makes of its root.
#pragma once

#include <cstdint>
#include <functional>
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

// The uid on the host of the root of the user namespace at a path, by the kernel's own map; no
// value where that is the host's root, or where the map cannot be read.
using FindJoinedRoot = std::function<std::optional<std::uint32_t>(const std::string& path)>;

// Who beside root may own the bundle: podman gives it to the root of the container's user
// namespace. Of a new namespace the document's mapping says who that is. Of one that the document
// joins `find_joined_root` does, and a mapping in the document has to agree with it. No value where
// there is no such user, and where the document names several user namespaces.
std::optional<std::uint32_t> BundleOwner(const Spec& spec, const FindJoinedRoot& find_joined_root);

// Where mounts ("idmapped") make files other users' than they are: JSON pointers to their mappings,
// and to options that hold one. Those that repeat the mapping of the spec's user namespace are left
// out: under them each id is itself.
std::vector<std::string> ForeignIdMaps(const Spec& spec);

}  // namespace runclad::oci
