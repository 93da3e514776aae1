// rlimits: a process's limits do not exceed the policy's maxima, and nothing dumps core (CIS 5.19).
#include "runclad/rules/rule.hpp"

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace runclad::rules {
namespace {

constexpr Code kAboveMaximum{"above-maximum", "a limit is above the policy's maximum"};
constexpr Code kCoreMissing{"core-missing", "no core file limit is requested"};
constexpr Code kCodes[] = {kAboveMaximum, kCoreMissing};

struct Limit {
  std::string_view type;  // the kernel's name
  std::string_view parameter;
};
constexpr Limit kCore = {"RLIMIT_CORE", "core"};
constexpr std::array<Limit, 5> kLimits = {{
    kCore,
    {"RLIMIT_NICE", "nice"},
    {"RLIMIT_NOFILE", "nofile"},
    {"RLIMIT_NPROC", "nproc"},
    {"RLIMIT_RTPRIO", "rtprio"},
}};

std::uint64_t MaximumOf(const Limit& limit, const Context& context) {
  return static_cast<std::uint64_t>(context.parameters.integer(limit.parameter));
}

// "unlimited" is above every number that a policy can say.
Remedy Raise(const Limit& limit, std::uint64_t asked) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
  if (asked > kMost) {
    return AskEngine("request a number (docker run --ulimit " + std::string(limit.parameter) +
                     "=N)");
  }
  return SetTo(limit.parameter, static_cast<std::int64_t>(asked));
}

Findings Check(const oci::Spec& spec, const Context& context) {
  if (!spec.has_process()) return {};
  Findings findings;
  const std::vector<oci::Rlimit> asked = spec.rlimits();
  bool has_core = false;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    has_core = has_core || asked[i].type == kCore.type;
    for (const Limit& limit : kLimits) {
      if (asked[i].type != limit.type) continue;
      const std::uint64_t maximum = MaximumOf(limit, context);
      const std::string path = "/process/rlimits/" + std::to_string(i);
      const std::string why =
          "is a " + std::string(limit.type) + " above rlimits." + std::string(limit.parameter);
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
  if (!has_core && MaximumOf(kCore, context) == 0) {
    // Who wants core files asks for them, and gets the number in that finding's remedy.
    findings.push_back(
        ProposeInsert(kCoreMissing, "/process/rlimits/" + std::to_string(asked.size()),
                      oci::ToJson(oci::Rlimit{std::string(kCore.type), 0, 0}),
                      "is missing: the memory of a process could be dumped to a file"));
  }
  return findings;
}

constexpr policy::ParameterSchema Maximum(std::string_view name, std::string_view description) {
  return {.name = name,
          .type = policy::ParameterType::kInteger,
          .merge = policy::Merge::kReplace,
          .vocabulary = policy::Vocabulary::kAny,
          .choices = {},
          .description = description,
          .order = policy::Order::kMoreIsLooser,
          .docker_default = policy::Anything{}};
}
constexpr policy::ParameterSchema kParameters[] = {
    Maximum(
        "core",
        "maximum size of a core file in bytes; with 0, a process without this limit gets it too"),
    Maximum("nice",
            "20 minus the lowest nice value that a process may give itself: up to 20, nice values "
            "are not below 0"),
    Maximum("nofile", "maximum number of open files of a process"),
    Maximum("nproc", "maximum number of processes of a user, on the whole host"),
    Maximum("rtprio", "highest realtime priority that a process may give itself"),
};
constexpr std::string_view kBenchmarks[] = {"CIS 5.19"};
constexpr std::string_view kPaths[] = {"/process/rlimits"};
constexpr policy::Action kActions[] = {policy::Action::kFix, policy::Action::kRefuse,
                                       policy::Action::kWarn, policy::Action::kOff};

}  // namespace

extern constinit const Rule kRlimits{
    .schema = {.id = "rlimits", .actions = kActions, .parameters = kParameters},
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
    .check = Check,
};

}  // namespace runclad::rules
