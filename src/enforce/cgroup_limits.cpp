#include "cgroup_limits.hpp"

#include <optional>
#include <string>

#include "runclad/sys/cgroups.hpp"

namespace runclad::enforce {
namespace {

Status Hold(const char* what, std::int64_t promised, const std::optional<std::string>& text) {
  if (!text) return Error{std::string("its limit of ") + what + " cannot be read"};
  if (sys::LimitIn(*text) <= promised) return {};
  return Error{std::string("its limit of ") + what + " is " + text->substr(0, text->find('\n')) +
               ", but the record has " + std::to_string(promised)};
}

// Processors in hundredths, rounded up: systemd knows no smaller parts.
std::int64_t Hundredths(std::int64_t quota, std::int64_t period) {
  constexpr std::int64_t kHundred = 100;
  if (period <= 0 || quota > sys::kNoLimit / kHundred) return sys::kNoLimit;
  return (quota * kHundred + period - 1) / period;
}

Status HoldCpu(const PromisedLimits& promised, const sys::Cgroups& cgroups) {
  constexpr std::int64_t kDefaultPeriod = 100000;
  const auto quota = cgroups.Read("cpu", "cpu.cfs_quota_us", "cpu.max");
  if (!quota) return Error{"its CPU limit cannot be read"};
  // cpu.max has the period behind the quota.
  std::optional<std::string> period = quota;
  std::size_t blank = quota->find(' ');
  if (blank == std::string::npos) {
    period = cgroups.Read("cpu", "cpu.cfs_period_us", "cpu.max");
    blank = 0;
  }
  const std::int64_t actual_period =
      period ? sys::LimitIn(std::string_view(*period).substr(blank == 0 ? 0 : blank + 1)) : 0;
  const std::int64_t promised_period =
      promised.cpu_period > 0 ? promised.cpu_period : kDefaultPeriod;
  if (Hundredths(sys::LimitIn(*quota), actual_period) <=
      Hundredths(promised.cpu_quota, promised_period)) {
    return {};
  }
  return Error{"its CPU limit is " + quota->substr(0, quota->find('\n')) + " µs per " +
               std::to_string(actual_period) + ", but the record has " +
               std::to_string(promised.cpu_quota) + " of " + std::to_string(promised_period)};
}

}  // namespace

Status VerifyLimits(const PromisedLimits& promised, std::string_view cgroups,
                    const sys::MountTable& host) {
  const sys::Cgroups own(cgroups, host);
  if (promised.memory > 0) {
    const auto text = own.Read("memory", "memory.limit_in_bytes", "memory.max");
    if (auto held = Hold("memory", promised.memory, text); !held) return held;
  }
  if (promised.pids > 0) {
    if (auto held = Hold("processes", promised.pids, own.Read("pids", "pids.max", "pids.max"));
        !held) {
      return held;
    }
  }
  return promised.cpu_quota > 0 ? HoldCpu(promised, own) : Status();
}

}  // namespace runclad::enforce
