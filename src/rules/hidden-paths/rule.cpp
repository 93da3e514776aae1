// hidden-paths: programs and files of the image that the container cannot reach.
#include "runclad/rules/rule.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace runclad::rules::hidden_paths {
Status Gather(const Asked& asked, Facts& facts);  // gather.cpp
}

namespace runclad::rules {
namespace {

constexpr Code kUsable{"usable", "files that the policy hides could be used"};
constexpr Code kKept{"kept", "a file that the policy hides stays, as hiding it would hide others"};
constexpr Code kCodes[] = {kUsable, kKept};

// Neither has a remedy: nobody asked for the files, which are the image's own, and to name all that
// was hidden would advise to hide nothing.
Findings Check(const oci::Spec& spec, const Context& context) {
  const HiddenFacts& hidden = context.facts.hidden;
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
      findings.push_back(Propose(kUsable, "/linux/maskedPaths", paths, why + " to be used"));
    }
  }
  for (const HiddenFacts::Kept& kept : hidden.kept) {
    findings.push_back(
        Note(kKept, "/linux/maskedPaths", kept.path, "stays usable: it " + kept.because));
  }
  return findings;
}

constexpr policy::ParameterSchema List(std::string_view name, policy::Vocabulary vocabulary,
                                       std::string_view description) {
  return {.name = name,
          .type = policy::ParameterType::kStrings,
          .merge = policy::Merge::kAccumulate,
          .vocabulary = vocabulary,
          .choices = {},
          .description = description,
          .order = policy::Order::kFewerIsLooser,
          .docker_default = std::span<const std::string_view>()};
}
constexpr policy::ParameterSchema kParameters[] = {
    List("paths", policy::Vocabulary::kAbsolutePath,
         "files and directories in the container; * ? [] match within a component"),
    List("programs", policy::Vocabulary::kAny,
         "names of programs, in /bin, /sbin and those of /usr and /usr/local"),
    List("packages", policy::Vocabulary::kAny,
         "names of dpkg, apk and rpm packages whose files are hidden, their documentation apart"),
};
constexpr std::string_view kPaths[] = {"/linux/maskedPaths"};
constexpr policy::Action kActions[] = {policy::Action::kFix, policy::Action::kRefuse,
                                       policy::Action::kWarn, policy::Action::kOff};

}  // namespace

extern constinit const Rule kHiddenPaths{
    .schema = {.id = "hidden-paths", .actions = kActions, .parameters = kParameters},
    .title = "Tools of the image that it does not need",
    .rationale =
        "What an intruder needs next - wget, nc, a package manager, a compiler - is often in the "
        "image already. A file that is hidden is empty and does not run, for exec as well. Where "
        "one file is many programs (busybox), hiding one of them would hide the shell: it is left, "
        "and the log says so, as it names a database of packages that cannot be read.",
    .way_out = "take it from hidden-paths.programs, paths or packages with a waiver",
    .codes = kCodes,
    .benchmarks = {},
    .paths = kPaths,
    .scope = Scope::kContainer,
    .gather = hidden_paths::Gather,
    .check = Check,
};

}  // namespace runclad::rules
