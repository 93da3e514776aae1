// The kernel that this host runs, and what it leaves us.
#pragma once

#include "runclad/host/facts.hpp"
#include "runclad/oci/spec.hpp"

namespace runclad::host {

// `capabilities` is filled in only for a container that asks for nearly all there are.
KernelFacts FindKernel(const oci::Spec& spec);

}  // namespace runclad::host
