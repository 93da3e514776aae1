// runcladctl policy lint: every fault of a policy. In one file, since every check reports into the
// same list of files, each of which is read once.
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "runclad/base/spelling.hpp"
#include "runclad/enforce/host_policy.hpp"
#include "runclad/enforce/log_place.hpp"
#include "runclad/json/pointer.hpp"
#include "runclad/json/reader.hpp"
#include "runclad/policy/file_fault.hpp"
#include "runclad/policy/revision_layout.hpp"
#include "runclad/rules/catalog.hpp"
#include "runclad/sys/directory.hpp"

#include "checkout.hpp"
#include "commands.hpp"
#include "filter_faults.hpp"
#include "idle_grants.hpp"
#include "lint_place.hpp"
#include "lint_report.hpp"
#include "lint_waivers.hpp"
#include "policy_tree.hpp"

namespace runclad::ctl {
namespace {

namespace fs = std::filesystem;
using policy::FileKind;

constexpr std::string_view kPolicySuffix = ".json";
constexpr std::int64_t kSoonDays = 30;

std::optional<std::string> ReadText(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// "images/x.json:12" → 12
std::size_t LineOf(const std::string& source, const std::string& path) {
  std::size_t line = 0;
  if (source.starts_with(path + ":")) {
    std::from_chars(source.data() + path.size() + 1, source.data() + source.size(), line);
  }
  return line;
}

// What the files of `directory` mean for BuildKit's containers, whose profile lies below them.
// `builds` was loaded for these.
std::vector<LintFinding> BuildFindings(const fs::path& directory, const policy::Effective& builds) {
  std::vector<LintFinding> findings;
  for (const std::string& fault : FilterFaults(builds)) {
    findings.push_back({directory / "policy.json", 0, LintLevel::kFault, "seccomp", fault});
  }
  const policy::Action action = builds.rule(rules::kReadOnlyRootfs.schema).action;
  if (action != policy::Action::kFix && action != policy::Action::kRefuse) return findings;
  policy::Origin source = builds.origins.at("read-only-rootfs/action").back();
  if (source.kind == policy::Origin::Kind::kProfile) source = builds.origins.at("builds").back();
  findings.push_back({directory / source.file, source.line, LintLevel::kWarning, "builds-refused",
                      "read-only-rootfs/action " + std::string(policy::Name(action)) +
                          " also applies to builds and refuses each of their steps"});
  return findings;
}

// Why this host cannot take the log's lines, with the file that would do; empty if it can.
std::string WhyNoTarget(const std::string& key, const std::string& target,
                        const std::string& instead) {
  const bool is_journald = target == "journald";
  if (!is_journald && target != "syslog") return {};
  const std::string socket = is_journald ? "/run/systemd/journal/socket" : "/dev/log";
  std::error_code fault;
  if (fs::is_socket(socket, fault)) return {};
  return key + " is " + target + ", and this host has no " + socket +
         ": no decision would be logged there; name a file, " + instead;
}

// A file for the forwarded lines that the log is not in.
std::string ForwardInstead(const std::string& log) {
  const std::string usual = "file:/var/log/runclad/forward.jsonl";
  return enforce::IsSameLog(usual, log) ? "file:/var/log/runclad/copy.jsonl" : usual;
}

class DirectoryLinter {
 public:
  // `is_of_this_host`: it is not a checkout.
  DirectoryLinter(fs::path directory, bool is_of_this_host)
      : directory_(std::move(directory)), is_of_this_host_(is_of_this_host) {}

  // What is said of every file or, unless it is empty, of the file `only` alone: relative to the
  // directory.
  std::vector<LintFinding> Run(const std::string& only = {}) {
    only_ = only;
    LintAll();
    if (only.empty()) return std::move(findings_);
    std::erase_if(findings_, [&](const LintFinding& finding) {
      return finding.file != FullName(only) && finding.kind != "untrusted";
    });
    return std::move(findings_);
  }

 private:
  void LintAll() {
    std::vector<std::string> paths = List();
    if (!only_.empty()) {
      std::erase_if(paths,
                    [&](const std::string& path) { return path != only_ && !IsHostPolicy(path); });
    }
    for (const std::string& path : paths) LintFile(path);
    if (only_.empty()) LintApplied();
    // What no single file shows: owners, permissions, links, trust, waivers, filters.
    const bool host_is_sound = std::ranges::none_of(
        paths, [&](const std::string& path) { return IsHostPolicy(path) && HasFaults(path); });
    if (!host_is_sound || !LintHost(paths)) return;
    for (const std::string& path : paths) {
      if (!IsHostPolicy(path) && !HasFaults(path)) LintGrants(path);
    }
  }

  // Once a revision was applied, it is in force and not these files.
  void LintApplied() {
    std::error_code ignored;
    const fs::path applied = fs::read_symlink(directory_ / policy::kAppliedLink, ignored);
    if (applied.empty()) return;
    const auto own = ReadPolicyTree(directory_);
    const auto in_force = ReadPolicyTree(applied);
    if (!own || own->empty() || (in_force && *own == *in_force)) return;
    findings_.push_back({directory_, 0, LintLevel::kWarning, "not-applied",
                         "the files differ from the policy in force, " + applied.string() +
                             "; runcladctl policy apply applies them"});
  }

  static bool IsHostPolicy(const std::string& path) {
    return path == "policy.json" || path.starts_with("policy.d/");
  }
  [[nodiscard]] bool HasFaults(const std::string& path) const {
    return std::ranges::any_of(findings_, [&](const LintFinding& finding) {
      return finding.file == FullName(path) && finding.level == LintLevel::kFault;
    });
  }
  // Why the directory's policy cannot be loaded: a fault that does not belong to a line. One of
  // another file is not reported of the file that was asked about.
  void AddUntrusted(const Error& error) {
    if (!only_.empty() && unusable_.file != only_) return;
    findings_.push_back({directory_, 0, LintLevel::kFault, "untrusted",
                         unusable_.why.empty() ? error.message : unusable_.why});
  }
  [[nodiscard]] std::string FullName(const std::string& path) const { return directory_ / path; }

  // Once: a line may count in several effective policies.
  void AddNew(LintFinding finding) {
    if (std::ranges::find(findings_, finding) == findings_.end()) {
      findings_.push_back(std::move(finding));
    }
  }
  void Add(const std::string& path, std::size_t line, const char* kind, std::string message,
           LintLevel level = LintLevel::kFault) {
    AddNew({FullName(path), line, level, kind, std::move(message)});
  }

  // The files that could be meant as the policy's, relative to the directory, sorted.
  std::vector<std::string> List() {
    std::vector<std::string> paths;
    for (const std::string& name : sys::NamesIn(directory_)) {
      constexpr std::string_view kFolders[] = {"policy.d", "images", "digests", "pods"};
      constexpr std::string_view kNames[] = {"policy.json", "policy.d", "images", "digests",
                                             "pods"};
      if (std::ranges::find(kFolders, name) != std::end(kFolders)) {
        ListFolder(fs::path(directory_) / name, paths);
      } else if (name == "policy.json") {
        paths.push_back(name);
      } else if (const auto meant = Nearest(name, kNames); !meant.empty()) {
        Add(name, 0, "unreachable", "is not read; did you mean " + Quoted(meant) + "?");
      }
    }
    std::ranges::sort(paths);
    return paths;
  }

  void ListFolder(const fs::path& folder, std::vector<std::string>& paths) {
    std::error_code fault;
    for (fs::recursive_directory_iterator at(folder, fault), end; !fault && at != end;
         at.increment(fault)) {
      const fs::directory_entry& entry = *at;
      std::error_code unknown;
      if (entry.is_directory(unknown) && !entry.is_symlink(unknown)) continue;
      const std::string path = entry.path().lexically_relative(directory_);
      const std::string name = entry.path().filename();
      if (name.starts_with("README")) continue;
      if (!name.ends_with(kPolicySuffix) || name.starts_with('.')) {
        Add(path, 0, "unreachable", "is not read: only files that end in .json are");
      } else if (path.starts_with("policy.d/") && entry.path().parent_path() != folder) {
        Add(path, 0, "unreachable", "is not read: subdirectories of policy.d are ignored");
      } else {
        paths.push_back(path);
      }
    }
  }

  void LintFile(const std::string& path) {
    const Place place = PlaceOf(path);
    if (!place.unreachable.empty()) Add(path, 0, "unreachable", place.unreachable);
    const auto text = ReadText(directory_ / path);
    if (!text) return Add(path, 0, "unreadable", "cannot be read");
    for (const policy::Fault& fault : policy::FindFaults(*text, place.kind, rules::Schemas())) {
      Add(path, fault.line, "format", fault.message);
    }
    if (HasFaults(path)) return;
    for (LintFinding& finding : RootWaivers(FullName(path), *text)) AddNew(std::move(finding));
  }

  [[nodiscard]] Result<policy::Effective> Load(const engine::Identity* identity,
                                               std::int64_t today) {
    return policy::Load(directory_, rules::Schemas(),
                        {.identity = identity,
                         .today = today,
                         .shipped_directory = "/nonexistent",
                         .directory_must_exist = true,
                         .ignores_applied = true,
                         .origins = true},
                        unusable_);
  }

  // `paths`: the host's own files among others.
  bool LintHost(const std::vector<std::string>& paths) {
    const auto policy = Load(nullptr, enforce::Today());
    if (!policy) {
      AddUntrusted(policy.error());
      return false;
    }
    for (const std::string& fault : FilterFaults(*policy)) Add("policy.json", 0, "seccomp", fault);
    LintWaivers("policy", *policy, nullptr);
    LintLog(*policy);
    host_mode_ = policy->mode;
    for (const std::string& path : paths) {
      if (!IsHostPolicy(path)) continue;
      const PolicyPart part = Read(path, *policy);
      AddAll(IdleGrants(part));
      AddAll(OverriddenValues(part));
    }
    if (policy->builds.empty()) return true;
    engine::Identity build;
    build.engine = engine::Engine::kBuildkit;
    const auto builds = Load(&build, enforce::Today());
    if (!builds) {
      AddUntrusted(builds.error());
      return false;
    }
    for (LintFinding& finding : BuildFindings(directory_, *builds)) {
      AddNew(std::move(finding));
    }
    LintWaivers("policy", *builds, &build);
    return true;
  }

  void LintLog(const policy::Effective& policy) {
    const policy::LogSettings& log = policy.log;
    if (log.required && log.level != policy::LogLevel::kInfo) {
      AddOf(policy, "log/level", "log-level",
            "log/required refuses a container whose decision cannot be logged, and log/level " +
                std::string(policy::Name(log.level)) +
                " leaves decisions out: not everything that starts is logged",
            LintLevel::kWarning);
    }
    if (!is_of_this_host_) return;
    AddOf(policy, "log/target", "log-target",
          WhyNoTarget("log/target", log.target, policy::LogSettings().target));
    const auto loosest = enforce::LoadLoosestPolicy(directory_.string(), /*ignores_applied=*/true);
    const auto add_exposed = [&](const char* key, const std::string& target) {
      const std::string exposed =
          loosest ? enforce::WhyLogIsExposed(target, *loosest) : std::string();
      if (exposed.empty()) return;
      AddOf(policy, key, "log-exposed",
            "runclad writes the log as root, and " + exposed +
                "; name a file below /var/log/runclad");
    };
    add_exposed("log/target", log.target);
    if (!log.forward) return;
    const std::string& forward = log.forward->target;
    AddOf(policy, "log/forward", "log-target",
          WhyNoTarget("log/forward/target", forward, ForwardInstead(log.target)));
    add_exposed("log/forward", forward);
    if (enforce::IsSameLog(forward, log.target)) {
      AddOf(policy, "log/forward", "log-target",
            "log/forward/target " + forward +
                " is the log itself, which would have each line "
                "twice; name another file, " +
                ForwardInstead(log.target));
    }
  }

  // Reports the sentence at the line of the setting; an empty sentence is not a finding.
  void AddOf(const policy::Effective& policy, std::string_view key, const char* kind,
             const std::string& sentence, LintLevel level = LintLevel::kFault) {
    if (sentence.empty()) return;
    const auto origin = policy.origins.find(key);
    if (origin == policy.origins.end()) return Add("policy.json", 0, kind, sentence, level);
    const policy::Origin& last = origin->second.back();
    Add(last.file, last.line, kind, sentence, level);
  }

  // Waivers of the sources that begin with `source`; `identity` as they were loaded for.
  void LintWaivers(const std::string& source, const policy::Effective& policy,
                   const engine::Identity* identity) {
    const auto later = Load(identity, enforce::Today() + kSoonDays);
    for (std::size_t i = 0; i < policy.waivers.size(); ++i) {
      const policy::WaiverUse& waiver = policy.waivers[i];
      if (!waiver.source.starts_with(source)) continue;
      const std::string path = waiver.source.substr(0, waiver.source.rfind(':'));
      const std::size_t line = LineOf(waiver.source, path);
      const std::string of = "the waiver of " + waiver.rule + " ";
      if (waiver.has_expired) {
        Add(path, line, "waiver-expired", of + "expired on " + waiver.expires);
      } else if (!waiver.void_because.empty()) {
        Add(path, line, "waiver-void", of + "does not count: " + waiver.void_because);
      } else if (later && i < later->waivers.size() && !later->waivers[i].void_because.empty()) {
        Add(path, line, "waiver-expires", of + "expires on " + waiver.expires, LintLevel::kWarning);
      }
    }
  }

  // What a file for some images asks for and would not get: of an image's, each tag's part too.
  void LintGrants(const std::string& path) {
    const policy::Effective none;
    const json::Document document = Read(path, none).document.document();
    engine::Identity identity = PlaceOf(path).identity;
    LintGrantsTo(path, document, document, identity);
    if (identity.names.empty() || !document.contains("tags")) return;
    for (const auto& [tag, part] : document.at("tags").items()) {
      engine::Reference& reference = identity.names.front().reference;
      reference.tag = tag;
      identity.asked_for = reference;
      LintGrantsTo(path, document, part, identity);
    }
  }

  // As well trusted as the image can be, and then known by its tag alone. `part` is the file's or
  // that of the image's tag.
  void LintGrantsTo(const std::string& path, const json::Document& document,
                    const json::Document& part, engine::Identity identity) {
    const auto pins_of = [](const json::Document& of) {
      return of.value("digests", json::Document::array());
    };
    const json::Document pins = pins_of(part).empty() ? pins_of(document) : pins_of(part);
    if (!pins.empty()) identity.config_digest = pins.front().get<std::string>();
    const auto policy = Load(&identity, enforce::Today());
    if (!policy) {
      // A fault of another file that is read for the same image is reported there.
      const bool is_reported = std::ranges::any_of(findings_, [](const LintFinding& finding) {
        return finding.kind == "format" || finding.kind == "untrusted";
      });
      if (!is_reported) AddUntrusted(policy.error());
      return;
    }
    const auto cuts_of = [&](const policy::Effective& effective) {
      std::vector<policy::Cut> cuts = effective.cuts;
      std::erase_if(cuts, [&](const policy::Cut& cut) {
        return cut.source != path && !cut.source.starts_with(path + ":");
      });
      return cuts;
    };
    const std::vector<policy::Cut> cuts = cuts_of(*policy);
    for (const policy::Cut& cut : cuts) {
      Add(path, LineOf(cut.source, path), "beyond-trust",
          cut.parameter + " " + cut.value + " " + cut.because);
    }
    LintWaivers(path, *policy, &identity);
    PolicyPart of_file = Read(path, *policy);
    if (&part != &document) {
      of_file.pointer = "/tags/" + json::Escape(identity.asked_for->tag);
      of_file.document = json::Value(part);
    }
    AddAll(IdleGrants(of_file));
    if (part.value("rules", json::Document::object()).contains(rules::kSeccomp.id())) {
      for (const std::string& fault : FilterFaults(*policy)) Add(path, 0, "seccomp", fault);
    }
    if (!pins.empty() || identity.names.empty()) return;
    identity.names.front().tier = engine::Tier::kTag;
    const auto by_tag = Load(&identity, enforce::Today());
    if (!by_tag) return;
    for (const policy::Cut& cut : cuts_of(*by_tag)) {
      const bool is_reported = std::ranges::any_of(cuts, [&](const policy::Cut& told) {
        return told.source == cut.source && told.parameter == cut.parameter;
      });
      if (is_reported) continue;
      Add(path, LineOf(cut.source, path), "beyond-tag",
          cut.parameter + " " + cut.value +
              " does not apply to images that are identified by tag only (loaded or built here); "
              "pin their digests",
          LintLevel::kWarning);
    }
  }

  // The file as a part, for the effective policy that it counts in.
  [[nodiscard]] PolicyPart Read(const std::string& path, const policy::Effective& policy) const {
    PolicyPart part{path, FullName(path), {}, {}, {}, policy, host_mode_};
    auto document = json::Read(ReadText(directory_ / path).value_or(""),
                               {.comments = true, .positions = &part.positions});
    part.document = json::Value(document && document->is_object() ? *std::move(document)
                                                                  : json::Document::object());
    return part;
  }

  void AddAll(std::vector<LintFinding> findings) {
    for (LintFinding& finding : findings) AddNew(std::move(finding));
  }

  fs::path directory_;
  bool is_of_this_host_;
  std::string only_;            // the file that was asked about; empty: every file
  policy::FileFault unusable_;  // what the last Load() could not use
  std::vector<LintFinding> findings_;
  policy::Mode host_mode_ = policy::Mode::kEnforce;
};

// A file that lies outside a policy's directory.
std::vector<LintFinding> LintFile(const std::string& file, const std::string& text) {
  std::vector<LintFinding> findings;
  const FileKind kind = KindByShape(text);
  for (const policy::Fault& fault : policy::FindFaults(text, kind, rules::Schemas())) {
    findings.push_back({file, fault.line, LintLevel::kFault, "format", fault.message});
  }
  if (!findings.empty() || kind != FileKind::kPolicy) return findings;
  const auto policy = policy::Parse(text, file, rules::Schemas(), {.today = enforce::Today()});
  if (!policy) return {{file, 0, LintLevel::kFault, "format", policy.error().message}};
  findings = RootWaivers(file, text);
  for (const std::string& fault : FilterFaults(*policy)) {
    findings.push_back({file, 0, LintLevel::kFault, "seccomp", fault});
  }
  if (policy->builds.empty()) return findings;
  engine::Identity build;
  build.engine = engine::Engine::kBuildkit;
  const auto builds =
      policy::Parse(text, file, rules::Schemas(),
                    {.identity = &build, .today = enforce::Today(), .origins = true});
  if (!builds) return {{file, 0, LintLevel::kFault, "format", builds.error().message}};
  for (LintFinding& finding : BuildFindings(fs::path(file).parent_path(), *builds)) {
    if (std::ranges::find(findings, finding) == findings.end()) {
      findings.push_back(std::move(finding));
    }
  }
  return findings;
}

}  // namespace

std::vector<LintFinding> LintDirectory(const std::string& directory) {
  return DirectoryLinter(directory, /*is_of_this_host=*/true).Run();
}

Result<Output> LintPolicy(const LintRequest& request, const Style& style) {
  const std::string& path = request.path;
  const std::string nothing = ": the compiled-in profile restricted applies";
  std::error_code fault;
  if (path == policy::kDefaultConfigDirectory &&
      fs::symlink_status(path, fault).type() == fs::file_type::not_found) {
    return ReportLint({}, "no " + path + nothing, request.format, style);
  }
  const auto type = fs::status(path, fault).type();
  if (type == fs::file_type::not_found || fault) {
    return SystemError(path + " cannot be examined", fault ? fault.value() : ENOENT);
  }
  const bool is_directory = type == fs::file_type::directory;
  std::string directory = is_directory ? path : DirectoryAround(path);
  if (directory.empty()) {
    const auto text = ReadText(path);
    if (!text) return Error{path + " cannot be read"};
    return ReportLint(LintFile(path, *text), path + ": no faults", request.format, style);
  }
  while (directory.size() > 1 && directory.ends_with('/')) directory.pop_back();
  const std::string only =
      is_directory ? "" : fs::absolute(path).lexically_normal().lexically_relative(directory);
  const std::string file = directory + "/policy.json";
  const bool has_file = !only.empty() || fs::exists(fs::symlink_status(file, fault));
  const std::string praise =
      has_file ? path + ": no faults" : "no faults; no policy.json" + nothing;
  std::vector<LintFinding> findings;
  if (request.is_checkout) {
    const auto checkout = Checkout::Of(directory);
    if (!checkout) return checkout.error();
    findings = DirectoryLinter(checkout->path(), /*is_of_this_host=*/false).Run(only);
    for (LintFinding& finding : findings) {
      finding.file = checkout->Original(finding.file);
      finding.message = checkout->Original(finding.message);
    }
  } else {
    findings = DirectoryLinter(directory, /*is_of_this_host=*/true).Run(only);
  }
  if (!is_directory) {
    for (LintFinding& finding : findings) finding.file = path;  // as it was named
  }
  return ReportLint(findings, praise, request.format, style);
}

}  // namespace runclad::ctl
