// What containerd's CRI plugin records about a pod's containers, in addition to each container's
// own record.
#pragma once

#include <string>
#include <string_view>

#include "runclad/base/result.hpp"
#include "runclad/engine/pod.hpp"

#include "bolt.hpp"

namespace runclad::engine {

struct PodRecord {
  Pod pod;
  std::string pod_namespace;
  bool is_sandbox = false;
  std::string image_id;  // the config's digest; empty for a sandbox
  std::string typed;     // as the pod's author wrote it, or else what the kubelet made of it
};

// Everything empty for a container that the CRI plugin did not make. `name_space` is the bucket of
// containerd's own namespace "k8s.io", `container` the one of the container's record.
Result<PodRecord> ReadPodRecord(Bolt& bolt, const Bolt::Bucket& name_space,
                                const Bolt::Bucket& container, std::string_view id);

}  // namespace runclad::engine
