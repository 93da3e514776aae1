#include "advice.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <set>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "runclad/base/path.hpp"
#include "runclad/json/reader.hpp"
#include "runclad/rules/catalog.hpp"
#include "runclad/rules/meaning.hpp"
#include "runclad/rules/parameters.hpp"
#include "runclad/rules/rule.hpp"

#include "remedies.hpp"

namespace runclad::ctl {
namespace {

using json::Document;
using rules::Symptom;

constexpr const rules::Rule& kCapabilities = rules::kCapabilities;
constexpr const rules::Rule& kRootfs = rules::kReadOnlyRootfs;
constexpr const rules::Rule& kMounts = rules::kMountOptions;

// What identifies this image: the name that was asked for, or the only one; else only its
// digest, since of several names each must grant what is granted.
std::string FileOf(const engine::Identity& image) {
  std::set<std::string> repositories;
  for (const engine::ImageName& name : image.names) {
    // Nothing would be granted for such a name.
    if (name.tier != engine::Tier::kNone) repositories.insert(name.reference.repository);
  }
  if (image.asked_for) repositories = {image.asked_for->repository};
  if (repositories.size() == 1) return "images/" + *repositories.begin() + ".json";
  constexpr std::string_view kAlgorithm = "sha256:";
  if (!image.config_digest.starts_with(kAlgorithm)) return {};
  return "digests/sha256/" + image.config_digest.substr(kAlgorithm.size()) + ".json";
}

std::optional<Document> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  const std::string text(std::istreambuf_iterator<char>(file), {});
  auto document = json::Read(text, {.comments = true});
  return document && document->is_object() ? std::optional(*std::move(document)) : std::nullopt;
}

// What the list has and `more` adds to it.
void Merge(Document& list, const Document& more) {
  if (!list.is_array()) list = Document::array();
  for (const Document& element : more) {
    if (std::ranges::find(list, element) == list.end()) list.push_back(element);
  }
}

// `file` with the lines over it.
Document With(Document file, const PolicyLines& lines) {
  for (const auto& [rule, parameters] : lines.rules.document().items()) {
    for (const auto& [parameter, value] : parameters.items()) {
      Document& member = file["rules"][rule][parameter];
      if (value.is_array()) {
        Merge(member, value);
      } else {
        member = value;
      }
    }
  }
  for (const Document& waiver : lines.waivers.document()) file["waivers"].push_back(waiver);
  if (!file.contains("rules")) file["rules"] = Document::object();
  return file;
}

// By its place: an image's file is found by a name, and holds for what it pins.
void Pin(Document& file, const Story& story, const policy::Effective& of_image) {
  if (story.image.config_digest.empty()) return;
  Merge(file["digests"], of_image.image.pinned);
  Merge(file["digests"], Document::array({story.image.config_digest}));
}

// What these refuse as a whole is not mended by what another rule could grant.
bool IsBeyondSettings(const Finding& finding) {
  const Document& remedy = finding.remedy.document();
  const bool has_line = remedy.contains("rules") || remedy.contains("waiver");
  const rules::Rule* rule = rules::FindRule(finding.rule);
  return !has_line && (rule == &rules::kImage || rule == &rules::kPrivileged);
}

bool IsTaken(const Finding& finding) {
  return finding.action == "fixed" && SymptomOf(finding) != Symptom::kNone;
}

std::vector<std::string> StringsOf(const Document& list) {
  std::vector<std::string> strings;
  for (const Document& element : list) {
    if (element.is_string()) strings.push_back(element.get<std::string>());
  }
  return strings;
}

// The list that a remedy has for `rule` and `parameter`.
std::vector<std::string> ListOf(const Finding& finding, const char* kind,
                                const rules::ParameterPlace& place) {
  const json::Document& remedy = finding.remedy.document();
  const auto path = Document::json_pointer() / kind / place.rule() / place.parameter();
  return remedy.is_object() && remedy.contains(path) ? StringsOf(remedy.at(path))
                                                     : std::vector<std::string>();
}

Finding GrantOf(const rules::ParameterPlace& place, std::vector<std::string> values) {
  Finding finding;
  finding.rule = place.rule();
  finding.action = "fixed";
  Document remedy;
  remedy["rules"][finding.rule][place.parameter()] = std::move(values);
  finding.remedy = json::Value(std::move(remedy));
  return finding;
}

bool IsBelow(const std::string& path, policy::StringList directories) {
  return std::ranges::any_of(
      directories, [&](const std::string& directory) { return IsAtOrBelow(path, directory); });
}

// What was taken, as settings that give it back, with what the image is known to write. System
// calls are left out: they come back with their capabilities, and the others are named one by one.
std::vector<Finding> Trial(const std::vector<Finding>& taken, const std::vector<Finding>& rest) {
  std::vector<Finding> trial;
  std::vector<std::string> programs;
  for (const Finding& finding : taken) {
    auto writable = ListOf(finding, "trial", rules::kWritablePaths);
    auto runnable = ListOf(finding, "rules", rules::kExecPaths);
    programs.insert(programs.end(), writable.begin(), writable.end());
    programs.insert(programs.end(), runnable.begin(), runnable.end());
    if (!writable.empty()) trial.push_back(GrantOf(rules::kWritablePaths, std::move(writable)));
  }
  for (const Finding& finding : rest) {
    if (CodeOf(finding) != rules::kImageWrites) continue;
    auto declared = ListOf(finding, "rules", rules::kWritablePaths);
    std::erase_if(declared, [&](const std::string& path) { return IsBelow(path, programs); });
    if (declared.empty()) continue;
    programs.insert(programs.end(), declared.begin(), declared.end());
    trial.push_back(GrantOf(rules::kWritablePaths, std::move(declared)));
  }
  if (!programs.empty()) trial.push_back(GrantOf(rules::kExecPaths, std::move(programs)));
  CapabilitiesTaken capabilities = CapabilitiesTakenBy(taken);
  if (!capabilities.asked_for_all) {
    std::ranges::move(capabilities.asked_for, std::back_inserter(capabilities.of_engine));
  }
  if (!capabilities.of_engine.empty()) {
    trial.push_back(GrantOf(rules::kAllowedCapabilities, std::move(capabilities.of_engine)));
  }
  return trial;
}

// Each tmpfs that read-only-rootfs made.
std::vector<std::string> Tmpfs(const std::vector<Finding>& findings) {
  std::vector<std::string> directories;
  for (const Finding& finding : findings) {
    const Document& after = finding.after.document();
    if (finding.rule != kRootfs.id() || !after.is_object()) continue;
    const auto destination = after.find("destination");
    if (destination != after.end() && destination->is_string()) directories.push_back(*destination);
  }
  return directories;
}

// Where programs may run besides on those tmpfs: volumes.
std::vector<std::string> ExecPathsElsewhere(const std::vector<std::string>& tmpfs,
                                            const policy::Effective& of_image) {
  const policy::StringList writable = rules::WritablePaths(of_image.rule(kRootfs.schema));
  std::vector<std::string> paths;
  for (const std::string& path : rules::ExecPaths(of_image.rule(kMounts.schema))) {
    if (!IsBelow(path, tmpfs) && !IsBelow(path, writable)) paths.push_back(path);
  }
  return paths;
}

// The image's file with those of its directories that are used.
json::Value Narrowed(Document file, const Usage& usage, const std::vector<std::string>& elsewhere,
                     const policy::Effective& of_image) {
  const policy::StringList writable = rules::WritablePaths(of_image.rule(kRootfs.schema));
  const auto has_exec_paths =
      file.contains(Document::json_pointer() / "rules" / rules::kExecPaths.rule() /
                    rules::kExecPaths.parameter());
  if (writable.empty() && !has_exec_paths) return {};
  const auto list = [&](const rules::ParameterPlace& place) -> Document& {
    return file["rules"][place.rule()][place.parameter()];
  };
  Document used = Document::array();
  for (const std::string& path : usage.written) {
    if (IsBelow(path, writable)) used.push_back(path);
  }
  if (!writable.empty()) list(rules::kWritablePaths) = std::move(used);
  Document programs = usage.programs;
  for (const std::string& path : elsewhere) {
    const auto& idle = usage.without_programs;
    if (std::ranges::find(idle, path) == idle.end()) programs.push_back(path);
  }
  list(rules::kExecPaths) = std::move(programs);
  return json::Value(std::move(file));
}

}  // namespace

