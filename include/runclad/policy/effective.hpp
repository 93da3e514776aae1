// The policy that applies to one container: the layers resolved, parameter by parameter.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
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

struct LogSettings {
  std::string target = "file:/var/log/runclad/audit.jsonl";  // or "journald", "syslog"
  bool required = false;  // refuse the container when the line cannot be written
};

// What happens to a caller without root privileges (a rootless engine).
enum class Rootless { kRefuse, kPassThrough, kApply };

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

struct RuleSetting {
  Action action = Action::kOff;
  Parameters parameters;
};

// Where a value was set: "policy.json:12" or "profile restricted"; where lists accumulate, each
// place, with ", " between. Key: "mode", "log/target", "<rule>/action", "<rule>/<parameter>".
using Origins = std::map<std::string, std::string, std::less<>>;

// A waiver of a layer that applies to the container, or would if it had not expired.
struct WaiverUse {
  std::string source;
  std::string rule;  // an id, or "*"
  std::string reason;
  std::string expires;       // "2027-03-31"; empty: never
  std::string void_because;  // "expired"; empty: it counts
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
  std::map<std::string, RuleSetting, std::less<>> rules;  // by rule id
  Trust trust;
  bool waivers_must_expire = false;
  ImagePolicy image;
  std::vector<Cut> cuts;
  std::vector<WaiverUse> waivers;
  Origins origins;  // filled on request
  std::string
      digest;  // of everything that was read: SHA-256, which tells policies apart in the log

  // The rule's setting; a rule that no layer names is off.
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
  bool origins = false;               // fill Effective::origins: costs another parse
  std::string_view extends = {};      // the profile in place of the one that the host extends
  // The texts of other profiles than those compiled in, for tests.
  std::string_view (*profile)(std::string_view name) = nullptr;
};

// Reads the policy in `directory`, each layer over the ones before: the profile, policy.json,
// policy.d/*.json, the image's _default.json files from the root down, its own file, its tag's
// part, digests/sha256/<hex>.json, pods/<namespace>.json. No directory or no policy.json: the
// compiled-in `restricted`. Anything that a user other than root could have written (links, foreign
// owners, open permissions) and every fault is an error with file, line and, for a misspelling, a
// suggestion.
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
