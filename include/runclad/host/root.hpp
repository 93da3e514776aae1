// What /root/path is on this host: RootFacts.
#pragma once

#include <string>
#include <vector>

#include "runclad/engine/layout.hpp"
#include "runclad/host/facts.hpp"
#include "runclad/oci/spec.hpp"

namespace runclad::host {

// `allowed`: directories that may hold root filesystems. A relative path starts at `bundle`;
// `own_layer` is where the engine's record has the container's layer, empty where it has none. A
// document without a living container (layout.id is empty) is checked on this host only if its
// directory exists.
RootFacts DescribeRoot(const oci::Spec& spec, const std::vector<std::string>& allowed,
                       const std::string& bundle, const engine::Layout& layout,
                       const std::string& own_layer);

}  // namespace runclad::host
