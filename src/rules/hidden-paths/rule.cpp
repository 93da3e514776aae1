// hidden-paths: programs and files of the image that the container cannot reach.
#include "runclad/rules/rule.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "rules/binding.hpp"
#include "rules/hidden-paths/facts.hpp"
#include "rules/hidden-paths/parameters.hpp"

namespace runclad::rules {
namespace {

using hidden_paths::HiddenFiles;

constexpr Code kUsable{"usable", "files that the policy hides would be usable", Symptom::kHidden};
constexpr Code kKept{
    "kept", "a file that the policy hides stays usable, because hiding it would hide others"};
constexpr Code kCodes[] = {kUsable, kKept};

// Neither has a remedy: the files are part of the image and were not requested, and to list
// everything that was hidden would suggest hiding nothing.
Findings Check(const oci::Spec& spec, const Context& /*context*/, const HiddenFiles& hidden) {
  Findings findings;
  if (!hidden.paths.empty()) {
    std::vector<std::string> paths = spec.masked_paths();
    const std::unordered_set<std::string> masked(paths.begin(), paths.end());
    const std::size_t before = paths.size();
    std::ranges::copy_if(hidden.paths, std::back_inserter(paths),
                         [&](const std::string& path) { return !masked.contains(path); });
    if (const std::size_t added = paths.size() - before; added > 0) {
      std::string why = "leaves " + paths[before];
      if (added > 1) why += " and " + std::to_string(added - 1) + " more";
      findings.push_back(Propose(kUsable, "/linux/maskedPaths", paths, why + " usable"));
    }
  }
  for (const HiddenFacts::Kept& kept : hidden.kept) {
    findings.push_back(
        Note(kKept, "/linux/maskedPaths", kept.path, "stays usable: it " + kept.because));
  }
  return findings;
}

constexpr std::string_view kPaths[] = {"/linux/maskedPaths"};
constexpr policy::Action kActions[] = {policy::Action::kFix, policy::Action::kRefuse,
                                       policy::Action::kWarn, policy::Action::kOff};

}  // namespace

extern constinit const Rule kHiddenPaths{
    .schema = {.id = "hidden-paths",
               .actions = kActions,
               .parameters = hidden_paths::kParameters.schemas()},
    .title = "Tools in the image that it does not need are hidden",
    .rationale =
        "The tools that an intruder needs next (wget, nc, a package manager, a compiler) are often "
        "in the image already. A hidden file is empty and cannot be executed, for exec too. If one "
        "file is several programs (busybox), hiding one of them would hide the shell as well: the "
        "file stays usable and is logged, and so is a package database that cannot be read.",
    .way_out = "remove it from hidden-paths.programs, paths or packages with a waiver",
    .codes = kCodes,
    .benchmarks = {},
    .paths = kPaths,
    .scope = Scope::kContainer,
    .check = Bind<Check>(),
};

}  // namespace runclad::rules
