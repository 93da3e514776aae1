// What is wrong with where the decisions are logged, for those who ask nothing else.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runclad/doctor/doctor.hpp"

namespace runclad::doctor {

// The findings of the checks log/… on the log of the policy in this directory (default:
// /etc/runclad).
std::vector<Finding> LogFindings(const std::optional<std::string>& config_directory);

}  // namespace runclad::doctor
