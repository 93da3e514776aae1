// Which users other than root could replace a mount's source.
#pragma once

#include <sys/stat.h>

#include <map>
#include <string>

#include "runclad/sys/owned_path.hpp"

#include "host_aliases.hpp"
#include "path_policy.hpp"

namespace runclad::host {

// What containers may mount and write. Everything must outlive its reader.
struct Mountable {
  const PathPolicy& policy;
  bool is_allow_only = false;            // what the policy lists alone
  const PathPolicy* given = nullptr;     // HostPaths::given
  const HostAliases* aliases = nullptr;  // under every path that the host has; null: by name
};

class Replaceable {
 public:
  explicit Replaceable(const Mountable& mountable) : mountable_(mountable) {}

  // A predicate; empty: only root could replace any component of `source`, which is absolute. Mount
  // points on the path count as any other directory: a process in another mount namespace may
  // rename them.
  std::string Because(const std::string& source);

  // Who could change an entry of `directory`, which is absolute and exists, or replace any
  // component of its path; `resolved` is the same without links. Empty: only root.
  std::string WriterWithin(const std::string& directory, const std::string& resolved);

  // Who could change something below `directory`, which has no links, in another directory than it.
  std::string WriterBelow(const std::string& directory);

 private:
  // Who could replace some component of `source`; empty: only root. `way` becomes how far it leads.
  std::string WriterOnWay(const std::string& source, sys::Way& way);
  // Who could replace every entry of the directory; empty: only root.
  const std::string& WriterOf(const std::string& directory, const struct stat& status);
  // As far as `given` says so; empty: none.
  [[nodiscard]] std::string ContainersGiven(const std::string& path) const;
  // The containers that could write there, as far as `path` says so; empty: none.
  [[nodiscard]] std::string ContainersAt(const std::string& path, const Verdict& verdict) const;
  // By the other paths under which the host sees the directory, of which `own` is the verdict.
  [[nodiscard]] std::string ContainersElsewhere(const std::string& directory,
                                                const Verdict& own) const;

  Mountable mountable_;
  std::map<std::string, std::string> writers_;  // by directory: sources often share them
};

}  // namespace runclad::host
