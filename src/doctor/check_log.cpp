// Where runclad writes its decisions.
#include <algorithm>
#include <iterator>

#include "runclad/doctor/log.hpp"

#include "sections.hpp"

namespace runclad::doctor {
namespace {

using Findings = std::vector<Finding>;

constexpr std::uint64_t kMebibyte = std::uint64_t{1} << 20U;

Findings Writable(const LogFacts& log) {
  if (log.fault.empty()) return {};
  return {{log.is_required ? Level::kCritical : Level::kWarning, log.target,
           log.fault + (log.is_required ? ": containers are refused, as the policy "
                                          "requires the log"
                                        : ": decisions are not recorded"),
           "make it writable for root, or set another \"log\" in policy.json"}};
}

Findings Protected(const LogFacts& log) {
  if (log.unsafe_part.empty()) return {};
  return {{Level::kCritical, log.path,
           "users other than root can change or replace " + log.unsafe_part,
           "chown root: " + log.unsafe_part + " && chmod go-w " + log.unsafe_part}};
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
           "the log's target is journald, and none listens at /run/systemd/journal/socket",
           "start systemd-journald, or set \"log\": {\"target\": "
           "\"file:/var/log/runclad/audit.jsonl\"}"}};
}

Findings Syslog(const LogFacts& log) {
  if (log.target != "syslog" || log.has_syslog) return {};
  return {{Level::kCritical, "syslog", "the log's target is syslog, and none listens at /dev/log",
           "start a syslog daemon, or set another \"log\" in policy.json"}};
}

// Of the log and of the target that it is forwarded to.
template <Findings (*kFind)(const LogFacts& log)>
Findings OfEach(const Facts& facts) {
  Findings all;
  for (const LogFacts& log : facts.logs) std::ranges::move(kFind(log), std::back_inserter(all));
  return all;
}

constexpr Check kChecks[] = {
    {"log/writable", "the log can be written", kLog, OfEach<Writable>},
    {"log/protected", "only root can change the log", kLog, OfEach<Protected>},
    {"log/space", "the log's file system has space", kLog, OfEach<Space>},
    {"log/size", "the log does not outgrow its rotation", kLog, OfEach<Size>},
    {"log/journald", "a log that goes to journald has one to go to", kLog, OfEach<Journald>},
    {"log/syslog", "a log that goes to syslog has one to go to", kLog, OfEach<Syslog>},
};

}  // namespace

std::span<const Check> LogChecks() { return kChecks; }

std::vector<Finding> LogFindings(const std::optional<std::string>& config_directory) {
  Options options;
  options.config_directory = config_directory;
  Facts facts;
  facts.logs = GatherLogs(options);
  Findings all;
  for (const Check& check : kChecks) std::ranges::move(check.find(facts), std::back_inserter(all));
  return all;
}

}  // namespace runclad::doctor
