// The policy that applies to one container: the layers resolved, parameter by parameter.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

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

// Where a value was said: "policy.json:12" or "profile restricted"; where lists accumulate, each
// place, with ", " between. Key: "mode", "log/target", "<rule>/action", "<rule>/<parameter>".
using Origins = std::map<std::string, std::string, std::less<>>;

struct Effective {
  std::string profile;  // "restricted"
  Mode mode = Mode::kEnforce;
  LogSettings log;
  Rootless rootless = Rootless::kRefuse;
  std::map<std::string, RuleSetting, std::less<>> rules;  // by rule id
  Origins origins;                                        // filled on request
  std::string digest;  // of everything that was read: tells policies apart in the log

  // The rule's setting; a rule that no layer names is off.
  [[nodiscard]] const RuleSetting& rule(std::string_view id) const;
};

// The text of a profile that is compiled in ("restricted", "baseline"); empty when there is none.
std::string_view Profile(std::string_view name);

struct LoadOptions {
  bool directory_must_exist = false;  // the operator named it
  bool origins = false;               // fill Effective::origins: costs another parse
  // The texts of other profiles than those compiled in, for tests.
  std::string_view (*profile)(std::string_view name) = nullptr;
};

// Reads the policy in `directory` over its profile. No directory or no policy.json: the compiled-in
// `restricted`. Anything that could be another's word (links, foreign owners, open permissions) and
// every fault is an error with file, line and, for a misspelling, a suggestion.
Result<Effective> Load(const std::string& directory, std::span<const RuleSchema> rules,
                       const LoadOptions& options = {});

// One policy file's text over its profile.
Result<Effective> Parse(std::string_view text, const std::string& file_name,
                        std::span<const RuleSchema> rules, const LoadOptions& options = {});

// What is wrong with a policy file, in the order of the lines.
struct Fault {
  std::size_t line = 0;  // from 1
  std::string message;
};

// Every fault of a policy file's text. `is_syscall` knows the names of system calls (Load does not
// ask: it holds them to their form only).
std::vector<Fault> FindFaults(std::string_view text, std::span<const RuleSchema> rules,
                              bool (*is_syscall)(const std::string& name) = nullptr,
                              const LoadOptions& options = {});

}  // namespace runclad::policy
