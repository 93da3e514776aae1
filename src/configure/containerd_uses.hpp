#pragma once

#include <vector>

#include "containerd_place.hpp"
#include "report.hpp"

namespace runclad::configure {

struct ContainerdUses {
  std::vector<Use> of_name;     // pods that ask for the runtime by its name
  std::vector<Use> of_program;  // containers whose shim calls runclad's file, by whatever name
  std::vector<Use> others;      // pods of other runtimes, and containers of no pod
};

// Asks containerd by ctr(8), if it runs; Docker's containers are left to Docker.
Result<ContainerdUses> FindContainerdUses(const Containerd& containerd, const Request& request);

}  // namespace runclad::configure
