// Every container that runs on this host, however it was made.
#pragma once

#include <string>
#include <vector>

#include "runclad/host/running.hpp"

namespace runclad::enforce {

// Those of engines (host::FindRunning), and those that were made by hand: in the runtime's roots
// that runclad has noted, and in the default ones of runc and crun. Each has its bundle, and is
// there once.
std::vector<host::RunningContainer> FindEveryRunning();

// The same, in `runtime_roots` as well, with those whose state does not say their bundle, and by
// every way to them: who looks for their processes finds out which are the same.
std::vector<host::RunningContainer> FindEveryWayToRunning(
    const std::vector<std::string>& runtime_roots);

}  // namespace runclad::enforce
