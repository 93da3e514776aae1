// What one document gives a container that another does not.
#pragma once

#include <string>

#include "runclad/oci/spec.hpp"

namespace runclad::enforce {

// The first power that `after` has beyond `before`, as a sentence; empty when there is none. What
// `before` does not mention is the lower runtime's default, which `after` may spell out.
std::string Wider(const oci::Spec& before, const oci::Spec& after);

}  // namespace runclad::enforce
