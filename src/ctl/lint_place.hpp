#pragma once

#include <string>
#include <string_view>

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

// The policy's directory around a file that lies where such files do
// ("/etc/runclad/images/docker.io/library/nginx.json" → "/etc/runclad"); empty: it does not.
std::string DirectoryAround(const std::string& path);

// The kind of a file that lies elsewhere, by the members that it has.
policy::FileKind KindByShape(std::string_view text);

}  // namespace runclad::ctl
