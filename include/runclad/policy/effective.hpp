// The policy that applies to one container: the layers resolved, parameter by parameter.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>

#include "runclad/base/result.hpp"
#include "runclad/policy/parameters.hpp"

namespace runclad::policy {

inline constexpr std::string_view kDefaultConfigDirectory = "/etc/runclad";

struct LogSettings {
  std::string target = "file:/var/log/runclad/audit.jsonl";  // or "journald", "syslog"
  bool required = false;  // refuse the container when the line cannot be written
};

// What a caller without root (a rootless engine) gets.
enum class Rootless { kRefuse, kPassThrough, kApply };

struct RuleSetting {
  Action action = Action::kOff;
  Parameters parameters;
};

// "policy.json:12": where a value was said. Key: "rule/action" or "rule/parameter".
using Origins = std::map<std::string, std::string, std::less<>>;

struct Effective {
  std::string profile;  // "restricted"
  Mode mode = Mode::kEnforce;
  LogSettings log;
  Rootless rootless = Rootless::kRefuse;
  std::map<std::string, RuleSetting, std::less<>> rules;  // by rule id
  Origins origins;
  std::string digest;  // of everything that was read, to tell policies apart in the log

  // The rule's setting; a rule that no layer names is off.
  [[nodiscard]] const RuleSetting& rule(std::string_view id) const;
};

// Reads the policy in `directory` over its profile. No directory or no policy.json: the compiled-in
// `restricted`. Every fault is an error with file, line and, for a misspelling, a suggestion.
Result<Effective> Load(const std::string& directory, std::span<const RuleSchema> rules);

// One policy file's text over a profile, for tests and `policy lint`.
Result<Effective> Parse(std::string_view text, const std::string& file_name,
                        std::span<const RuleSchema> rules);

// The text of a profile that is compiled in ("restricted", "baseline"); empty when there is none.
std::string_view Profile(std::string_view name);

}  // namespace runclad::policy
