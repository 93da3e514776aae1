// Which Kubernetes pod a container belongs to.
#pragma once

#include <string>

namespace runclad::engine {

// From the engine's own record, never from annotations. Empty: no pod, or not known.
struct Pod {
  std::string sandbox;  // the id of the pod's sandbox; a sandbox's is its own
  std::string uid;      // the kubelet's directory of the pod is named by it
  // Where containerd's CRI plugin pinned the sandbox's network namespace; empty: the host's.
  std::string network_namespace = {};
};

}  // namespace runclad::engine
