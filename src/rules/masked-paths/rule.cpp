// masked-paths: what no container may read below /proc and /sys.
#include "runclad/rules/rule.hpp"

#include <algorithm>
#include <utility>

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
      .description = "paths in the container that no process may read"}},
});

constexpr Code kRootMasked{"root-masked", "a mask of the container's root, which hides nothing"};
constexpr Code kUnmasked{"unmasked", "paths that must be masked are not"};
constexpr Code kCodes[] = {kRootMasked, kUnmasked};

Findings Check(const oci::Spec& spec, const Context& context, const HardenedPaths& hardened,
               const KernelFacts& kernel) {
  Findings findings;
  std::vector<std::string> paths = spec.masked_paths();
  // If an engine masks less than the policy, this was not requested: nothing is suggested.
  Remedy remedy;
  if (paths.empty()) {
    remedy = AskEngine("run it without --privileged and --security-opt systempaths=unconfined");
  }
  // Processes keep the root that they have, below the mask: nothing is hidden, and nothing is
  // widened without it. It would stand in the way of whoever looks which mount is the root.
  const auto is_root = [&](const std::string& path) { return hardened.IsRoot(path); };
  if (std::erase_if(paths, is_root) > 0) {
    findings.push_back(Propose(kRootMasked, "/linux/maskedPaths", paths,
                               "masks the container's root, which hides nothing from it"));
  }
  std::string missing;
  const auto add = [&](const std::string& path) {
    if (std::ranges::find(paths, path) != paths.end()) return;
    paths.push_back(path);
    missing += ' ' + path;
  };
  for (const std::string& path : kParameters.Read(context.parameters).paths) add(path);
  for (const std::string& path : kernel.thermal_throttle_paths) add(path);
  if (!missing.empty()) {
    findings.push_back(
        Propose(kUnmasked, "/linux/maskedPaths", paths, "lacks" + missing, std::move(remedy)));
  }
  return findings;
}

constexpr std::string_view kBenchmarks[] = {"PSS baseline"};
constexpr std::string_view kPaths[] = {"/linux/maskedPaths"};
constexpr policy::Action kActions[] = {policy::Action::kFix, policy::Action::kRefuse,
                                       policy::Action::kWarn, policy::Action::kOff};

}  // namespace

extern constinit const Rule kMaskedPaths{
    .schema = {.id = "masked-paths", .actions = kActions, .parameters = kParameters.schemas()},
    .title = "Kernel files that leak information are masked",
    .rationale =
        "Files below /proc and /sys reveal the host's memory, keys, timers and hardware, and "
        "provide side channels. The list is the union of what the engines mask by default, so that "
        "--security-opt systempaths=unconfined, unmask=ALL and --privileged have no effect on it. "
        "A mask of / hides nothing and is removed.",
    .way_out =
        "remove the path from masked-paths.paths with a waiver for the image that inspects the "
        "host",
    .codes = kCodes,
    .benchmarks = kBenchmarks,
    .paths = kPaths,
    .scope = Scope::kContainer,
    .check = Bind<Check>(),
};

}  // namespace runclad::rules
