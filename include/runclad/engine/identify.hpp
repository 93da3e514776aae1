// Reads which image a container is made of out of the engine's own state.
#pragma once

#include "runclad/engine/identity.hpp"
#include "runclad/engine/layout.hpp"
#include "runclad/engine/pod.hpp"

namespace runclad::engine {

// Never fails: state that is missing, unreadable, not root's alone, too large or at odds with
// itself gives an identity without digests and names, and says why. If the state names an image,
// what could be read of its names is in `unverified`.
// Where `pod` is given it becomes the pod that the same state has the container in.
Identity Identify(const Layout& layout, const Call& call, Pod* pod = nullptr);

}  // namespace runclad::engine
