#pragma once

#include <string>

#include "runclad/engine/identity.hpp"
#include "runclad/policy/effective.hpp"

namespace runclad::ctl {

// A file of the policy's directory: what may stand in it, and for which containers it is read.
struct Place {
  policy::FileKind kind = policy::FileKind::kPolicy;
  engine::Identity identity;
  std::string unreachable;  // why no container's policy reads it; empty: some do
};

// `path` is relative to the policy's directory.
Place PlaceOf(const std::string& path);

}  // namespace runclad::ctl
