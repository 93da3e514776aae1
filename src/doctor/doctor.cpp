#include "runclad/doctor/doctor.hpp"

#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "runclad/base/spelling.hpp"
#include "runclad/enforce/host_policy.hpp"
#include "runclad/policy/effective.hpp"

#include "acknowledged.hpp"
#include "sections.hpp"

namespace runclad::doctor {
namespace {

std::vector<Check> AllChecks() {
  std::vector<Check> all;
  for (const auto& checks : {RoadChecks(), PolicyChecks(), LogChecks(), RuntimeChecks(),
                             KernelChecks(), ProgramChecks(), ProbeChecks()})
    all.insert(all.end(), checks.begin(), checks.end());
  return all;
}

bool IsChosen(const Check& check, const std::vector<std::string>& only) {
  return only.empty() || std::ranges::any_of(only, [&](const std::string& name) {
           return name == check.id || name == check.category();
         });
}

Status CheckNames(const std::vector<std::string>& only) {
  std::vector<std::string_view> names;
  for (const Check& check : Checks()) {
    if (names.empty() || std::ranges::find(names, check.category()) == names.end()) {
      names.push_back(check.category());
    }
    names.push_back(check.id);
  }
  for (const std::string& name : only) {
    if (std::ranges::find(names, name) != names.end()) continue;
    return Error{"there is no check or category " + Quoted(name) + Suggestion(name, names) +
                 "; runcladctl doctor --list lists them"};
  }
  return {};
}

}  // namespace

std::string_view Name(Level level) {
  constexpr std::string_view kNames[] = {"fine", "warning", "critical", "unknown"};
  return kNames[static_cast<std::size_t>(level)];
}

int StatusOf(Level level) { return static_cast<int>(level); }

Level Worse(Level left, Level right) {
  constexpr Level kOrder[] = {Level::kFine, Level::kWarning, Level::kUnknown, Level::kCritical};
  const auto* one = std::ranges::find(kOrder, left);
  const auto* other = std::ranges::find(kOrder, right);
  return std::max(one, other)[0];
}

Level CheckResult::level() const {
  Level worst = Level::kFine;
  for (const Finding& finding : findings) {
    if (finding.acknowledged.empty()) worst = Worse(worst, finding.level);
  }
  return worst;
}

bool Examination::is_proven() const {
  return !probes.empty() && std::ranges::all_of(probes, [](const ProbeFacts& probe) {
    return probe.unproven.empty();
  });
}

Level LevelOf(const std::vector<CheckResult>& results) {
  Level worst = Level::kFine;
  for (const CheckResult& result : results) worst = Worse(worst, result.level());
  return worst;
}

std::span<const Check> Checks() {
  static const std::vector<Check> all = AllChecks();
  return all;
}

Result<Examination> Examine(const Options& options) {
  if (auto status = CheckNames(options.only); !status) return status.error();
  if (::geteuid() != 0) return Error{"only root can see what doctor looks at"};
  const std::string directory =
      options.config_directory.value_or(std::string(policy::kDefaultConfigDirectory));
  const auto acknowledgements = ReadAcknowledgements(directory);
  Examination examination;
  unsigned needs = 0;
  for (const Check& check : Checks()) {
    if (!IsChosen(check, options.only)) continue;
    examination.results.push_back({&check, {}});
    needs |= check.needs;
  }
  Facts facts;
  if ((needs & (kRoads | kProbe)) != 0) {
    facts.roads = GatherRoads(options.program, options.limit);
  }
  if ((needs & kPolicy) != 0) facts.policy = GatherPolicy(options);
  if ((needs & kLog) != 0) facts.logs = GatherLogs(options);
  if ((needs & (kRuntime | kPrograms)) != 0) facts.runtime = GatherRuntime(options);
  if ((needs & kKernel) != 0) facts.kernel = GatherKernel();
  if ((needs & kPrograms) != 0) facts.programs = GatherPrograms(options, facts.runtime);
  if ((needs & kProbe) != 0) {
    facts.promised = GatherPromised(options);
    facts.probes = RunProbes(facts.roads, facts.promised);
    std::ranges::move(Unprobed(facts.roads), std::back_inserter(facts.probes));
  }
  for (CheckResult& result : examination.results) result.findings = result.check->find(facts);
  if (acknowledgements) {
    facts.policy.acknowledgements =
        Acknowledge(*acknowledgements, enforce::Today(), options.only.empty(), examination.results);
  } else {
    facts.policy.acknowledgements = {
        {directory, "nothing is acknowledged: " + acknowledgements.error().message}};
  }
  for (CheckResult& result : examination.results) {
    if ((result.check->needs & kAcknowledgements) != 0) result.findings = result.check->find(facts);
  }
  examination.probes = std::move(facts.probes);
  return examination;
}

RoadCount CountOpenRoads(const std::string& program, std::chrono::seconds limit) {
  Facts facts;
  facts.roads = GatherRoads(program, limit);
  RoadCount count;
  for (const Check& check : RoadChecks()) {
    for (const Finding& finding : check.find(facts)) {
      if (finding.level == Level::kUnknown) {
        count.is_complete = false;
      } else {
        ++count.open;
      }
    }
  }
  return count;
}

}  // namespace runclad::doctor
