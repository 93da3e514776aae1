#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include <nlohmann/json.hpp>

#include "runclad/enforce/host_policy.hpp"
#include "runclad/engine/named_images.hpp"
#include "runclad/json/reader.hpp"
#include "runclad/privilege/capabilities.hpp"
#include "runclad/rules/catalog.hpp"
#include "runclad/rules/parameters.hpp"
#include "runclad/store/break_glass.hpp"
#include "runclad/store/trials.hpp"

#include "sections.hpp"

namespace runclad::doctor {
namespace {

namespace fs = std::filesystem;
using json::Document;
using policy::Action;

std::vector<std::string> DigestsIn(const Document& part) {
  std::vector<std::string> digests;
  const Document listed = part.value("digests", Document::array());
  if (!listed.is_array()) return digests;
  for (const Document& digest : listed) {
    if (digest.is_string()) digests.push_back(digest.get<std::string>());
  }
  return digests;
}

// Adds the name if an engine has images under it, and one of them has no pinned digest.
void CheckPins(const std::string& repository, const std::string& tag,
               const std::vector<std::string>& pins, std::vector<std::string>& unheld) {
  if (pins.empty()) return;
  for (const engine::NamedImage& image : engine::FindNamedImages({repository, tag, ""})) {
    const bool is_held = std::ranges::any_of(image.digests, [&](const std::string& digest) {
      return std::ranges::find(pins, digest) != pins.end();
    });
    if (is_held) continue;
    unheld.push_back(repository + (tag.empty() ? "" : ":" + tag));
    return;
  }
}

std::vector<std::string> UnheldPins(const std::string& directory) {
  std::vector<std::string> unheld;
  std::error_code fault;
  const fs::path images = fs::path(directory) / "images";
  for (fs::recursive_directory_iterator at(images, fault), end; !fault && at != end;
       at.increment(fault)) {
    const std::string name = at->path().lexically_relative(images);
    constexpr std::string_view kSuffix = ".json";
    if (!name.ends_with(kSuffix) || name.ends_with("_default.json")) continue;
    const std::string repository = name.substr(0, name.size() - kSuffix.size());
    std::ifstream file(at->path(), std::ios::binary);
    const std::string text(std::istreambuf_iterator<char>(file), {});
    const auto document = json::Read(text, {.comments = true});
    if (!document || !document->is_object()) continue;
    const std::vector<std::string> pins = DigestsIn(*document);
    const Document tags = document->value("tags", Document::object());
    if (!tags.is_object()) continue;
    for (const auto& [tag, part] : tags.items()) {
      const std::vector<std::string> own = part.is_object() ? DigestsIn(part) : pins;
      CheckPins(repository, tag, own.empty() ? pins : own, unheld);
    }
    if (!tags.contains("latest")) CheckPins(repository, "", pins, unheld);
  }
  std::ranges::sort(unheld);
  return unheld;
}

bool Holds(const policy::Effective& policy, const rules::Rule& rule) {
  const Action action = policy.rule(rule.schema).action;
  return action == Action::kFix || action == Action::kRefuse;
}

}  // namespace

PolicyFacts GatherPolicy(const Options& options) {
  PolicyFacts facts;
  facts.directory = options.config_directory.value_or(std::string(policy::kDefaultConfigDirectory));
  const auto policy = enforce::LoadPolicy(options.config_directory);
  if (!policy) {
    facts.fault = policy.error().message;
  } else {
    // A revision that was put in force is read in place of the directory's own files.
    if (!policy->directory.empty()) facts.directory = policy->directory;
    facts.fell_back_because = policy->fell_back_because;
    facts.is_audit = policy->mode == policy::Mode::kAudit;
    facts.passes_rootless = policy->rootless == policy::Rootless::kPassThrough;
    facts.builds = policy->builds;
    const policy::RuleSetting& cgroup_path = policy->rule(rules::kCgroupPath.schema);
    facts.ignores_cgroup_parents = cgroup_path.action == policy::Action::kOff;
    facts.cgroup_parents = policy::Copied(rules::CgroupParents(cgroup_path));
  }
  if (const auto glass = store::FindBreakGlass(); !glass) {
    facts.break_glass_fault = glass.error().message;
  } else if (*glass) {
    facts.break_glass = (*glass)->reason + ", until " + (*glass)->until;
  }
  facts.abandoned_trials = store::AbandonedTrials();
  std::error_code fault;
  if (!fs::is_directory(facts.directory, fault)) return facts;
  if (options.lint) facts.faults = options.lint(facts.directory);
  facts.unheld_pins = UnheldPins(facts.directory);
  return facts;
}

Promised GatherPromised(const Options& options) {
  Promised promised;
  const auto policy = enforce::LoadPolicy(options.config_directory);
  if (!policy) return promised;
  promised.is_enforced = policy->is_enforced();
  if (Holds(*policy, rules::kCapabilities)) {
    for (const std::string& name :
         rules::AllowedCapabilities(policy->rule(rules::kCapabilities.schema))) {
      const auto canonical = privilege::CanonicalCapability(name);
      const auto number = canonical ? privilege::CapabilityNumber(*canonical) : std::nullopt;
      if (number) promised.bounding |= std::uint64_t{1} << static_cast<unsigned>(*number);
    }
  } else {
    promised.bounding = ~std::uint64_t{0};
  }
  promised.no_new_privileges = Holds(*policy, rules::kNoNewPrivileges);
  promised.seccomp = Holds(*policy, rules::kSeccomp);
  promised.read_only_root = Holds(*policy, rules::kReadOnlyRootfs);
  promised.masks = Holds(*policy, rules::kMaskedPaths) && Holds(*policy, rules::kReadonlyPaths);
  promised.refuses_host_mounts = Holds(*policy, rules::kHostMounts);
  promised.refuses_host_namespaces = Holds(*policy, rules::kHostNamespaces);
  promised.refuses_privileged = Holds(*policy, rules::kPrivileged);
  return promised;
}

}  // namespace runclad::doctor
