// What runclad and its lower runtime need of the kernel.
#include "sections.hpp"

namespace runclad::doctor {
namespace {

using Findings = std::vector<Finding>;

Findings Features(const Facts& facts) {
  Findings findings;
  for (const KernelFeature& feature : facts.kernel.features) {
    if (feature.is_there) continue;
    findings.push_back({feature.is_required ? Level::kCritical : Level::kWarning,
                        "kernel " + facts.kernel.release,
                        "it has no " + feature.name + ": " + feature.use,
                        "boot a newer kernel, or one that is built with it"});
  }
  return findings;
}

Findings Controllers(const Facts& facts) {
  Findings findings;
  for (const std::string& name : facts.kernel.missing_controllers) {
    findings.push_back(
        {Level::kWarning, "/sys/fs/cgroup/cgroup.controllers",
         "cgroup v2 has no controller " + name + ": a container with such a limit is refused",
         "remove cgroup_disable=" + name +
             " from the kernel's command line, or unmount the cgroup v1 hierarchy "
             "that uses it"});
  }
  return findings;
}

Findings Hierarchies(const Facts& facts) {
  Findings findings;
  for (const std::string& name : facts.kernel.unmounted_hierarchies) {
    findings.push_back({Level::kWarning, "/proc/self/cgroup",
                        "the cgroup v1 hierarchy " + name +
                            " is active and mounted nowhere: containerd reports no processes of "
                            "any container",
                        "mount -t cgroup -o " + name + " cgroup /sys/fs/cgroup/" + name});
  }
  return findings;
}

constexpr Check kKernelChecks[] = {
    {"kernel/features", "the kernel has what runclad uses", kKernel, Features},
    {"kernel/cgroup-controllers", "cgroup v2 has the controllers cpu, memory and pids", kKernel,
     Controllers},
    {"kernel/cgroup-hierarchies", "every active cgroup v1 hierarchy is mounted", kKernel,
     Hierarchies},
};

}  // namespace

std::span<const Check> KernelChecks() { return kKernelChecks; }

}  // namespace runclad::doctor
