// The policy that applies to one container: the layers resolved, parameter by parameter.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runclad/base/result.hpp"
#include "runclad/engine/identity.hpp"
#include "runclad/policy/parameters.hpp"

namespace runclad::policy {

inline constexpr std::string_view kDefaultConfigDirectory = "/etc/runclad";
// Files of images that come with runclad, where the policy has none for the repository.
inline constexpr std::string_view kShippedDirectory = "/usr/share/runclad";

// Which decisions are logged, by the "level" of their lines. Refusals, what would be one in mode
// audit, and errors always are.
enum class LogLevel {
  kInfo,     // all
  kNotice,   // not those in which no rule found anything
  kWarning,  // nor those that only changed a container or warned of it
};

enum class LogFormat { kJson, kFalco, kOcsf };

// Where each line goes as well, in a format of another program.
struct LogForward {
  LogFormat format = LogFormat::kJson;
  std::string target;  // as LogSettings::target

  bool operator==(const LogForward&) const = default;
};

struct LogSettings {
  std::string target = "file:/var/log/runclad/audit.jsonl";  // or "journald", "syslog"
  bool required = false;  // refuse the container when the line cannot be written
  LogLevel level = LogLevel::kInfo;
  std::int64_t max_megabytes = 100;  // a larger file is renamed; 0: never
  std::int64_t keep = 10;            // of the renamed ones
  std::optional<LogForward> forward = {};

  bool operator==(const LogSettings&) const = default;
};

// As policies have them: "info", "falco".
std::string_view Name(LogLevel level);
std::string_view Name(LogFormat format);

// What happens to a caller without root privileges (a rootless engine).
enum class Rootless { kRefuse, kPassThrough, kApply };

// What happens when the policy in force cannot be read or understood.
enum class Fallback {
  kRefuse,
  kLastGood,  // the copy that was kept when it was applied is used
};

// How far an image's own files may loosen the host's policy.
enum class Ceiling {
  kNothing,        // not at all
  kDockerDefault,  // to what Docker's default container has, no waivers
  kUnlimited,
};

// By the tier of the name or digest that the files were found by.
struct Trust {
  Ceiling tag = Ceiling::kDockerDefault;
  Ceiling repository_digest = Ceiling::kUnlimited;
  Ceiling digest = Ceiling::kUnlimited;

  [[nodiscard]] Ceiling Of(engine::Tier tier) const;
};

// Where a value was set.
struct Origin {
  enum class Kind { kProfile, kFile, kWaiver };
  Kind kind = Kind::kFile;
  std::string file;      // relative to the policy's directory; of a profile "profile restricted"
  std::size_t line = 0;  // 0: of a profile, or not known

  bool operator==(const Origin&) const = default;
};

// "profile restricted", "policy.json:12", "waiver policy.json:20"; several with ", " between.
std::string ToText(const std::vector<Origin>& origins);

// The last place that set a value; where lists accumulate, and with waivers over it, each place.
// Key: "mode", "log/target", "<rule>/action", "<rule>/<parameter>".
using Origins = std::map<std::string, std::vector<Origin>, std::less<>>;

// A waiver of a layer that applies to the container, or would if it had not expired.
struct WaiverUse {
  std::string source;
  std::string rule;  // an id, or "*"
  std::string reason;
  std::string expires;       // "2027-03-31"; empty: never
  std::string void_because;  // "expired"; empty: it counts
  bool has_expired = false;  // that is why
};

// What the container's image contributed to the policy.
struct ImagePolicy {
  std::vector<std::string> names;           // those that counted: "docker.io/library/nginx:1.27"
  engine::Tier tier = engine::Tier::kNone;  // the weakest that something was granted on
  std::vector<std::string> files;           // in the order in which they were folded
  std::string pin;                          // the pinned digest that matched
  // A name that is pinned to digests other than this image's, or a pinned name that an unverified
  // image may have; and the digests that it is pinned to. Empty: there is none.
  std::string mispinned_name;
  std::vector<std::string> pinned;
};

struct Effective {
  std::string profile;  // "restricted"
  std::string builds;   // the profile of what BuildKit runs; empty: the same
  Mode mode = Mode::kEnforce;
  LogSettings log;
  Rootless rootless = Rootless::kRefuse;
  Fallback fallback = Fallback::kRefuse;
  std::map<std::string, RuleSetting, std::less<>> rules;  // by rule id
  Trust trust;
  bool waivers_must_expire = false;
  ImagePolicy image;
  std::vector<Cut> cuts;
  std::vector<WaiverUse> waivers;
  Origins origins;  // filled on request
  std::string
      digest;  // of everything that was read: SHA-256, which tells policies apart in the log
  // What was read: a revision in force ("/var/lib/runclad/policies/7/policy"), else the directory
  // that was named. Empty: there is none.
  std::string directory;
  // Why the copy of the revision in force was read instead of it; empty: it was not.
  std::string fell_back_because;
  // The reason given for the host's break-glass switch while it is on; empty: it is off.
  std::string break_glass;