Symptom SymptomOf(const Finding& finding) {
  const rules::Code* code = CodeOf(finding);
  return code == nullptr ? Symptom::kNone : code->symptom;
}

bool IsInTrial(const Finding& taken) {
  const rules::Rule* const tried[] = {&kCapabilities, &rules::kSeccomp, &kRootfs, &kMounts};
  return std::ranges::find(tried, rules::FindRule(taken.rule)) != std::end(tried);
}

CapabilitiesTaken CapabilitiesTakenBy(const std::vector<Finding>& findings) {
  // A program has what is effective or ambient; the bounding set alone gives a user without
  // privileges nothing, since no program may raise them.
  constexpr std::string_view kPrefix = "/process/capabilities/";
  constexpr std::size_t kMany = 12;
  const auto& schema = kCapabilities.schema.parameters.front();
  const auto defaults = std::get<std::span<const std::string_view>>(schema.docker_default);
  CapabilitiesTaken taken;
  const auto add = [](std::vector<std::string>& names, const std::string& name) {
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  };
  for (const Finding& finding : findings) {
    if (finding.rule != kCapabilities.id() || !finding.path.starts_with(kPrefix)) continue;
    const std::string set = finding.path.substr(kPrefix.size());
    if (set != "effective" && set != "ambient") continue;
    const std::vector<std::string> left = StringsOf(finding.after.document());
    for (const std::string& name : StringsOf(finding.before.document())) {
      if (std::ranges::find(left, name) != left.end()) continue;
      const bool is_default = std::ranges::find(defaults, name) != defaults.end();
      add(is_default ? taken.of_engine : taken.asked_for, name);
    }
  }
  taken.asked_for_all = taken.asked_for.size() >= kMany;
  return taken;
}

