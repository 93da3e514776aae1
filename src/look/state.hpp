// What the kernel holds for one process and the container around it.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "runclad/look/container.hpp"
#include "runclad/sys/mounts.hpp"

#include "proc.hpp"
#include "socket_diag.hpp"

namespace runclad::look {

// What is read once for all containers.
struct HostState {
  std::vector<NamespaceState> namespaces;   // of this process
  std::vector<std::uint64_t> file_systems;  // that the host has mounted, sorted
  std::vector<std::string> peer_groups;     // of its shared mounts, sorted
  sys::MountTable cgroups;                  // the host's mounts of cgroups alone
  std::vector<HostProcess> processes;
};
Result<HostState> ReadHostState();

// Fills all that /proc and the cgroups say; false where the process ended meanwhile. `container`
// has the pid and the start time.
bool ReadState(const HostState& host, Container& container);

// Of a process's cgroups, the container's own: where it has none, it is in ours, and so is the rest
// of the host.
std::vector<std::string> OwnCgroups(std::vector<std::string> cgroups,
                                    const std::vector<std::string>& ours);
// The container's, the first one included: by cgroup, and by mount namespace where that is its own.
std::vector<pid_t> ProcessesOf(const Container& container, const std::vector<HostProcess>& host);

// Sockets that wait for others, of a whole network namespace.
std::vector<WaitingSocket> ReadWaitingSockets(int process);

// Those of a container: all of its network namespace, or where it shares that, those that its own
// processes hold. Each address and port once.
std::vector<Listener> ListenersAmong(const std::vector<WaitingSocket>& sockets, bool is_shared,
                                     const std::vector<pid_t>& processes);

}  // namespace runclad::look