  // Whether what the rules find is acted on, or only recorded.
  [[nodiscard]] bool is_enforced() const { return mode == Mode::kEnforce && break_glass.empty(); }
  // The rule's setting; a rule that no layer names is off.
  [[nodiscard]] const RuleSetting& rule(const RuleSchema& rule) const {
    return this->rule(rule.id);
  }
  // By an id that is data; code names rules by their tables (rules/catalog.hpp).
  [[nodiscard]] const RuleSetting& rule(std::string_view id) const;
};

// The text of a profile that is compiled in ("restricted", "baseline", "build"); empty when there
// is none.
std::string_view Profile(std::string_view name);

struct LoadOptions {
  // The image whose files, digest files and pod files apply; null: none.
  const engine::Identity* identity = nullptr;
  std::int64_t today = 0;  // days since 1970-01-01 UTC, for waivers
  std::string_view shipped_directory = kShippedDirectory;
  bool directory_must_exist = false;  // the operator named it
  bool ignores_applied = false;       // read the directory's own files, whatever is in force
  bool origins = false;               // fill Effective::origins: costs another parse
  std::string_view extends = {};      // the profile in place of the one that the host extends
  // The texts of other profiles than those compiled in, for tests.
  std::string_view (*profile)(std::string_view name) = nullptr;
};

// Reads the policy in `directory`, each layer over the ones before: the profile, policy.json,
// policy.d/*.json, the image's _default.json files from the root down, its own file, its tag's
// part, digests/sha256/<hex>.json, pods/<namespace>.json. No directory or no policy.json: the
// compiled-in `restricted`. If the directory has a link "applied", the revision that it leads to is
// read in place of the directory's own files. Anything that a user other than root could have
// written (links, foreign owners, open permissions) and every fault is an error with file, line
// and, for a misspelling, a suggestion.
Result<Effective> Load(const std::string& directory, std::span<const RuleSchema> rules,
                       const LoadOptions& options = {});

// The host's policy, with the parameters of the `wanted` rules (ids) as loose as some container
// gets them: a step of a build, or any image, digest or pod, by a file of its own, by a tag's part
// or by a waiver there, whether that counts today or not. Actions are the host's. For what has to
// be kept from every container.
Result<Effective> LoadLoosest(const std::string& directory, std::span<const RuleSchema> rules,
                              std::span<const std::string_view> wanted,
                              const LoadOptions& options = {});

// One policy file's text over its profile.
Result<Effective> Parse(std::string_view text, const std::string& file_name,
                        std::span<const RuleSchema> rules, const LoadOptions& options = {});

// What is wrong with a policy file, in the order of the lines.
struct Fault {
  std::size_t line = 0;  // from 1
  std::string message;
};

// The kinds of file in a policy directory.
enum class FileKind {
  kPolicy,  // policy.json, policy.d/*.json
  kImage,   // images/<repository>.json
  kShared,  // images/…/_default.json, digests/sha256/<hex>.json, pods/<namespace>.json
};

// Every fault of a policy file's text.
std::vector<Fault> FindFaults(std::string_view text, FileKind kind,
                              std::span<const RuleSchema> rules, const LoadOptions& options = {});

}  // namespace runclad::policy
