// A pod's volumes, as a container mounts them.
#pragma once

#include "runclad/base/result.hpp"
#include "runclad/draft/request.hpp"
#include "runclad/json/value.hpp"

namespace runclad::draft {

// Adds the container's volumeMounts. An error for a mount of a volume that the pod does not have.
Status ReadVolumeMounts(const json::Document& container, const json::Document& pod,
                        Request& request);

}  // namespace runclad::draft
