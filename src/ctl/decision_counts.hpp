// Counts of what the log says, for a monitoring system: they never fall, whatever is rotated.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>

#include "runclad/base/result.hpp"
#include "runclad/store/probes.hpp"

namespace runclad::ctl {

// What a decision is counted under. Every value is from a fixed set; any other becomes "other".
struct DecisionKind {
  std::string decision;  // "refused", "would-rewrite", "error", …
  std::string rule;      // the first one that led to it; empty: none did
  std::string mode;
  std::string engine;
  std::string command;  // "create", "exec", …
  friend auto operator<=>(const DecisionKind&, const DecisionKind&) = default;
};

struct FindingKind {
  std::string rule;
  std::string action;  // "fixed", "refused", "warned"
  std::string mode;
  friend auto operator<=>(const FindingKind&, const FindingKind&) = default;
};

struct DecisionCounts {
  std::map<DecisionKind, std::uint64_t> decisions;
  std::map<FindingKind, std::uint64_t> findings;  // each once for each decision
  std::uint64_t unreadable = 0;                   // lines that runclad did not write
  std::uint64_t lost_files = 0;  // that were removed before they had been read to their end
  std::uint64_t probes = 0;      // decisions about doctor's own containers, which are not above
};

// Counts a line of the log.
void CountDecision(const std::string& line, const store::Probes& probes, DecisionCounts& counts);

// Adds what was written since the last time to the counts that are kept in `state`/metrics, and
// returns them. One process at a time counts; another one waits for it, or ends with an error. Of
// the log at `path` and its rotated files, at most `max_bytes` are read; what is left is counted
// the next time. `is_complete`: nothing is left.
struct CountedLog {
  DecisionCounts counts;
  bool is_complete = true;
};
inline constexpr std::uint64_t kMaxCountedBytes = 1'000'000'000;
Result<CountedLog> CountLog(const std::string& path, const std::string& state,
                            std::uint64_t max_bytes = kMaxCountedBytes);

}  // namespace runclad::ctl
