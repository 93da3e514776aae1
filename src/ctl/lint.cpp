// runcladctl policy lint: every fault of a policy, before it stops a container or grants nothing.
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "runclad/base/spelling.hpp"
#include "runclad/json/reader.hpp"
#include "runclad/rules/rule.hpp"

#include "commands.hpp"
#include "filter_faults.hpp"
#include "lint_report.hpp"

namespace runclad::ctl {
namespace {

namespace fs = std::filesystem;
using policy::FileKind;

constexpr std::string_view kSuffix = ".json";
constexpr std::int64_t kSoonDays = 30;

std::int64_t Today() {
  constexpr std::int64_t kSecondsPerDay = 24 * 3600;
  return std::time(nullptr) / kSecondsPerDay;
}

std::optional<std::string> ReadText(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// A file of the policy's directory: what may stand in it, and for which containers it is read.
struct Place {
  FileKind kind = FileKind::kPolicy;
  engine::Identity identity;
  std::string unreachable;  // why no container's policy reads it; empty: some do
};

engine::Identity Named(engine::Reference reference) {
  engine::Identity identity;
  reference.tag = "any";
  identity.asked_for = reference;
  identity.names = {{std::move(reference), engine::Tier::kRepositoryDigest}};
  return identity;
}

Place PlaceOfImage(const std::string& path) {
  const fs::path relative = fs::path(path).lexically_relative("images");
  if (relative.filename() == "_default.json") {
    const std::string folder = relative.parent_path();
    auto below = engine::ParseReference(folder.empty() ? "any.example/any" : folder + "/any/image");
    if (!below) return {FileKind::kShared, {}, below.error().message};
    return {FileKind::kShared, Named(*std::move(below)), {}};
  }
  std::string name = relative;
  name.resize(name.size() - kSuffix.size());
  auto reference = engine::ParseReference(name);
  Place place{FileKind::kImage, {}, {}};
  if (!reference) {
    place.unreachable = reference.error().message;
  } else if (reference->repository != name) {
    place.unreachable = "no image has the repository " + Quoted(name) + "; did you mean images/" +
                        reference->repository + ".json?";
  } else {
    place.identity = Named(*std::move(reference));
  }
  return place;
}

// `path` is relative to the policy's directory.
Place PlaceOf(const std::string& path) {
  if (path == "policy.json" || path.starts_with("policy.d/")) return {};
  if (path.starts_with("images/")) return PlaceOfImage(path);
  Place place{FileKind::kShared, {}, {}};
  const std::string stem = fs::path(path).stem();
  if (path.starts_with("digests/")) {
    place.identity.config_digest = "sha256:" + stem;
    if (path != "digests/sha256/" + stem + ".json" ||
        !engine::IsSha256Digest(place.identity.config_digest)) {
      place.unreachable =
          "is read for no digest: files are digests/sha256/<64 lower-case "
          "hexadecimal digits>.json";
    }
  } else {
    place.identity.pod_namespace = stem;
    const bool is_label =
        path == "pods/" + stem + ".json" && !stem.empty() &&
        stem.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos;
    if (!is_label) {
      place.unreachable = "is read for no pod: files are pods/<namespace>.json";
    }
  }
  return place;
}

// "images/x.json:12" → 12
std::size_t LineOf(const std::string& source, const std::string& path) {
  std::size_t line = 0;
  if (source.starts_with(path + ":")) {
    std::from_chars(source.data() + path.size() + 1, source.data() + source.size(), line);
  }
  return line;
}

class DirectoryLinter {
 public:
  explicit DirectoryLinter(fs::path directory) : directory_(std::move(directory)) {}

  std::vector<LintFinding> Run() {
    const std::vector<std::string> paths = List();
    for (const std::string& path : paths) LintFile(path);
    // What no single file shows: owners, permissions, links, trust, waivers, filters.
    const bool host_is_sound = std::ranges::none_of(
        paths, [&](const std::string& path) { return IsHosts(path) && HasFaults(path); });
    if (!host_is_sound || !LintHost()) return std::move(findings_);
    for (const std::string& path : paths) {
      if (!IsHosts(path) && !HasFaults(path)) LintGrants(path);
    }
    return std::move(findings_);
  }

 private:
  static bool IsHosts(const std::string& path) {
    return path == "policy.json" || path.starts_with("policy.d/");
  }
  [[nodiscard]] bool HasFaults(const std::string& path) const {
    return std::ranges::any_of(findings_, [&](const LintFinding& finding) {
      return finding.file == FullName(path) && finding.level == LintLevel::kFault;
    });
  }
  // A fault of the directory that is no line's.
  void AddUntrusted(std::string message) {
    const std::string prefix = "policy " + directory_.string() + ": ";
    if (message.starts_with(prefix)) message.erase(0, prefix.size());
    findings_.push_back({directory_, 0, LintLevel::kFault, "untrusted", std::move(message)});
  }
  [[nodiscard]] std::string FullName(const std::string& path) const { return directory_ / path; }

  void Add(const std::string& path, std::size_t line, const char* kind, std::string message,
           LintLevel level = LintLevel::kFault) {
    findings_.push_back({FullName(path), line, level, kind, std::move(message)});
  }

  // The files that could be meant as the policy's, relative to the directory, sorted.
  std::vector<std::string> List() {
    std::vector<std::string> paths;
    std::error_code fault;
    for (const fs::directory_entry& entry : fs::directory_iterator(directory_, fault)) {
      const std::string name = entry.path().filename();
      constexpr std::string_view kFolders[] = {"policy.d", "images", "digests", "pods"};
      constexpr std::string_view kNames[] = {"policy.json", "policy.d", "images", "digests",
                                             "pods"};
      if (std::ranges::find(kFolders, name) != std::end(kFolders)) {
        ListFolder(entry.path(), paths);
      } else if (name == "policy.json") {
        paths.push_back(name);
      } else if (const auto meant = Nearest(name, kNames); !meant.empty()) {
        Add(name, 0, "unreachable", "is read by nobody; did you mean " + Quoted(meant) + "?");
      }
    }
    std::ranges::sort(paths);
    return paths;
  }

  void ListFolder(const fs::path& folder, std::vector<std::string>& paths) {
    std::error_code fault;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder, fault)) {
      if (entry.is_directory(fault) && !entry.is_symlink(fault)) continue;
      const std::string path = entry.path().lexically_relative(directory_);
      const std::string name = entry.path().filename();
      if (name.starts_with("README")) continue;
      if (!name.ends_with(kSuffix) || name.starts_with('.')) {
        Add(path, 0, "unreachable", "is not read: only files that end in .json are");
      } else if (path.starts_with("policy.d/") && entry.path().parent_path() != folder) {
        Add(path, 0, "unreachable", "is not read: policy.d has no folders");
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
    for (const policy::Fault& fault :
         policy::FindFaults(*text, place.kind, rules::Schemas(), IsSyscall)) {
      Add(path, fault.line, "format", fault.message);
    }
  }

  [[nodiscard]] Result<policy::Effective> Load(const engine::Identity* identity,
                                               std::int64_t today) const {
    return policy::Load(directory_, rules::Schemas(),
                        {.identity = identity,
                         .today = today,
                         .shipped_directory = "/nonexistent",
                         .directory_must_exist = true,
                         .origins = true});
  }

  bool LintHost() {
    const auto policy = Load(nullptr, Today());
    if (!policy) {
      AddUntrusted(policy.error().message);
      return false;
    }
    for (const std::string& fault : FilterFaults(*policy)) Add("policy.json", 0, "seccomp", fault);
    LintWaivers("policy", *policy, nullptr);
    return true;
  }

  // Waivers of the sources that begin with `source`; `identity` as they were loaded for.
  void LintWaivers(const std::string& source, const policy::Effective& policy,
                   const engine::Identity* identity) {
    const auto later = Load(identity, Today() + kSoonDays);
    for (std::size_t i = 0; i < policy.waivers.size(); ++i) {
      const policy::WaiverUse& waiver = policy.waivers[i];
      if (!waiver.source.starts_with(source)) continue;
      const std::string path = waiver.source.substr(0, waiver.source.rfind(':'));
      const std::size_t line = LineOf(waiver.source, path);
      const std::string of = "the waiver of " + waiver.rule + " ";
      if (waiver.void_because == "expired") {
        Add(path, line, "waiver-expired", of + "expired on " + waiver.expires);
      } else if (!waiver.void_because.empty()) {
        Add(path, line, "waiver-void", of + "counts for nothing: " + waiver.void_because);
      } else if (later && i < later->waivers.size() && !later->waivers[i].void_because.empty()) {
        Add(path, line, "waiver-expires", of + "expires on " + waiver.expires, LintLevel::kWarning);
      }
    }
  }

  // What an image's file asks for and would not get, as well trusted as it can be and then known by
  // its tag alone.
  void LintGrants(const std::string& path) {
    engine::Identity identity = PlaceOf(path).identity;
    const auto document = json::Read(ReadText(directory_ / path).value_or(""), {.comments = true});
    const bool is_pinned = document && document->is_object() && document->contains("digests");
    if (is_pinned) identity.config_digest = document->at("digests").front().get<std::string>();
    const auto policy = Load(&identity, Today());
    if (!policy) {
      // A fault of another file that is read for the same image is told there.
      const bool is_told = std::ranges::any_of(findings_, [](const LintFinding& finding) {
        return finding.kind == "format" || finding.kind == "untrusted";
      });
      if (!is_told) AddUntrusted(policy.error().message);
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
    const bool touches_seccomp =
        document && document->contains("rules") && document->at("rules").contains("seccomp");
    if (touches_seccomp) {
      for (const std::string& fault : FilterFaults(*policy)) Add(path, 0, "seccomp", fault);
    }
    if (is_pinned || identity.names.empty()) return;
    identity.names.front().tier = engine::Tier::kTag;
    const auto by_tag = Load(&identity, Today());
    if (!by_tag) return;
    for (const policy::Cut& cut : cuts_of(*by_tag)) {
      const bool is_told = std::ranges::any_of(cuts, [&](const policy::Cut& told) {
        return told.source == cut.source && told.parameter == cut.parameter;
      });
      if (is_told) continue;
      Add(path, LineOf(cut.source, path), "beyond-tag",
          cut.parameter + " " + cut.value +
              " is not for images that are known by their tag alone (loaded or built here); pin "
              "their digests",
          LintLevel::kWarning);
    }
  }

  fs::path directory_;
  std::vector<LintFinding> findings_;
};

// One policy.json, wherever it lies.
std::vector<LintFinding> LintFile(const std::string& file, const std::string& text) {
  std::vector<LintFinding> findings;
  for (const policy::Fault& fault :
       policy::FindFaults(text, FileKind::kPolicy, rules::Schemas(), IsSyscall)) {
    findings.push_back({file, fault.line, LintLevel::kFault, "format", fault.message});
  }
  if (!findings.empty()) return findings;
  const auto policy = policy::Parse(text, file, rules::Schemas(), {.today = Today()});
  if (!policy) return {{file, 0, LintLevel::kFault, "format", policy.error().message}};
  for (const std::string& fault : FilterFaults(*policy)) {
    findings.push_back({file, 0, LintLevel::kFault, "seccomp", fault});
  }
  return findings;
}

}  // namespace

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
  if (type != fs::file_type::directory) {
    const auto text = ReadText(path);
    if (!text) return Error{path + " cannot be read"};
    return ReportLint(LintFile(path, *text), path + ": no faults", request.format, style);
  }
  std::string directory = path;
  while (directory.size() > 1 && directory.ends_with('/')) directory.pop_back();
  const std::string file = directory + "/policy.json";
  const bool has_file = fs::exists(fs::symlink_status(file, fault));
  return ReportLint(DirectoryLinter(directory).Run(),
                    has_file ? directory + ": no faults" : "no faults; no policy.json" + nothing,
                    request.format, style);
}

}  // namespace runclad::ctl
