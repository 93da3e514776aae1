// Waivers that are valid and give a container as much power as root on the host.
#pragma once

#include <string>
#include <vector>

#include "lint_report.hpp"

namespace runclad::ctl {

// A warning for each entry of host-mounts.exactly of that kind in `text`, a policy file of any kind
// that has no faults. `file` is its name in the findings.
std::vector<LintFinding> RootWaivers(const std::string& file, const std::string& text);

}  // namespace runclad::ctl
