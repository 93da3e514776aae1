// What people call a container.
#pragma once

#include <string>

#include "runclad/engine/layout.hpp"

namespace runclad::engine {

// By the engine's own state: Docker's and podman's name, CRI-O's "k8s_<name>_<pod>_<namespace>_…".
// Empty: the engine has no other name than the id (ctr), or the state cannot be read.
std::string NameOfContainer(const Layout& layout);

}  // namespace runclad::engine
