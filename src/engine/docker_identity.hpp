#pragma once

#include "runclad/base/result.hpp"
#include "runclad/engine/identity.hpp"
#include "runclad/engine/layout.hpp"

namespace runclad::engine {

// Fills in what dockerd's own files say of the container's image, each held against the next: the
// container's record, its layer, the image's config. On an error `identity` may be
// half filled, and `identity.unverified` has what the files call the image.
Status IdentifyDocker(const Layout& layout, const Call& call, Identity& identity);

}  // namespace runclad::engine
