// Which of the host's directories and files containers may only read, by identity.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runclad/host/path_lists.hpp"
#include "runclad/sys/mounts.hpp"

#include "host_aliases.hpp"
#include "host_paths.hpp"

namespace runclad::host {

class ReadOnlySources {
 public:
  // The paths that may only be read; the table must outlive this.
  ReadOnlySources(PathLists::List paths, const sys::MountTable& table);

  // A predicate: why a bind of it may only be read; empty when it need not.
  [[nodiscard]] std::string Why(const sys::Located& source) const;

 private:
  bool is_on_;
  HostPaths paths_;
  HostAliases aliases_;
};

}  // namespace runclad::host
