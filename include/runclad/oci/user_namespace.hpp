// What a container's user namespace makes of its root.
#pragma once

#include "runclad/oci/spec.hpp"

namespace runclad::oci {

// Whether the id 0 inside is another user's on the host: the spec asks for a user namespace of its
// own and maps 0 elsewhere. One that is joined by path is not looked into.
bool RootIsMapped(const Spec& spec);

}  // namespace runclad::oci
