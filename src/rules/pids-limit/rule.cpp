// pids-limit: a container cannot fill the host's table of processes (CIS 5.29).
#include "runclad/rules/rule.hpp"

#include <algorithm>
#include <cstdint>

#include "runclad/policy/table.hpp"

#include "rules/binding.hpp"
#include "rules/limit_parameter.hpp"
#include "rules/limit_text.hpp"

namespace runclad::rules {
namespace {

constexpr const char* kLimit = "/linux/resources/pids/limit";
constexpr const char* kUnified = "/linux/resources/unified/pids.max";

constexpr std::int64_t kMost = 4194304;  // PID_MAX_LIMIT

struct Parameters {
  std::int64_t default_limit = 0;
  std::int64_t maximum = 0;
};

constexpr auto kParameters = policy::TableOf<Parameters>({
    {&Parameters::default_limit,
     LimitParameter("default", kMost,
                    "process and thread limit for a container that requests none")},
    {&Parameters::maximum,
     LimitParameter("maximum", kMost,
                    "highest process and thread limit that a container may request")},
});

constexpr Code kUnlimited{"unlimited", "the container has no process limit"};
constexpr Code kAboveMaximum{"above-maximum", "the limit is above the policy's maximum",
                             Symptom::kLimited};
constexpr Code kUnifiedAboveMaximum{"unified-above-maximum",
                                    "pids.max of cgroup v2 is not known to be within the maximum",
                                    Symptom::kLimited};
constexpr Code kCodes[] = {kUnlimited, kAboveMaximum, kUnifiedAboveMaximum};

// The maximum that `limit` would need; kMost is the largest that a policy can say.
Remedy RaiseTo(std::int64_t limit) {
  return SetTo(kParameters[&Parameters::maximum], std::min(limit, kMost));
}

// It is not known how many a container without a requested number needs: a multiple of the default
// would be a guess. The rule's way out says what to ask for.

// What replaces a limit that is missing or unlimited (0, -1) is the default, what replaces one that
// is too large, or an update's unlimited, the maximum.
void CheckLimit(const oci::Spec& spec, bool is_update, const Parameters& parameters,
                Findings& findings) {
  const std::int64_t maximum = parameters.maximum;
  const auto limit = spec.resource("pids", "limit");
  if (is_update) {
    const bool stays = !limit || *limit == 0;  // not mentioned
    if (!stays && (*limit < 0 || *limit > maximum)) {
      findings.push_back(Propose(*limit < 0 ? kUnlimited : kAboveMaximum, kLimit, maximum,
                                 "is more than the container may have",
                                 *limit < 0 ? Remedy() : RaiseTo(*limit)));
    }
  } else if (!limit || *limit <= 0) {
    findings.push_back(Propose(kUnlimited, kLimit, parameters.default_limit,
                               "lets it create as many processes as the host can"));
  } else if (*limit > maximum) {
    findings.push_back(
        Propose(kAboveMaximum, kLimit, maximum, "is above the maximum", RaiseTo(*limit)));
  }
}

Findings Check(const oci::Spec& spec, const Context& context) {
  const Parameters parameters = kParameters.Read(context.parameters);
  Findings findings;
  CheckLimit(spec, context.is_update, parameters, findings);
  // Written after the limit, and therefore effective.
  const std::int64_t maximum = parameters.maximum;
  for (const auto& [name, text] : spec.unified_resources()) {
    if (name != "pids.max") continue;
    const auto number = PlainNumber(text);
    if (number && *number <= maximum) continue;
    findings.push_back(Propose(kUnifiedAboveMaximum, kUnified, std::to_string(maximum),
                               "is above the maximum",
                               number ? RaiseTo(*number) : AskEngine(kAskForPlainNumber)));
  }
  return findings;
}

constexpr std::string_view kBenchmarks[] = {"CIS 5.29"};
constexpr std::string_view kPaths[] = {kLimit, kUnified};
constexpr policy::Action kActions[] = {policy::Action::kFix, policy::Action::kRefuse,
                                       policy::Action::kWarn, policy::Action::kOff};

}  // namespace

extern constinit const Rule kPidsLimit{
    .schema = {.id = "pids-limit", .actions = kActions, .parameters = kParameters.schemas()},
    .title = "Process limit",
    .rationale =
        "A fork bomb in one container uses up all process ids of the host, and nobody can log in "
        "to stop it. Engines set no limit by default, or only as an option.",
    .way_out =
        "request a number (docker run --pids-limit); raise pids-limit.maximum, and "
        "pids-limit.default for containers that request none",
    .codes = kCodes,
    .benchmarks = kBenchmarks,
    .paths = kPaths,
    .scope = Scope::kContainer,
    .judges_updates = true,
    .check = Bind<Check>(),
};

}  // namespace runclad::rules
