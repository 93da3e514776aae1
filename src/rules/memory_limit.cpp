// memory-limit: a container cannot take the host's memory (CIS 5.11).
#include <algorithm>
#include <cstdint>

#include "runclad/json/pointer.hpp"
#include "runclad/rules/rule.hpp"

#include "limit_parameter.hpp"
#include "limit_text.hpp"

namespace runclad::rules {
namespace {

constexpr const char* kLimit = "/linux/resources/memory/limit";
constexpr const char* kSwap = "/linux/resources/memory/swap";
constexpr const char* kOom = "/linux/resources/memory/disableOOMKiller";
// No limit. Not 0: of two files the smaller number must be the stricter one.
constexpr std::int64_t kAny = std::int64_t{1} << 50U;

// Memory with swap: as much swap again as memory, as Docker gives.
std::int64_t WithSwap(std::int64_t maximum) { return 2 * maximum; }

void CheckLimit(const oci::Spec& spec, const Context& context, std::int64_t maximum,
                Findings& findings) {
  const auto limit = spec.resource("memory", "limit");
  if (context.is_update && (!limit || *limit == 0)) return;  // not mentioned
  if (limit && *limit > 0) {
    if (maximum != kAny && *limit > maximum)
      findings.push_back(Propose(kLimit, maximum, "is above the maximum"));
    return;
  }
  std::int64_t wanted = maximum;
  if (!context.is_update) wanted = std::min(wanted, context.parameters.integer("default"));
  if (wanted == kAny) {
    findings.push_back(Refuse(kLimit, limit ? json::Value(*limit) : json::Value(),
                              "lets it take all of the host's memory"));
    return;
  }
  // What was asked for with swap is not to become more.
  const auto swap = spec.resource("memory", "swap");
  if (swap && *swap > 0) wanted = std::min(wanted, *swap);
  findings.push_back(Propose(kLimit, wanted, "lets it take all of the host's memory"));
}

void CheckSwap(const oci::Spec& spec, std::int64_t maximum, Findings& findings) {
  const auto swap = spec.resource("memory", "swap");
  if (!swap || *swap == 0 || maximum == kAny) return;
  if (*swap > 0 && *swap <= WithSwap(maximum)) return;
  findings.push_back(
      Propose(kSwap, WithSwap(maximum), "is more than twice the maximum, with swap"));
}

void CheckUnified(const oci::Spec& spec, std::int64_t maximum, Findings& findings) {
  if (maximum == kAny) return;
  // The first two are limits; what the others promise the container, nobody else gets.
  constexpr std::string_view kFiles[] = {"memory.max", "memory.swap.max", "memory.low",
                                         "memory.min"};
  for (const auto& [name, text] : spec.unified_resources()) {
    if (std::ranges::find(kFiles, name) == std::ranges::end(kFiles)) continue;
    const auto number = PlainNumber(text);
    if (number && *number <= maximum) continue;
    findings.push_back(Propose("/linux/resources/unified/" + name, std::to_string(maximum),
                               "is not known to be below the maximum"));
  }
}

Findings Check(const oci::Spec& spec, const Context& context) {
  const std::int64_t maximum = context.parameters.integer("maximum");
  Findings findings;
  CheckLimit(spec, context, maximum, findings);
  CheckSwap(spec, maximum, findings);
  CheckUnified(spec, maximum, findings);
  if (json::Get(spec.document(), kOom) == json::Value(true)) {
    findings.push_back(
        Propose(kOom, false, "leaves a host that is out of memory nothing of it to end"));
  }
  return findings;
}

constexpr policy::ParameterSchema kParameters[] = {
    LimitParameter("default", kAny,
                   "bytes of a container that asks for no limit; 1125899906842624 (2^50): none"),
    LimitParameter("maximum", kAny,
                   "bytes that a container may ask for, and as much swap; 1125899906842624: any"),
};
constexpr std::string_view kBenchmarks[] = {"CIS 5.11"};
constexpr std::string_view kPaths[] = {kLimit, kSwap, kOom, "/linux/resources/unified"};
constexpr policy::Action kActions[] = {policy::Action::kFix, policy::Action::kRefuse,
                                       policy::Action::kWarn, policy::Action::kOff};

}  // namespace

extern constinit const Rule kMemoryLimit{
    .schema = {.id = "memory-limit", .actions = kActions, .parameters = kParameters},
    .title = "A limit of memory",
    .rationale =
        "A container without a limit can make the host swap until nothing answers. How much each "
        "needs only its owner knows: say so with fix and a default, or refuse those without one.",
    .way_out = "give it a limit (docker run --memory), or set memory-limit.default and maximum",
    .benchmarks = kBenchmarks,
    .paths = kPaths,
    .scope = Scope::kContainer,
    .judges_updates = true,
    .check = Check,
};

}  // namespace runclad::rules
