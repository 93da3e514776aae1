// One log line per decision, for people and for a SIEM.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runclad/base/result.hpp"
#include "runclad/enforce/decision.hpp"
#include "runclad/engine/identity.hpp"
#include "runclad/json/value.hpp"
#include "runclad/policy/effective.hpp"

namespace runclad::enforce {

// Of a text in a line, before JSON escapes it; what is left out of the middle is counted there.
inline constexpr std::size_t kMaxTextBytes = 4096;
// Of a line. Beyond it, the line is short (ShortLine).
inline constexpr std::size_t kMaxLineBytes = std::size_t{512} << 10;

struct LogEntry {
  std::string_view verb;  // "create", "run", "exec"
  std::string_view container;
  std::string_view bundle;
  engine::Identity identity;
  const policy::Effective* policy = nullptr;  // null: none could be read
  const Decision* decision = nullptr;         // null: an error
  std::string_view findings;                  // FindingsText of the decision's
  std::string error;
  bool is_refusal = false;  // the error is what the call asks for, and no failure
  std::int64_t microseconds = 0;
};

// A finding's remedy as the log has it, null where the rule says none:
//   {"rules": {"host-mounts": {"allow": ["/srv/x"]}}}   values that lists need to have as well, or
//   {"waiver": {"host-mounts": …}}                      the value of a parameter; the same by a
//   waiver; with "pod": "shop" in the file of that namespace, too
//   {"trial": {"read-only-rootfs": …}}                  as rules, for a trial: what helps is not
//   known
//   {"engine": "run it without --privileged"}           what to ask of the engine instead
//   {"none": "/ is never mounted"}                      why no setting allows it
json::Document ToDocument(const rules::Remedy& remedy, std::string_view rule);

// The findings as the log line and the record have them: rule, path, before, after, why, action;
// values of more than a hundred parts left out, and remedies of more than kMaxTextBytes.
json::Value ToJson(const std::vector<Applied>& findings);
// Their text: a create writes it twice.
std::string FindingsText(const std::vector<Applied>& findings);

// Whether the policy's log/level asks for the decision's line.
bool IsLogged(const policy::LogSettings& settings, const Decision& decision);

// The line, without the newline.
std::string LogLine(const LogEntry& entry);

// The part of `line` that every target takes: who, what and when, and how many findings each code
// has. `because`: why it is short, its member "shortened".
std::string ShortLine(const std::string& line, const std::string& because);

// Appends the line to the policy's target in one write, and to the target that it is forwarded to.
// When that fails: a warning to syslog, or, where the policy requires the log, an error.
Status WriteLog(const policy::LogSettings& settings, const std::string& line);

// Sends `warning` to syslog, if it is there to take it.
void WarnSyslog(const std::string& warning);

}  // namespace runclad::enforce
