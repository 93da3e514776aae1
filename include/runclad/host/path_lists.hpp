// The policy's lists of host paths, as plain values. Entries may hold wildcards in components.
#pragma once

#include <span>
#include <string>

namespace runclad::host {

// The lists must outlive this.
struct PathLists {
  using List = std::span<const std::string>;
  List deny = {};
  List credentials = {};
  List allow = {};
  List allow_read_only = {};
  List data_directories = {};
  // What some containers get whatever the lists above say: mounts, as "bind /var/log rw", and
  // directories that may be a root filesystem. Who could write to a directory depends on them; what
  // is judged as a mount's source does not.
  List exactly = {};
  List roots = {};
  bool below_is_read_only = false;  // what is below a denied entry may be read
  bool allow_only = false;          // nothing may be mounted but what the lists name
};

}  // namespace runclad::host
