// cpu-limit: a container cannot take the host's processors (CIS 5.12).
#include "runclad/rules/rule.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "runclad/policy/table.hpp"

#include "rules/binding.hpp"
#include "rules/limit_parameter.hpp"
#include "rules/limit_text.hpp"

namespace runclad::rules {
namespace {

constexpr const char* kQuota = "/linux/resources/cpu/quota";
constexpr const char* kPeriod = "/linux/resources/cpu/period";
constexpr const char* kBurst = "/linux/resources/cpu/burst";
constexpr const char* kShares = "/linux/resources/cpu/shares";
constexpr const char* kRealtime = "/linux/resources/cpu/realtimeRuntime";
constexpr std::int64_t kThousandths = 1000;
// No limit. Not 0: of two files the smaller number must be the stricter one.
constexpr std::int64_t kAny = 100'000'000;
constexpr std::int64_t kAnyShares = 262144;  // the kernel's most
// What the kernel takes, in microseconds: cpu.cfs_period_us, cpu.cfs_quota_us.
constexpr std::int64_t kDefaultPeriod = 100'000;
constexpr std::int64_t kLongestPeriod = 1'000'000;
constexpr std::int64_t kLeastQuota = 1000;

struct Parameters {
  std::int64_t default_limit = 0;
  std::int64_t maximum = 0;
  std::int64_t shares = 0;
};

constexpr auto kParameters = policy::TableOf<Parameters>({
    {&Parameters::default_limit,
     LimitParameter("default", kAny,
                    "CPU limit in thousandths of a CPU for a container that requests none",
                    /*has_unlimited=*/true)},
    {&Parameters::maximum,
     LimitParameter("maximum", kAny,
                    "highest CPU limit in thousandths of a CPU that a container may request",
                    /*has_unlimited=*/true)},
    {&Parameters::shares,
     LimitParameter("shares", kAnyShares,
                    "highest number of shares (2 to 262144) that a container may request")},
});

std::int64_t QuotaOf(std::int64_t thousandths, std::int64_t period) {
  return std::max(kLeastQuota, thousandths * std::min(period, kLongestPeriod) / kThousandths);
}

constexpr Code kIncomplete{"incomplete", "an update sets a quota or a period without the other"};
constexpr Code kAboveMaximum{"above-maximum", "more CPU time than the maximum is requested"};
constexpr Code kUnlimited{"unlimited", "no CPU limit is requested"};
constexpr Code kBurstCode{"burst", "a burst belongs to a quota that was lowered"};
constexpr Code kAboveShares{"above-shares",
                            "more shares, or a higher weight, than the parameter shares allows"};
constexpr Code kRealtimeCode{"realtime", "a realtime budget is requested"};
constexpr Code kNotPlain{"not-plain", "a limit for cgroup v2 is not written in plain numbers"};
constexpr Code kNice{"nice", "a weight is requested as a nice value"};
constexpr Code kCodes[] = {kIncomplete,  kAboveMaximum, kUnlimited, kBurstCode,
                           kAboveShares, kRealtimeCode, kNotPlain,  kNice};

// value * factor / divisor, rounded up so that no less is let pass, and at most `most`.
std::int64_t RoundedUp(std::int64_t value, std::int64_t factor, std::int64_t divisor,
                       std::int64_t most) {
  if (value >= most / factor * divisor) return most;
  return std::min(most, (value * factor + divisor - 1) / divisor);
}

// The maximum that lets `quota` pass.
Remedy MaximumFor(std::int64_t quota, std::int64_t period) {
  return SetTo(kParameters[&Parameters::maximum],
               RoundedUp(quota, kThousandths, std::min(period, kLongestPeriod), kAny));
}

// No setting lets a container have all of the processors: whoever needs more has to say how much.
Remedy NamingLimit() {
  return AskEngine("request what it needs with --cpus (a pod: resources.limits.cpu)");
}

// 0 reads as "not mentioned" in an update, and as the kernel's default elsewhere.
std::int64_t Number(const oci::Spec& spec, std::string_view name) {
  return spec.resource("cpu", name).value_or(0);
}

void CheckQuota(const oci::Spec& spec, bool is_update, const Parameters& parameters,
                Findings& findings) {
  const std::int64_t maximum = parameters.maximum;
  const std::int64_t quota = Number(spec, "quota");
  const std::int64_t period = Number(spec, "period");
  if (is_update) {
    if (quota == 0 && period == 0) return;
    // Neither means anything without the other, which only the lower runtime knows.
    if (maximum < kAny && (quota == 0 || period == 0)) {
      const bool has_quota = quota != 0;
      findings.push_back(Refuse(kIncomplete, has_quota ? kQuota : kPeriod,
                                has_quota ? quota : period,
                                has_quota ? "comes without the period that it belongs to"
                                          : "comes without the quota that belongs to it",
                                AskEngine("change both at once, --cpu-quota and --cpu-period")));
      return;
    }
  }
  const std::int64_t counted = period > 0 ? period : kDefaultPeriod;
  if (quota > 0) {
    if (maximum < kAny && quota > QuotaOf(maximum, counted)) {
      findings.push_back(Propose(kAboveMaximum, kQuota, QuotaOf(maximum, counted),
                                 "is above the maximum", MaximumFor(quota, counted)));
    }
    return;
  }
  std::int64_t wanted = maximum;
  if (!is_update) wanted = std::min(wanted, parameters.default_limit);
  if (wanted < kAny) {
    findings.push_back(Propose(kUnlimited, kQuota, QuotaOf(wanted, counted),
                               "lets it take all of the host's CPU time", NamingLimit()));
  } else {
    findings.push_back(Refuse(kUnlimited, kQuota, quota == 0 ? json::Value() : json::Value(quota),
                              "lets it take all of the host's CPU time", NamingLimit()));
  }
}

// The kernel takes no burst above the quota.
void CheckBurst(const oci::Spec& spec, Findings& findings) {
  const auto lowered = std::ranges::find(findings, kQuota, &Finding::path);
  const std::int64_t burst = Number(spec, "burst");
  if (burst == 0 || lowered == findings.end() || !lowered->has_safe_form()) return;
  Remedy remedy = lowered->remedy;  // what lets the quota be lets the burst be
  findings.push_back(
      Propose(kBurstCode, kBurst, std::int64_t{0}, "belongs to another quota", std::move(remedy)));
}

// "QUOTA PERIOD" of cpu.max in thousandths of a processor; nothing where it is unlimited or written
// in another way.
std::optional<std::int64_t> Thousandths(std::string_view text) {
  const std::size_t blank = text.find(' ');
  const auto quota = PlainNumber(text.substr(0, blank));
  const auto period = blank == std::string_view::npos ? std::optional(kDefaultPeriod)
                                                      : PlainNumber(text.substr(blank + 1));
  constexpr std::int64_t kLargest = std::int64_t{1} << 50U;
  if (!quota || !period || *period == 0 || *quota > kLargest) return std::nullopt;
  return (*quota * kThousandths + *period - 1) / *period;
}

// How runc and crun turn shares into cpu.weight.
constexpr std::int64_t kMostWeight = 10000;
std::int64_t WeightOf(std::int64_t shares) {
  return 1 + (shares - 2) * (kMostWeight - 1) / (kAnyShares - 2);
}

// The shares that let `weight` pass.
Remedy SharesFor(std::int64_t weight) {
  return SetTo(kParameters[&Parameters::shares],
               2 + RoundedUp(weight - 1, kAnyShares - 2, kMostWeight - 1, kAnyShares - 2));
}

void CheckUnified(const oci::Spec& spec, const Parameters& parameters, Findings& findings) {
  const std::int64_t maximum = parameters.maximum;
  const std::int64_t shares = parameters.shares;
  const std::string prefix = "/linux/resources/unified/";
  const auto write_plainly = AskEngine("write it in plain decimal numbers");
  for (const auto& [name, text] : spec.unified_resources()) {
    if (name == "cpu.max" && maximum < kAny) {
      const auto thousandths = Thousandths(text);
      if (thousandths && *thousandths <= maximum) continue;
      std::string left =
          std::to_string(QuotaOf(maximum, kDefaultPeriod)) + " " + std::to_string(kDefaultPeriod);
      constexpr const char* kWhy = "is not known to be below the maximum";
      const bool is_unlimited = text == "max" || text.starts_with("max ");
      if (thousandths || is_unlimited) {
        const std::int64_t needed = is_unlimited ? kAny : std::min(*thousandths, kAny);
        findings.push_back(Propose(kAboveMaximum, prefix + name, std::move(left), kWhy,
                                   SetTo(kParameters[&Parameters::maximum], needed)));
      } else {
        findings.push_back(Propose(kNotPlain, prefix + name, std::move(left), kWhy, write_plainly));
      }
    } else if (name == "cpu.weight" && shares < kAnyShares) {
      const auto weight = PlainNumber(text);
      if (weight && *weight <= WeightOf(shares)) continue;
      findings.push_back(Propose(
          weight ? kAboveShares : kNotPlain, prefix + name, std::to_string(WeightOf(shares)),
          "is more than its allowed shares", weight ? SharesFor(*weight) : write_plainly));
    } else if (name == "cpu.weight.nice" && shares < kAnyShares) {
      findings.push_back(
          ProposeRemove(kNice, prefix + name, "is a weight in another form",
                        AskEngine("request the weight as cpu.weight or --cpu-shares")));
    }
  }
}

Findings Check(const oci::Spec& spec, const Context& context) {
  const Parameters parameters = kParameters.Read(context.parameters);
  const std::int64_t shares = parameters.shares;
  Findings findings;
  CheckQuota(spec, context.is_update, parameters, findings);
  CheckBurst(spec, findings);
  if (shares < kAnyShares && Number(spec, "shares") > shares) {
    findings.push_back(Propose(
        kAboveShares, kShares, shares, "is more than it may have",
        SetTo(kParameters[&Parameters::shares], std::min(Number(spec, "shares"), kAnyShares))));
  }
  if (Number(spec, "realtimeRuntime") != 0) {
    findings.push_back(
        ProposeRemove(kRealtimeCode, kRealtime, "lets nothing else run during that time",
                      NoRemedy("a realtime budget makes even the kernel's own threads wait")));
  }
  CheckUnified(spec, parameters, findings);
  return findings;
}

constexpr std::string_view kBenchmarks[] = {"CIS 5.12"};
constexpr std::string_view kPaths[] = {kQuota,  kPeriod,   kBurst,
                                       kShares, kRealtime, "/linux/resources/unified"};
constexpr policy::Action kActions[] = {policy::Action::kFix, policy::Action::kRefuse,
                                       policy::Action::kWarn, policy::Action::kOff};

}  // namespace

extern constinit const Rule kCpuLimit{
    .schema = {.id = "cpu-limit", .actions = kActions, .parameters = kParameters.schemas()},
    .title = "CPU time limit",
    .rationale =
        "A container without a limit slows down every other one, and a realtime budget makes even "
        "the kernel's own threads wait. Only its owner knows how much a container needs: set the "
        "action fix and a default, or refuse containers without a limit.",
    .way_out = "give it a limit (docker run --cpus), or set cpu-limit.default and maximum",
    .codes = kCodes,
    .benchmarks = kBenchmarks,
    .paths = kPaths,
    .scope = Scope::kContainer,
    .judges_updates = true,
    .check = Bind<Check>(),
};

}  // namespace runclad::rules
