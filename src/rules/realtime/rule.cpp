// realtime: no process takes the processor, the disks or the last memory from all others.
#include "runclad/rules/rule.hpp"

#include <algorithm>
#include <string_view>

#include "runclad/policy/table.hpp"

#include "rules/binding.hpp"

namespace runclad::rules {
namespace {

constexpr std::int64_t kLowest = -1000;  // OOM_SCORE_ADJ_MIN

struct Parameters {
  std::int64_t oom_minimum = 0;
};

constexpr auto kParameters = policy::TableOf<Parameters>({
    {&Parameters::oom_minimum,
     {.name = "oom-minimum",
      .description = "the lowest oomScoreAdj that may be requested; the values that a kubelet sets "
                     "for pods are allowed",
      .order = policy::Order::kFewerIsLooser,
      .docker_default = std::int64_t{0},
      .minimum = kLowest,
      .maximum = 1000}},
});

constexpr Code kScheduler{"scheduler", "a realtime scheduling policy is requested",
                          Symptom::kLimited};
constexpr Code kNice{"nice", "a nice value below 0 is requested", Symptom::kLimited};
constexpr Code kIoClass{"io-class", "the realtime I/O class is requested", Symptom::kLimited};
constexpr Code kOomScore{"oom-score", "oomScoreAdj is below oom-minimum", Symptom::kLimited};
constexpr Code kCodes[] = {kScheduler, kNice, kIoClass, kOomScore};

// The kubelet gives guaranteed and critical pods -997, and a sandbox gets -998; the user who
// requests a pod does not choose the number.
constexpr std::int64_t kLowestOfKubelet = -998;

void CheckScheduler(const oci::Scheduler& scheduler, Findings& findings) {
  constexpr std::string_view kRealtime[] = {"SCHED_FIFO", "SCHED_RR", "SCHED_DEADLINE"};
  if (std::ranges::find(kRealtime, scheduler.policy) != std::end(kRealtime)) {
    findings.push_back(ProposeRemove(kScheduler, "/process/scheduler",
                                     "runs before every ordinary process of the host",
                                     AskEngine("do not request a realtime scheduling policy")));
  } else if (scheduler.nice < 0) {
    findings.push_back(Propose(kNice, "/process/scheduler/nice", 0,
                               "takes CPU time from the host's own services",
                               AskEngine("request a nice value of 0 or more")));
  }
}

Findings Check(const oci::Spec& spec, const Context& context, const engine::Identity& identity) {
  Findings findings;
  if (const auto scheduler = spec.scheduler()) CheckScheduler(*scheduler, findings);
  if (const auto priority = spec.io_priority();
      priority && priority->io_class == "IOPRIO_CLASS_RT") {
    findings.push_back(ProposeRemove(kIoClass, "/process/ioPriority",
                                     "gives its I/O precedence over all other processes",
                                     AskEngine("request another I/O class")));
  }
  const bool is_managed_by_kubelet = identity.engine == engine::Engine::kCrio ||
                                     !identity.pod_namespace.empty() || identity.is_sandbox;
  std::int64_t minimum = kParameters.Read(context.parameters).oom_minimum;
  if (is_managed_by_kubelet) minimum = std::min(minimum, kLowestOfKubelet);
  if (const auto adjustment = spec.oom_score_adjustment(); adjustment && *adjustment < minimum) {
    findings.push_back(
        Propose(kOomScore, "/process/oomScoreAdj", minimum,
                "lets the kernel kill the host's own services before it",
                SetTo(kParameters[&Parameters::oom_minimum], std::max(*adjustment, kLowest))));
  }
  return findings;
}

constexpr std::string_view kPaths[] = {"/process/scheduler", "/process/ioPriority",
                                       "/process/oomScoreAdj"};
constexpr policy::Action kActions[] = {policy::Action::kFix, policy::Action::kRefuse,
                                       policy::Action::kWarn, policy::Action::kOff};

}  // namespace

extern constinit const Rule kRealtime{
    .schema = {.id = "realtime", .actions = kActions, .parameters = kParameters.schemas()},
    .title = "No priority over the host's own processes",
    .rationale =
        "A process with a realtime scheduling policy or I/O class takes precedence over every "
        "ordinary process, including those that run the host, and is not subject to cgroup limits. "
        "A process with a low oomScoreAdj survives while the kernel kills others when memory runs "
        "out.",
    .way_out = "request less from the engine, or lower realtime.oom-minimum",
    .codes = kCodes,
    .benchmarks = {},
    .paths = kPaths,
    .scope = Scope::kProcess,
    .check = Bind<Check>(),
};

}  // namespace runclad::rules
