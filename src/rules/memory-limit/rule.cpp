// memory-limit: a container cannot take the host's memory (CIS 5.11).
#include "runclad/rules/rule.hpp"

#include <algorithm>
#include <cstdint>

#include "runclad/json/pointer.hpp"
#include "runclad/policy/table.hpp"

#include "rules/binding.hpp"
#include "rules/limit_parameter.hpp"
#include "rules/limit_text.hpp"

namespace runclad::rules {
namespace {

constexpr const char* kLimit = "/linux/resources/memory/limit";
constexpr const char* kSwap = "/linux/resources/memory/swap";
constexpr const char* kOom = "/linux/resources/memory/disableOOMKiller";
// No limit. Not 0: of two files the smaller number must be the stricter one.
constexpr std::int64_t kAny = std::int64_t{1} << 50U;

struct Parameters {
  std::int64_t default_limit = 0;
  std::int64_t maximum = 0;
};

constexpr auto kParameters = policy::TableOf<Parameters>({
    {&Parameters::default_limit,
     LimitParameter("default", kAny, "memory limit in bytes for a container that requests none",
                    /*has_unlimited=*/true)},
    {&Parameters::maximum,
     LimitParameter("maximum", kAny,
                    "highest memory limit in bytes that a container may request, and as much swap",
                    /*has_unlimited=*/true)},
});

constexpr Code kUnlimited{"unlimited", "the container has no memory limit"};
constexpr Code kAboveMaximum{"above-maximum", "the limit is above the policy's maximum",
                             Symptom::kLimited};
constexpr Code kSwapAboveMaximum{"swap-above-maximum",
                                 "memory and swap together are above twice the policy's maximum",
                                 Symptom::kLimited};
constexpr Code kUnified{"unified", "a file of cgroup v2 is not known to be within the maximum",
                        Symptom::kLimited};
constexpr Code kOomKiller{"oom-killer", "the kernel's OOM killer is disabled for the container"};
constexpr Code kCodes[] = {kUnlimited, kAboveMaximum, kSwapAboveMaximum, kUnified, kOomKiller};

// The maximum that `bytes` would need; kAny is the largest that a policy can say.
Remedy RaiseTo(std::int64_t bytes) {
  return SetTo(kParameters[&Parameters::maximum], std::min(bytes, kAny));
}

// Memory with swap: as much swap again as memory, as Docker gives.
std::int64_t WithSwap(std::int64_t maximum) { return 2 * maximum; }

void CheckLimit(const oci::Spec& spec, bool is_update, const Parameters& parameters,
                Findings& findings) {
  const std::int64_t maximum = parameters.maximum;
  const auto limit = spec.resource("memory", "limit");
  if (is_update && (!limit || *limit == 0)) return;  // not mentioned
  if (limit && *limit > 0) {
    if (maximum != kAny && *limit > maximum)
      findings.push_back(
          Propose(kAboveMaximum, kLimit, maximum, "is above the maximum", RaiseTo(*limit)));
    return;
  }
  // No number was asked for that a maximum could be raised to: the rule's way out says it all.
  std::int64_t wanted = maximum;
  if (!is_update) wanted = std::min(wanted, parameters.default_limit);
  if (wanted == kAny) {
    findings.push_back(Refuse(kUnlimited, kLimit, limit ? json::Value(*limit) : json::Value(),
                              "lets it take all of the host's memory"));
    return;
  }
  // What was asked for with swap is not to become more.
  const auto swap = spec.resource("memory", "swap");
  if (swap && *swap > 0) wanted = std::min(wanted, *swap);
  findings.push_back(Propose(kUnlimited, kLimit, wanted, "lets it take all of the host's memory"));
}

void CheckSwap(const oci::Spec& spec, std::int64_t maximum, Findings& findings) {
  const auto swap = spec.resource("memory", "swap");
  if (!swap || *swap == 0 || maximum == kAny) return;
  if (*swap > 0 && *swap <= WithSwap(maximum)) return;
  findings.push_back(Propose(kSwapAboveMaximum, kSwap, WithSwap(maximum),
                             "is, with swap, more than twice the maximum",
                             *swap > 0 ? RaiseTo(*swap / 2 + *swap % 2)
                                       : AskEngine("request a number (docker run --memory-swap)")));
}

void CheckUnified(const oci::Spec& spec, std::int64_t maximum, Findings& findings) {
  if (maximum == kAny) return;
  // The first two are limits; what the others reserve for the container is not available to others.
  constexpr std::string_view kFiles[] = {"memory.max", "memory.swap.max", "memory.low",
                                         "memory.min"};
  for (const auto& [name, text] : spec.unified_resources()) {
    if (std::ranges::find(kFiles, name) == std::ranges::end(kFiles)) continue;
    const auto number = PlainNumber(text);
    if (number && *number <= maximum) continue;
    findings.push_back(Propose(kUnified, "/linux/resources/unified/" + name,
                               std::to_string(maximum), "is not known to be below the maximum",
                               number ? RaiseTo(*number) : AskEngine(kAskForPlainNumber)));
  }
}

Findings Check(const oci::Spec& spec, const Context& context) {
  const Parameters parameters = kParameters.Read(context.parameters);
  Findings findings;
  CheckLimit(spec, context.is_update, parameters, findings);
  CheckSwap(spec, parameters.maximum, findings);
  CheckUnified(spec, parameters.maximum, findings);
  if (json::Get(spec.document(), kOom) == json::Value(true)) {
    findings.push_back(
        Propose(kOomKiller, kOom, false,
                "prevents the kernel from killing its processes when the host is out of memory",
                AskEngine("run it without --oom-kill-disable")));
  }
  return findings;
}

constexpr std::string_view kBenchmarks[] = {"CIS 5.11"};
constexpr std::string_view kPaths[] = {kLimit, kSwap, kOom, "/linux/resources/unified"};
constexpr policy::Action kActions[] = {policy::Action::kFix, policy::Action::kRefuse,
                                       policy::Action::kWarn, policy::Action::kOff};

}  // namespace

extern constinit const Rule kMemoryLimit{
    .schema = {.id = "memory-limit", .actions = kActions, .parameters = kParameters.schemas()},
    .title = "Memory limit",
    .rationale =
        "A container without a limit can make the host swap until it no longer responds. Only its "
        "owner knows how much a container needs: set the action fix and a default, or refuse "
        "containers without a limit.",
    .way_out = "give it a limit (docker run --memory), or set memory-limit.default and maximum",
    .codes = kCodes,
    .benchmarks = kBenchmarks,
    .paths = kPaths,
    .scope = Scope::kContainer,
    .judges_updates = true,
    .check = Bind<Check>(),
};

}  // namespace runclad::rules
