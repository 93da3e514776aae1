// Which engine requested a container and which image it is made of: determined before any policy is
// read, because the policy depends on it.
#pragma once

#include <string>

#include "runclad/enforce/facts.hpp"
#include "runclad/engine/identity.hpp"
#include "runclad/engine/layout.hpp"
#include "runclad/engine/pod.hpp"
#include "runclad/oci/spec.hpp"

namespace runclad::enforce {

struct Subject {
  engine::Layout layout;
  engine::Identity identity;
  engine::Pod pod;
  // identity.asked_for is the name of the container's first create, which the engine's state now
  // gives to another image.
  bool name_is_kept = false;
};

Subject FindSubject(const oci::Spec& spec, const Request& request);

// Keeps the name that a container was asked for with at its first create, for as long as the
// container has this image: `docker pull` moves the name away, and after its next restart the
// service would have an image without a name. If the name cannot be kept, a warning is logged.
void KeepName(const Subject& subject);

}  // namespace runclad::enforce
