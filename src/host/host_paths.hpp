// The policy's lists of host paths, held against this host.
#pragma once

#include <string>
#include <vector>

#include "runclad/engine/configured_storage.hpp"
#include "runclad/engine/layout.hpp"
#include "runclad/host/path_lists.hpp"
#include "runclad/sys/file.hpp"

#include "path_policy.hpp"

namespace runclad::host {

// A file that may not be mounted under any name: a hard link has no path in common with it.
struct DeniedFile {
  sys::Inode inode;
  Mark mark = Mark::kDeny;
  std::string label;
};

struct HostPaths {
  PathPolicy policy;
  std::vector<DeniedFile> files;
  PathPolicy given{false};  // what `exactly` and `roots` let some container write: PathPolicy::Has
};

// What `lists` name, and what no policy can lift: engines' sockets, their state in `layout`, our
// own directories. `engines` is the storage of every engine on this host, as far as it is
// configured. Entries that do not exist on this host say nothing.
HostPaths LocateHostPaths(const PathLists& lists, const engine::Layout& layout,
                          const engine::ConfiguredStorage& engines);

// The same with every entry taken for what its name says, as on a host that has all of them and no
// link on the way to any.
PathPolicy NamedHostPaths(const PathLists& lists);

// One list and nothing else, each entry as one of `deny`; "/" stands for everything.
HostPaths LocateListedPaths(PathLists::List entries);

}  // namespace runclad::host
