// Where runclad writes its decisions.
#include <algorithm>
#include <iterator>

#include "runclad/doctor/log.hpp"

#include "sections.hpp"

namespace runclad::doctor {
namespace {

using Findings = std::vector<Finding>;

constexpr std::uint64_t kMebibyte = std::uint64_t{1} << 20U;

// What is to be set in place of a target that does not do; for a forward, never the log's own.
std::string SetAnother(const LogFacts& log) {
  return log.is_forward
             ? R"(set "log": {"forward": {"target": "file:/var/log/runclad/forward.jsonl"}})"
             : R"(set "log": {"target": "file:/var/log/runclad/audit.jsonl"})";
}

Findings Writable(const LogFacts& log) {
  if (log.fault.empty()) return {};
  const char* effect = log.is_required  ? ": containers are refused, as the policy requires the log"
                       : log.is_forward ? ": decisions are not forwarded"
                                        : ": decisions are not recorded";
  return {{log.is_required ? Level::kCritical : Level::kWarning, log.target, log.fault + effect,
           "make it writable for root, or " + SetAnother(log)}};
}

// A device has the owner that its driver wants.
Findings Protected(const LogFacts& log) {
  if (log.unsafe_part.empty()) return {};
  const std::string remedy =
      log.is_device ? SetAnother(log)
                    : "chown root: " + log.unsafe_part + " && chmod go-w " + log.unsafe_part;
  return {{Level::kCritical, log.path,
           "users other than root can change or replace " + log.unsafe_part, remedy}};
}

Findings Exposed(const LogFacts& log) {
  if (log.exposed.empty() || !log.unsafe_part.empty()) return {};
  return {{Level::kCritical, log.path, log.exposed + ", and runclad writes there as root",
           SetAnother(log)}};
}

Findings Apart(const LogFacts& log) {
  if (!log.is_log_itself) return {};
  return {{Level::kWarning, log.target,
           "decisions are forwarded to the log itself, so every decision is logged twice",
           "set another \"log\": {\"forward\": …} in policy.json, or none"}};
}

Findings Space(const LogFacts& log) {
  constexpr std::uint64_t kFew = 16 * kMebibyte;
  constexpr std::uint64_t kSmallShare = 5;
  if (log.path.empty() || !log.fault.empty()) return {};
  if (log.free_bytes >= kFew && log.free_share >= kSmallShare) return {};
  return {{log.free_bytes < kFew ? Level::kCritical : Level::kWarning, log.path,
           "its file system has " + std::to_string(log.free_bytes / kMebibyte) + " MiB left (" +
               std::to_string(log.free_share) + " %)" +
               (log.is_required ? "; containers are refused when it is full" : ""),
           "free some space, or rotate the log: logrotate -f /etc/logrotate.d/runclad"}};
}

// runclad itself renames a log of 100 MB, or as the policy says: one that is much larger could not
// be renamed.
Findings Size(const LogFacts& log) {
  constexpr std::uint64_t kLarge = 512 * kMebibyte;
  if (log.bytes < std::max(kLarge, 2 * log.renamed_at_bytes)) return {};
  return {{Level::kWarning, log.path,
           "it has grown to " + std::to_string(log.bytes / kMebibyte) + " MiB",
           "logrotate -f /etc/logrotate.d/runclad"}};
}

Findings Journald(const LogFacts& log) {
  if (log.target != "journald" || log.has_journald) return {};
  return {{Level::kCritical, "journald",
           "the log's target is journald, but nothing listens on /run/systemd/journal/socket",
           "start systemd-journald, or " + SetAnother(log)}};
}

Findings Syslog(const LogFacts& log) {
  if (log.target != "syslog" || log.has_syslog) return {};
  return {{Level::kCritical, "syslog",
           "the log's target is syslog, but nothing listens on /dev/log",
           "start a syslog daemon, or " + SetAnother(log)}};
}

// Of the log and of the target that it is forwarded to.
template <Findings (*kFind)(const LogFacts& log)>
Findings OfEach(const Facts& facts) {
  Findings all;
  for (const LogFacts& log : facts.logs) std::ranges::move(kFind(log), std::back_inserter(all));
  return all;
}

constexpr Check kLogChecks[] = {
    {"log/writable", "the log can be written", kLog, OfEach<Writable>},
    {"log/protected", "only root can change the log", kLog, OfEach<Protected>},
    {"log/exposed", "no container can write where the log is", kLog, OfEach<Exposed>},
    {"log/forward", "decisions are forwarded to another file than the log", kLog, OfEach<Apart>},
    {"log/space", "the log's file system has space", kLog, OfEach<Space>},
    {"log/size", "the log does not outgrow its rotation", kLog, OfEach<Size>},
    {"log/journald", "journald is running, if the log goes there", kLog, OfEach<Journald>},
    {"log/syslog", "a syslog daemon is running, if the log goes there", kLog, OfEach<Syslog>},
};

}  // namespace

std::span<const Check> LogChecks() { return kLogChecks; }

std::vector<Finding> LogFindings(const std::optional<std::string>& config_directory) {
  Options options;
  options.config_directory = config_directory;
  Facts facts;
  facts.logs = GatherLogs(options);
  Findings all;
  for (const Check& check : kLogChecks)
    std::ranges::move(check.find(facts), std::back_inserter(all));
  return all;
}

}  // namespace runclad::doctor
