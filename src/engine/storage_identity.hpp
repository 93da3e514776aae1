#pragma once

#include "runclad/base/result.hpp"
#include "runclad/engine/identity.hpp"
#include "runclad/engine/layout.hpp"
#include "runclad/engine/pod.hpp"

namespace runclad::engine {

// Fills in what containers/storage, which podman and CRI-O share, says of the container's image,
// each held against the next: the container, its layer, the layers below, the image's config. On an
// error `identity` may be half filled; the pod's namespace is what CRI-O recorded even then.
Status IdentifyStorage(const Layout& layout, const Call& call, Identity& identity, Pod& pod);

}  // namespace runclad::engine
