// The policy's lists of host paths, held against this host.
#pragma once

#include <string>
#include <vector>

#include "runclad/engine/layout.hpp"
#include "runclad/policy/parameters.hpp"
#include "runclad/sys/file.hpp"

#include "path_policy.hpp"

namespace runclad::enforce {

// A file that may not be mounted under any name: a hard link has no path in common with it.
struct DeniedFile {
  sys::Inode inode;
  Mark mark = Mark::kDeny;
  std::string label;
};

struct HostPaths {
  PathPolicy policy;
  std::vector<DeniedFile> files;
};

// The lists of host-mounts (deny, credentials, allow, allow-read-only, data-directories), and what
// no policy can lift: engines' sockets, their state in `layout`, our own directories. Entries that
// do not exist on this host say nothing.
HostPaths LocateHostPaths(const policy::Parameters& parameters, const engine::Layout& layout);

// One list and nothing else, each entry as one of `deny`; "/" stands for everything.
HostPaths LocateListedPaths(const std::vector<std::string>& entries);

}  // namespace runclad::enforce
