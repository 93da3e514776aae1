// podman's pods, by podman's own database.
#pragma once

#include <string>

#include "runclad/engine/layout.hpp"

namespace runclad::engine {

// Whether `container` is the infra container of the pod that the layout's container belongs to.
// False where there is no pod, and where the database cannot be read.
bool IsInfraOfSamePod(const Layout& layout, const std::string& container);

}  // namespace runclad::engine
