// The parts of Facts, which are gathered only where a check needs them.
#pragma once

#include <span>
#include <string>

#include "runclad/doctor/doctor.hpp"

namespace runclad::doctor {

enum Section : unsigned {
  kRoads = 1U << 0U,
  kPolicy = 1U << 1U,
  kLog = 1U << 2U,
  kRuntime = 1U << 3U,
  kKernel = 1U << 4U,
  kPrograms = 1U << 5U,
  kProbe = 1U << 6U,
  kAcknowledgements = 1U << 7U,  // how they fit what the other checks found, so these come first
};

std::span<const Check> RoadChecks();
std::span<const Check> PolicyChecks();
std::span<const Check> LogChecks();
std::span<const Check> RuntimeChecks();
std::span<const Check> KernelChecks();
std::span<const Check> ProgramChecks();
std::span<const Check> ProbeChecks();

// `root`: "" but for tests.
PolicyFacts GatherPolicy(const Options& options);
// The log, and the target that it is forwarded to.
std::vector<LogFacts> GatherLogs(const Options& options, const std::string& root = {});
KernelFacts GatherKernel(const std::string& root = {});
ProgramFacts GatherPrograms(const Options& options, const LowerRuntimeFacts& runtime,
                            const std::string& root = {});
Promised GatherPromised(const Options& options);
// A container of each engine whose default is runclad, and what is expected to be refused.
std::vector<ProbeFacts> RunProbes(const RoadFacts& roads, const Promised& promised);
// What is configured to use runclad and cannot be probed: pods of CRI-O, steps of BuildKit's
// builds.
std::vector<ProbeFacts> Unprobed(const RoadFacts& roads);

}  // namespace runclad::doctor
