// Containers of a Kubernetes manifest.
#pragma once

#include <string>
#include <vector>

#include "runclad/base/result.hpp"
#include "runclad/draft/request.hpp"

namespace runclad::draft {

// A request for each container of each Pod, and of the pods that each Deployment, ReplicaSet,
// DaemonSet, StatefulSet, Job and CronJob creates, in the order of the file. Other kinds are
// skipped. The file is JSON, or YAML with one or more documents.
Result<std::vector<Request>> ReadPods(const std::string& path);

}  // namespace runclad::draft
