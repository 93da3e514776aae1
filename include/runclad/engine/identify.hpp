// Reads which image a container is made of out of the engine's own state.
#pragma once

#include "runclad/engine/identity.hpp"
#include "runclad/engine/layout.hpp"
#include "runclad/engine/pod.hpp"

namespace runclad::engine {

// Never fails: state that is missing, unreadable, modifiable by users other than root, too large or
// inconsistent gives an identity without digests and names, and the reason. If the state names an
// image, the names that could be read are in `unverified`. `pod`, if given, becomes the container's
// pod according to the same state.
Identity Identify(const Layout& layout, const Call& call, Pod* pod = nullptr);

}  // namespace runclad::engine
