// Whether every mount of a created container was promised or is one of those that the lower runtime
// always makes.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "runclad/base/result.hpp"
#include "runclad/enforce/promise.hpp"
#include "runclad/sys/mounts.hpp"

namespace runclad::enforce {

// What the accounting is made from: the tables, and questions about the container's files.
struct MountEvidence {
  const sys::MountTable& container;
  const sys::MountTable& host;
  // The root directory of the mount, where it is what stands at its point; nothing where another
  // mount covers it.
  std::function<std::optional<sys::Examined>(const sys::Mount&)> topmost;
  // What a path of the container leads to, links followed; nothing where it leads nowhere.
  std::function<std::optional<sys::Examined>(const std::string&)> at;
  // Why what is mounted at `path` of the host may not be in the container: a predicate; empty: it
  // may. For what came along below a recursive bind.
  std::function<std::string(const sys::Mount& submount, const std::string& path)> submount_fault;
  // Where the container's root directory lies on the host, links resolved; empty: not known. Asked
  // for once, and only where something was bound recursively with a bind.
  std::function<std::string()> root_path;
  // The container's own cgroups, one of each hierarchy.
  std::vector<std::string> cgroups;
  // The directory with the socket of NOTIFY_SOCKET that the runtime binds; 0: there is none.
  sys::Inode notify_directory;
  // The empty directory that crun keeps for all its containers and binds over directories that are
  // masked (1.28; not 1.21); nothing: there is none, or it cannot be trusted.
  std::optional<sys::Place> empty_directory;
};

// An error names the first mount that is not accounted for, or the promised one that is missing.
// Its cost is linear in the tables.
Status AccountForMounts(const Promise& promise, const MountEvidence& evidence);

}  // namespace runclad::enforce
