// runcladctl doctor.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runclad/doctor/doctor.hpp"

#include "commands.hpp"

namespace runclad::ctl {

struct DoctorRequest {
  std::vector<std::string> only;
  bool json = false;
  bool list = false;
  bool daily = false;   // lines for the system log, with their priorities as systemd reads them
  std::string program;  // runclad's; empty: the one installed with this program
  std::optional<std::string> config_directory;
  std::optional<std::string> inside;  // the probe in its container: the host's namespaces
  unsigned limit = 5;                 // seconds for each question to an engine
};

// What is found, or the list of the checks. The status is 0, 1, 2 or 3 for fine, warning, critical
// and unknown.
Result<Output> Doctor(const DoctorRequest& request, const Style& style);

}  // namespace runclad::ctl
