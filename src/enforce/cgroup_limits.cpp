#include "cgroup_limits.hpp"

#include <fcntl.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runclad/sys/file.hpp"

namespace runclad::enforce {
namespace {

constexpr std::int64_t kUnlimited = std::numeric_limits<std::int64_t>::max();

bool HasWord(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    const std::string_view next = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), next.size() + 1));
    if (next == word) return true;
  }
  return false;
}

// Directories of the container's cgroups.
class Cgroups {
 public:
  Cgroups(std::string_view text, const sys::MountTable& host) : host_(host) {
    // hierarchy:controllers:path, version 2 without controllers (cgroups(7))
    while (!text.empty()) {
      const std::string_view line = text.substr(0, text.find('\n'));
      text.remove_prefix(std::min(text.size(), line.size() + 1));
      const std::size_t first = line.find(':');
      const std::size_t second = line.find(':', first + 1);
      if (second == std::string_view::npos) continue;
      lines_.emplace_back(line.substr(first + 1, second - first - 1), line.substr(second + 1));
    }
  }

  // The words of a file of the controller: `v1` where it is in a hierarchy of its own, else `v2`.
  [[nodiscard]] std::optional<std::string> Read(std::string_view controller, const char* v1,
                                                const char* v2) const {
    for (const auto& [controllers, path] : lines_) {
      if (!HasWord(controllers, controller)) continue;
      if (auto text = ReadIn("cgroup", controller, path, v1)) return text;
    }
    for (const auto& [controllers, path] : lines_) {
      if (controllers.empty()) return ReadIn("cgroup2", {}, path, v2);
    }
    return std::nullopt;
  }

 private:
  [[nodiscard]] std::optional<std::string> ReadIn(std::string_view type,
                                                  std::string_view controller,
                                                  std::string_view path, const char* name) const {
    constexpr std::size_t kMaxBytes = 4096;
    for (const sys::Mount& mount : host_.mounts()) {
      if (mount.type() != type) continue;
      const std::string_view options = mount.tail.substr(mount.tail.rfind(' ') + 1);
      if (!controller.empty() && !HasWord(options, controller)) continue;
      const auto rest = sys::Below(path, mount.root);
      if (!rest) continue;
      const std::string file =
          std::string(mount.point) + (*rest == "/" ? "" : std::string(*rest)) + "/" + name;
      const auto opened = sys::OpenWithoutLinks(AT_FDCWD, file, O_RDONLY | O_NONBLOCK);
      if (!opened) continue;
      if (auto text = sys::ReadRegularFile(opened->get(), kMaxBytes)) return *std::move(text);
    }
    return std::nullopt;
  }

  const sys::MountTable& host_;
  std::vector<std::pair<std::string_view, std::string_view>> lines_;  // controllers, path
};

// The first word: a number, or "max" and -1 for none.
std::int64_t Limit(std::string_view text) {
  std::int64_t limit = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), limit);
  return fault == std::errc() && limit >= 0 ? limit : kUnlimited;
}

Status Hold(const char* what, std::int64_t promised, const std::optional<std::string>& text) {
  if (!text) return Error{std::string("its limit of ") + what + " cannot be read"};
  if (Limit(*text) <= promised) return {};
  return Error{std::string("its limit of ") + what + " is " + text->substr(0, text->find('\n')) +
               ", but the record has " + std::to_string(promised)};
}

// Processors in hundredths, rounded up: systemd knows no smaller parts.
std::int64_t Hundredths(std::int64_t quota, std::int64_t period) {
  constexpr std::int64_t kHundred = 100;
  if (period <= 0 || quota > kUnlimited / kHundred) return kUnlimited;
  return (quota * kHundred + period - 1) / period;
}

Status HoldCpu(const PromisedLimits& promised, const Cgroups& cgroups) {
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
      period ? Limit(std::string_view(*period).substr(blank == 0 ? 0 : blank + 1)) : 0;
  const std::int64_t promised_period =
      promised.cpu_period > 0 ? promised.cpu_period : kDefaultPeriod;
  if (Hundredths(Limit(*quota), actual_period) <= Hundredths(promised.cpu_quota, promised_period)) {
    return {};
  }
  return Error{"its CPU limit is " + quota->substr(0, quota->find('\n')) + " µs per " +
               std::to_string(actual_period) + ", but the record has " +
               std::to_string(promised.cpu_quota) + " of " + std::to_string(promised_period)};
}

}  // namespace

Status VerifyLimits(const PromisedLimits& promised, std::string_view cgroups,
                    const sys::MountTable& host) {
  const Cgroups own(cgroups, host);
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
