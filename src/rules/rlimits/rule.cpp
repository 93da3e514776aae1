// rlimits: a process's limits do not exceed the policy's maxima, and nothing dumps core (CIS 5.19).
#include "runclad/rules/rule.hpp"

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "runclad/policy/table.hpp"

#include "rules/binding.hpp"

namespace runclad::rules {
namespace {

struct Parameters {
  std::int64_t core = 0;
  std::int64_t nice = 0;
  std::int64_t nofile = 0;
  std::int64_t nproc = 0;
  std::int64_t rtprio = 0;
};

constexpr policy::ParameterSchema Maximum(std::string_view name, std::string_view description) {
  return {.name = name,
          .description = description,
          .order = policy::Order::kMoreIsLooser,
          .docker_default = policy::Anything{}};
}
constexpr auto kParameters = policy::TableOf<Parameters>({
    {&Parameters::core,
     Maximum(
         "core",
         "maximum size of a core file in bytes; with 0, a process without this limit gets it too")},
    {&Parameters::nice,
     Maximum("nice",
             "20 minus the lowest nice value that a process may give itself: up to 20, nice values "
             "are not below 0")},
    {&Parameters::nofile, Maximum("nofile", "maximum number of open files of a process")},
    {&Parameters::nproc,
     Maximum("nproc", "maximum number of processes of a user, on the whole host")},
    {&Parameters::rtprio,
     Maximum("rtprio", "highest realtime priority that a process may give itself")},
});

constexpr Code kAboveMaximum{"above-maximum", "a limit is above the policy's maximum",
                             Symptom::kLimited};
constexpr Code kCoreMissing{"core-missing", "no core file limit is requested"};
constexpr Code kCodes[] = {kAboveMaximum, kCoreMissing};

struct Limit {
  std::string_view type;  // the kernel's name
  std::int64_t Parameters::*maximum;
};
constexpr Limit kCore = {"RLIMIT_CORE", &Parameters::core};
constexpr std::array<Limit, 5> kLimits = {{
    kCore,
    {"RLIMIT_NICE", &Parameters::nice},
    {"RLIMIT_NOFILE", &Parameters::nofile},
    {"RLIMIT_NPROC", &Parameters::nproc},
    {"RLIMIT_RTPRIO", &Parameters::rtprio},
}};

std::uint64_t MaximumOf(const Limit& limit, const Parameters& parameters) {
  return static_cast<std::uint64_t>(parameters.*limit.maximum);
}

// "unlimited" is above every number that a policy can say.
Remedy Raise(const Limit& limit, std::uint64_t asked) {
  const policy::ParameterName parameter = kParameters[limit.maximum];
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
  if (asked > kMost) {
    return AskEngine("request a number (docker run --ulimit " + std::string(parameter.text()) +
                     "=N)");
  }
  return SetTo(parameter, static_cast<std::int64_t>(asked));
}

Findings Check(const oci::Spec& spec, const Context& context) {
  if (!spec.has_process()) return {};
  const Parameters parameters = kParameters.Read(context.parameters);
  Findings findings;
  const std::vector<oci::Rlimit> asked = spec.rlimits();
  bool has_core = false;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    has_core = has_core || asked[i].type == kCore.type;
    for (const Limit& limit : kLimits) {
      if (asked[i].type != limit.type) continue;
      const std::uint64_t maximum = MaximumOf(limit, parameters);
      const std::string path = "/process/rlimits/" + std::to_string(i);
      const std::string why = "is a " + std::string(limit.type) + " above rlimits." +
                              std::string(kParameters[limit.maximum].text());
      const auto lower = [&](const char* member, std::uint64_t number) {
        if (number <= maximum) return;
        findings.push_back(
            Propose(kAboveMaximum, path + member, maximum, why, Raise(limit, number)));
      };
      lower("/hard", asked[i].hard);
      lower("/soft", asked[i].soft);
    }
  }
  // What a container inherits where it names no limit is its engine's, and a number could be more
  // than that: only none at all never is.
  if (!has_core && parameters.core == 0) {
    // Who wants core files asks for them, and gets the number in that finding's remedy.
    findings.push_back(
        ProposeInsert(kCoreMissing, "/process/rlimits/" + std::to_string(asked.size()),
                      oci::ToJson(oci::Rlimit{std::string(kCore.type), 0, 0}),
                      "is missing: the memory of a process could be dumped to a file"));
  }
  return findings;
}

constexpr std::string_view kBenchmarks[] = {"CIS 5.19"};
constexpr std::string_view kPaths[] = {"/process/rlimits"};
constexpr policy::Action kActions[] = {policy::Action::kFix, policy::Action::kRefuse,
                                       policy::Action::kWarn, policy::Action::kOff};

}  // namespace

extern constinit const Rule kRlimits{
    .schema = {.id = "rlimits", .actions = kActions, .parameters = kParameters.schemas()},
    .title = "Process resource limits within the policy's, and no core files",
    .rationale =
        "High limits let a container use up shared resources of the host or give itself a realtime "
        "priority. A core file contains any secrets that the process had in memory. Limits are "
        "only ever lowered. (If the host's kernel.core_pattern is a pipe, that program gets every "
        "core regardless of the limit.)",
    .way_out = "raise the maximum of the rule rlimits",
    .codes = kCodes,
    .benchmarks = kBenchmarks,
    .paths = kPaths,
    .scope = Scope::kProcess,
    .check = Bind<Check>(),
};

}  // namespace runclad::rules