std::string WhyRoot(const Finding& finding) {
  for (const std::string& entry : ListOf(finding, "waiver", rules::kExactMounts)) {
    if (const std::string_view why = rules::WhyHostRoot(entry); !why.empty()) {
      return std::string(why);
    }
  }
  const rules::Code* code = CodeOf(finding);
  return code != nullptr && code->grant == rules::Grant::kHostRoot ? code->meaning : "";
}

bool EqualsRoot(const Finding& finding) { return !WhyRoot(finding).empty(); }

Advice AdviceFor(const Story& story, const AdviceRequest& request) {
  Advice advice;
  for (const Finding& finding : story.findings) {
    (finding.action == "refused" ? advice.refused
     : IsTaken(finding)          ? advice.taken
                                 : advice.rest)
        .push_back(finding);
  }
  advice.host = json::Value(Document::object());
  advice.is_beyond_settings = std::ranges::any_of(advice.refused, IsBeyondSettings);
  if (advice.is_beyond_settings) return advice;
  std::vector<Finding> asked = advice.refused;
  // What was asked for by name belongs to the same request.
  CapabilitiesTaken capabilities = CapabilitiesTakenBy(advice.taken);
  if (!asked.empty() && !capabilities.asked_for.empty() && !capabilities.asked_for_all) {
    asked.push_back(GrantOf(rules::kAllowedCapabilities, std::move(capabilities.asked_for)));
  }
  if (request.with_rest) {
    asked.insert(asked.end(), advice.rest.begin(), advice.rest.end());
    std::ranges::copy_if(advice.taken, std::back_inserter(asked), std::not_fn(IsInTrial));
  }
  advice.host = json::Value(With(Document::object(), LinesFor(asked, request.host, request.today)));
  advice.cuts = request.of_image.cuts;

  advice.file = FileOf(story.image);
  if (advice.file.empty()) return advice;
  advice.path = request.config_directory + "/" + advice.file;
  auto file = ReadFile(advice.path);
  advice.file_exists = file.has_value();
  if (!file) {
    file = ReadFile(std::string(policy::kShippedDirectory) + "/" + advice.file);
    // It says how the shipped grants were found, not the ones that come here.
    if (file) file->erase("provenance");
  }
  if (!file) file = Document::object();
  if (advice.file.starts_with("images/")) Pin(*file, story, request.of_image);
  advice.image = json::Value(With(*file, LinesFor(asked, request.of_image, request.today)));
  const std::vector<Finding> trial = Trial(advice.taken, advice.rest);
  if (!trial.empty()) {
    // Who tries out what a program needs does not mean to grant that by the way.
    std::erase_if(asked, EqualsRoot);
    asked.insert(asked.end(), trial.begin(), trial.end());
    advice.trial = json::Value(With(*file, LinesFor(asked, request.of_image, request.today)));
  }
  if (story.pid == 0) return advice;
  const std::vector<std::string> tmpfs = Tmpfs(story.findings);
  const std::vector<std::string> elsewhere = ExecPathsElsewhere(tmpfs, request.of_image);
  advice.usage = UsageOf(story.pid, story.container, tmpfs, elsewhere);
  if (advice.usage) {
    advice.narrowed = Narrowed(*file, *advice.usage, elsewhere, request.of_image);
    advice.is_narrow = advice.file_exists && advice.narrowed.document() == *file;
  }
  return advice;
}

}  // namespace runclad::ctl
