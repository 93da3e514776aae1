// CRI-O's daemons and pods, by the processes that run.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemons.hpp"
#include "report.hpp"

namespace runclad::configure {

// Of several, the one whose file is `config`, or in whose directory of drop-ins it is; else as
// ChooseDaemon().
Result<std::optional<Daemon>> ChooseCrio(const std::vector<Daemon>& daemons,
                                         const std::optional<std::string>& config);

// The pods whose containers `monitors` (conmon) run by another program.
std::vector<Use> CrioPodsOf(const std::vector<Daemon>& monitors, const std::string& program);

}  // namespace runclad::configure
