// What was promised of a container when it was decided on, and whether the one that the lower
// runtime made keeps it. Between create and start the container stands with its capabilities,
// filter and mounts made and its program not yet running: what was swapped in between shows there.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runclad/base/result.hpp"
#include "runclad/oci/spec.hpp"
#include "runclad/rules/facts.hpp"

namespace runclad::enforce {

struct Promise {
  struct Bind {
    std::string destination;  // links resolved
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
  };

  std::optional<std::uint64_t> bounding;  // mask by capability number; none: the spec has no set
  bool no_new_privileges = false;
  bool seccomp = false;
  bool read_only_root = false;
  std::vector<std::string> own_namespaces;  // as /proc/PID/ns names them: not the host's
  std::vector<Bind> binds;                  // those that no later mount covers
};

Promise PromiseOf(const oci::Spec& spec, const rules::Facts& facts);

// Holds the process `pid`, which waits to become the container's program, against the promise. An
// error names what differs. crun loads the filter later when no_new_privs is set: with
// `seccomp_is_late` it is not looked for.
Status Verify(const Promise& promise, pid_t pid, bool seccomp_is_late);

}  // namespace runclad::enforce
