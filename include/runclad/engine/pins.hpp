// Which namespaces an engine pinned (mounted at a path) for a container, according to its own
// record.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runclad/base/result.hpp"
#include "runclad/engine/layout.hpp"
#include "runclad/engine/pod.hpp"

namespace runclad::engine {

using Pins = std::vector<std::string>;  // paths, as the engine wrote them

// The container's own, or its pod's. No value: the engine has no record that could say it (Docker,
// containerd without a pod, podman with its database elsewhere). An error: it has one, which cannot
// be trusted.
Result<std::optional<Pins>> FindPins(const Layout& layout, const Pod& pod);

}  // namespace runclad::engine
