// Whose each namespace is that the spec joins by path: NamespaceFacts.
#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runclad/engine/own_files.hpp"
#include "runclad/engine/pod.hpp"
#include "runclad/host/facts.hpp"
#include "runclad/oci/spec.hpp"

namespace runclad::host {

// The id of the recorded container whose first process is `pid`; empty when there is none.
using FindContainer = std::function<std::string(pid_t pid)>;

// Paths are compared by what they are now; the lower runtime opens them once more, later. For a
// member of a `pod`, the network, ipc and uts namespaces of any container but its sandbox are
// foreign; a pid namespace may be that of another container of the pod (kubectl debug --target).
// The pid namespace of the pod's own sandbox (podman: infra container), by the engine's record, is
// a container's without an id: nobody else's.
void GatherNamespaces(const oci::Spec& spec, const engine::Layout& layout,
                      const FindContainer& find_container, const engine::Pod& pod,
                      std::map<std::string, NamespaceFacts>& namespaces);

// The container's user namespace: a new one by the document's mappings, a joined one by the
// kernel's map of exactly the namespace that `namespaces` has at its path. None where its root is
// the host's, where the map cannot be read, and where a mapping in the document contradicts it.
std::optional<UserNamespaceFacts> DescribeUserNamespace(
    const oci::Spec& spec, const std::map<std::string, NamespaceFacts>& namespaces);

// The recorded containers that the spec joins, as `namespaces` has them.
std::vector<engine::Peer> JoinedPeers(const oci::Spec& spec,
                                      const std::map<std::string, NamespaceFacts>& namespaces);

// Whether the process `pid` is in the namespace of this type that the spec joins, where that is a
// recorded container's.
bool IsInJoined(pid_t pid, std::string_view type, const oci::Spec& spec,
                const std::map<std::string, NamespaceFacts>& namespaces);

}  // namespace runclad::host
