// Which users other than root could replace a mount's source.
#pragma once

#include <sys/stat.h>

#include <map>
#include <string>

#include "runclad/sys/owned_path.hpp"

#include "path_policy.hpp"

namespace runclad::host {

class Replaceable {
 public:
  // `policy` says which directories a container may mount and write; with `is_allow_only` these are
  // the listed ones alone. It must outlive this.
  Replaceable(const PathPolicy& policy, bool is_allow_only)
      : policy_(policy), is_allow_only_(is_allow_only) {}

  // A predicate; empty: only root could replace any component of `source`, which is absolute. Mount
  // points on the path count as any other directory: a process in another mount namespace may
  // rename them.
  std::string Because(const std::string& source);

  // Who could change an entry of `directory`, which is absolute and exists, or replace any
  // component of its path; `resolved` is the same without links. Empty: only root.
  std::string WriterWithin(const std::string& directory, const std::string& resolved);

 private:
  // Who could replace some component of `source`; empty: only root. `way` becomes how far it leads.
  std::string WriterOnWay(const std::string& source, sys::Way& way);
  // Who could replace every entry of the directory; empty: only root.
  const std::string& WriterOf(const std::string& directory, const struct stat& status);

  const PathPolicy& policy_;
  bool is_allow_only_;
  std::map<std::string, std::string> writers_;  // by directory: sources often share them
};

}  // namespace runclad::host
