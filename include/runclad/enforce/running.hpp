// Every container that runs on this host, however it was made.
#pragma once

#include <string>
#include <vector>

#include "runclad/host/running.hpp"

namespace runclad::enforce {

// Those of engines (host::FindRunning), and those that were made by hand: in the runtime's roots
// that runclad has noted, in the default ones of runc and crun, and in `runtime_roots`. Each has
// its bundle.
std::vector<host::RunningContainer> FindEveryRunning(
    const std::vector<std::string>& runtime_roots = {});

}  // namespace runclad::enforce
