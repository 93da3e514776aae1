// A Kubernetes pod's sandbox, for the exceptions of several rules.
#pragma once

#include "runclad/engine/identity.hpp"
#include "runclad/oci/spec.hpp"

namespace runclad::rules {

// Whether the container is a sandbox by the engine's own record, is made of a known image (the one
// that the engine is configured with) and runs pause and nothing else: it only keeps the pod's
// namespaces open.
bool IsPodSandbox(const oci::Spec& spec, const engine::Identity& identity);

}  // namespace runclad::rules
