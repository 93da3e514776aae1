// runcladctl status: a host on one screen.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runclad/store/probes.hpp"

#include "commands.hpp"

namespace runclad::ctl {

struct StatusRequest {
  bool json = false;
  std::string program;  // runclad's; empty: the one installed with this program
  std::optional<std::string> config_directory;
  std::string state = store::kStateDirectory;
  unsigned limit = 5;  // seconds for each question to an engine
};

// Engines, containers, the policy, waivers that end soon, and what was decided today.
Result<Output> ShowStatus(const StatusRequest& request, const Style& style);

// What the log says of one day.
struct DayOfLog {
  std::map<std::string, std::uint64_t> outcomes;  // "refused", "would-refuse", …
  std::uint64_t warned = 0;                       // decisions with a warning, which were let pass
  std::vector<std::string> refusals;              // the last ones: "web: host-mounts, privileged"
  std::uint64_t probes = 0;  // decisions about doctor's own containers, which are not above
};

// Counts a line of the log if it is of `day` ("2026-11-26").
void CountLine(const std::string& line, const std::string& day, const store::Probes& probes,
               DayOfLog& counts);

}  // namespace runclad::ctl
