// readonly-paths: what no container may write below /proc.
#include "runclad/rules/rule.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "runclad/policy/table.hpp"

#include "rules/binding.hpp"

namespace runclad::rules {
namespace {

struct Parameters {
  policy::StringList paths;
};

constexpr auto kParameters = policy::TableOf<Parameters>({
    {&Parameters::paths,
     {.name = "paths",
      .merge = policy::Merge::kAccumulate,
      .vocabulary = policy::Vocabulary::kAbsolutePath,
      .description = "paths in the container that no process may write"}},
});

constexpr Code kWritableRoot{"writable-root",
                             "/ is a read-only path, but the root is not read-only"};
constexpr Code kRoot{"root", "the list contains the root directory"};
constexpr Code kMissing{"missing", "paths of the policy are neither read-only nor masked",
                        Symptom::kReadOnly};
constexpr Code kCodes[] = {kWritableRoot, kRoot, kMissing};

Findings Check(const oci::Spec& spec, const Context& context, const HardenedPaths& hardened) {
  Findings findings;
  std::vector<std::string> paths = spec.readonly_paths();
  // The runtime mounts every mount of the container a second time over its root to say so; the root
  // itself is made read-only, which /root/readonly does without.
  const auto is_root = [&](const std::string& path) { return hardened.IsRoot(path); };
  if (std::erase_if(paths, is_root) > 0) {
    if (!spec.root_is_read_only() && !spec.root_path().empty()) {
      findings.push_back(Propose(kWritableRoot, "/root/readonly", true,
                                 "contradicts the read-only path /",
                                 AskEngine("omit / from the read-only paths")));
    }
    findings.push_back(
        Propose(kRoot, "/linux/readonlyPaths", paths,
                "contains the container's root, which /root/readonly makes read-only",
                AskEngine("request a read-only root (docker run --read-only)")));
  }
  const std::vector<std::string> masked = spec.masked_paths();
  std::vector<std::string> missing;
  for (const std::string& path : kParameters.Read(context.parameters).paths) {
    // runc masks after it has made paths read-only, so masking is the stricter of the two.
    if (std::ranges::find(paths, path) != paths.end() ||
        std::ranges::find(masked, path) != masked.end()) {
      continue;
    }
    paths.push_back(path);
    missing.push_back(path);
  }
  if (!missing.empty()) {
    std::string why = "lacks";
    for (const std::string& path : missing) why += ' ' + path;
    findings.push_back(Propose(kMissing, "/linux/readonlyPaths", std::move(paths), std::move(why),
                               TakeFrom(kParameters[&Parameters::paths], std::move(missing))));
  }
  return findings;
}

constexpr std::string_view kBenchmarks[] = {"PSS baseline"};
constexpr std::string_view kPaths[] = {"/linux/readonlyPaths", "/root/readonly"};
constexpr policy::Action kActions[] = {policy::Action::kFix, policy::Action::kRefuse,
                                       policy::Action::kWarn, policy::Action::kOff};

}  // namespace

extern constinit const Rule kReadonlyPaths{
    .schema = {.id = "readonly-paths", .actions = kActions, .parameters = kParameters.schemas()},
    .title = "Kernel settings are read-only",
    .rationale =
        "Writing below /proc/sys, /proc/irq or /proc/sysrq-trigger changes the host: core_pattern, "
        "for example, makes it run a program. The list is the union of what the engines make "
        "read-only by default.",
    .way_out =
        "request the setting from the engine (docker run --sysctl), or remove the path from "
        "readonly-paths.paths with a waiver for the image that writes there",
    .codes = kCodes,
    .benchmarks = kBenchmarks,
    .paths = kPaths,
    .scope = Scope::kContainer,
    .check = Bind<Check>(),
};

}  // namespace runclad::rules
