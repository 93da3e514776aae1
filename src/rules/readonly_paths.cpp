// readonly-paths: what no container may write below /proc.
#include <algorithm>

#include "runclad/rules/rule.hpp"

namespace runclad::rules {
namespace {

Findings Check(const oci::Spec& spec, const Context& context) {
  std::vector<std::string> paths = spec.readonly_paths();
  const std::vector<std::string> masked = spec.masked_paths();
  std::string missing;
  for (const std::string& path : context.parameters.strings("paths")) {
    // runc masks after it has made paths read-only, so masking is the stricter of the two.
    if (std::ranges::find(paths, path) != paths.end() ||
        std::ranges::find(masked, path) != masked.end()) {
      continue;
    }
    paths.push_back(path);
    missing += ' ' + path;
  }
  if (missing.empty()) return {};
  return {Propose("/linux/readonlyPaths", paths, "lacks" + missing)};
}

constexpr policy::ParameterSchema kParameters[] = {
    {.name = "paths",
     .type = policy::ParameterType::kStrings,
     .merge = policy::Merge::kAccumulate,
     .vocabulary = policy::Vocabulary::kAbsolutePath,
     .choices = {},
     .description = "paths in the container that nothing may write",
     .order = policy::Order::kFewerIsLooser,
     // As Docker has them; an image can only add to the list, so that the value never counts.
     .docker_default = std::span<const std::string_view>()},
};
constexpr std::string_view kBenchmarks[] = {"PSS baseline"};
constexpr std::string_view kPaths[] = {"/linux/readonlyPaths"};
constexpr policy::Action kActions[] = {policy::Action::kFix, policy::Action::kRefuse,
                                       policy::Action::kWarn, policy::Action::kOff};

}  // namespace

extern constinit const Rule kReadonlyPaths{
    .schema = {.id = "readonly-paths", .actions = kActions, .parameters = kParameters},
    .title = "Kernel settings are read-only",
    .rationale =
        "Whoever writes below /proc/sys, /proc/irq or /proc/sysrq-trigger changes the host: "
        "core_pattern runs programs there. The list is the union of what the engines make "
        "read-only by default.",
    .way_out =
        "ask the engine for the setting (docker run --sysctl), or set readonly-paths to warn",
    .benchmarks = kBenchmarks,
    .paths = kPaths,
    .scope = Scope::kContainer,
    .check = Check,
};

}  // namespace runclad::rules
