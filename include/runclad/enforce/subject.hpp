// Who asked for a container and which image it is made of: known before any policy is read, since
// the policy depends on it.
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
  // identity.asked_for is the name of the container's first create: the engine's state gives it to
  // another image by now.
  bool name_is_kept = false;
};

Subject FindSubject(const oci::Spec& spec, const Request& request);

// Keeps the name that a container was asked for with at its first create, for as long as the
// container has this image: `docker pull` takes the name away, and the service would come back
// from its next restart as an image without a name. A name that cannot be kept costs a warning.
void KeepName(const Subject& subject);

}  // namespace runclad::enforce
