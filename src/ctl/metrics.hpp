// runcladctl metrics: metrics of a host for a monitoring system.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "commands.hpp"
#include "policy_tree.hpp"

namespace runclad::ctl {

struct MetricsRequest {
  std::string textfile;  // written in one step; empty: the metrics are the output
  std::string program;   // runclad's; empty: the one installed with this program
  std::optional<std::string> config_directory;
  std::string state = store::kStateDirectory;
  unsigned limit = 5;  // seconds for each question to an engine
};

// Prometheus' text format. kChanged: something could not be measured; a comment says what.
Result<Output> ShowMetrics(const MetricsRequest& request);

// When the earliest waiver ends of each rule and image, in seconds since 1970-01-01. An image is
// named by its file ("docker.io/library/nginx", with a tag where the waiver is a tag's), all images
// below a folder as "docker.io/library/*", a pod's namespace as "pods/NAMESPACE", everything that a
// file of a digest waives as "digests"; empty: the host's.
using WaiverExpiries = std::map<std::pair<std::string, std::string>, std::int64_t>;
WaiverExpiries ExpiriesOf(const PolicyTree& tree);

}  // namespace runclad::ctl
