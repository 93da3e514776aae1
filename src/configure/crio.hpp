// CRI-O's daemons that run.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemons.hpp"

namespace runclad::configure {

// Of several, the one whose file is `config`, or in whose directory of drop-ins it is; else as
// ChooseDaemon().
Result<std::optional<Daemon>> ChooseCrio(const std::vector<Daemon>& daemons,
                                         const std::optional<std::string>& config);

}  // namespace runclad::configure
