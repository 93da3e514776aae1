// The containers that run on this host, by the processes that engines keep beside them: whatever
// the engines' configuration is, and without asking them.
#pragma once

#include <string>
#include <vector>

namespace runclad::host {

struct RunningContainer {
  std::string id;
  std::string bundle;        // absolute
  std::string runtime_root;  // as the engine gives it to the runtime; empty: none, as by podman
  std::string name;          // as conmon was told; empty: the engine's state has it
  std::string program = {};  // the runtime that its shim or conmon calls; empty: runc, or unknown
};

// Of containerd (Docker, CRI, ctr) by its shims for runc, of podman and CRI-O by conmon. Only
// processes of root in our mount namespace count: any container may name a process like one of
// these. `proc`: for tests. In the order of the bundles.
std::vector<RunningContainer> FindRunning(const std::string& proc = "/proc");

// The container of `bundle`, absolute and without links: the running one or, if there is none, by
// the path alone.
RunningContainer ContainerOf(const std::string& bundle,
                             const std::vector<RunningContainer>& running);

// The directory in which the runtime keeps the container: runtime_root or, if there is none, the
// default one of runc or crun that has it. Empty: there is none.
std::string RuntimeRootOf(const RunningContainer& container);

}  // namespace runclad::host
