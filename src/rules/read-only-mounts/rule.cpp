// read-only-mounts: some directories of the host are only ever read.
#include "runclad/rules/rule.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "runclad/base/path.hpp"
#include "runclad/policy/table.hpp"
#include "runclad/rules/parameters.hpp"

#include "rules/bind_options.hpp"
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
      .description = "host paths that containers get read-only, including everything below them, "
                     "their ancestors and aliases; * ? [] match within a component"}},
});

constexpr Code kListed{"listed", "paths names the source, or what is above or below it",
                       Symptom::kReadOnly};
constexpr Code kCgroup{"cgroup", "the cgroup tree is mounted writable", Symptom::kReadOnly};
constexpr Code kUnknown{"unknown", "the source could not be identified", Symptom::kReadOnly};
constexpr Code kCodes[] = {kListed, kCgroup, kUnknown};

bool IsCgroup(const oci::Mount& mount) { return mount.type == "cgroup" || mount.type == "cgroup2"; }

// Below a file nothing is mounted, and older cruns take the recursive option of no file.
std::vector<std::string> OptionsFor(const oci::Mount& mount, const SourceFacts* source,
                                    const KernelFacts& kernel) {
  const bool is_file = source != nullptr && source->is_file;
  oci::Mount read_only = mount;
  read_only.options = ReadOnlyOptions(mount, mount.may_be_recursive() && !is_file, kernel);
  if (mount.is_bind()) KeepLaterMountsOut(read_only);
  return read_only.options;
}

// The entries of the list that the source is covered by. A pattern, or an entry that leads to it by
// another name, is not found here: the rule's way out says which list it is.
Remedy RemedyOf(const SourceFacts& source, policy::StringList listed) {
  std::vector<std::string> entries;
  for (const std::string& entry : listed) {
    if (IsAtOrBelow(source.resolved, entry) || IsAtOrBelow(entry, source.resolved)) {
      entries.push_back(entry);
    }
  }
  return entries.empty() ? Remedy() : TakeFrom(kParameters[&Parameters::paths], std::move(entries));
}

Finding ProposeReadOnly(std::string path, const std::vector<std::string>& options, std::string why,
                        const SourceFacts* source, const Context& context) {
  if (source == nullptr) {
    return Propose(kCgroup, std::move(path), options, std::move(why),
                   NoRemedy("the cgroup tree is the host's"));
  }
  if (source->access == SourceFacts::Access::kUnknown) {
    return Propose(kUnknown, std::move(path), options, std::move(why),
                   NoRemedy("a source that cannot be identified is always read-only"));
  }
  return Propose(kListed, std::move(path), options, std::move(why),
                 RemedyOf(*source, kParameters.Read(context.parameters).paths));
}

// Why the mount may only be read; empty when it need not.
std::string Why(const oci::Mount& mount, const SourceFacts* source) {
  if (!mount.is_bind()) return IsCgroup(mount) ? "is the cgroup tree, which the host owns" : "";
  if (source == nullptr || source->read_only_because.empty()) return "";
  const bool is_itself = source->resolved.empty() || source->resolved == mount.source;
  return mount.source + (is_itself ? " " : " leads to " + source->resolved + ", which ") +
         source->read_only_because;
}

Findings Check(const oci::Spec& spec, const Context& context, const Sources& sources,
               const KernelFacts& kernel) {
  Findings findings;
  const std::vector<oci::Mount>& mounts = spec.mounts();
  for (std::size_t i = 0; i < mounts.size(); ++i) {
    const auto found = sources.find(mounts[i].source);
    const SourceFacts* source = found == sources.end() ? nullptr : &found->second;
    const std::string why = Why(mounts[i], source);
    if (why.empty()) continue;
    std::vector<std::string> options = OptionsFor(mounts[i], source, kernel);
    if (options == mounts[i].options) continue;
    findings.push_back(ProposeReadOnly("/mounts/" + std::to_string(i) + "/options", options, why,
                                       mounts[i].is_bind() ? source : nullptr, context));
  }
  return findings;
}

constexpr std::string_view kPaths[] = {"/mounts/*/options"};
constexpr policy::Action kActions[] = {policy::Action::kFix, policy::Action::kRefuse,
                                       policy::Action::kWarn, policy::Action::kOff};

}  // namespace

extern constinit const Rule kReadOnlyMounts{
    .schema = {.id = "read-only-mounts", .actions = kActions, .parameters = kParameters.schemas()},
    .title = "Read-only access to listed host paths",
    .rationale =
        "host-mounts decides what may be mounted; an image's file can extend its lists, and a "
        "waiver can lift them. Paths listed here are mounted read-only regardless: directories "
        "that are shared with containers for reading, and the cgroup tree. As in host-mounts, a "
        "source is identified by what it is, not by its name, and mounts below it become read-only "
        "too. Sockets and devices can still be used through a read-only mount.",
    .way_out =
        "remove the path from read-only-mounts.paths with a waiver for the image that writes there",
    .codes = kCodes,
    .benchmarks = {},
    .paths = kPaths,
    .scope = Scope::kContainer,
    .check = Bind<Check>(),
};

policy::StringList ReadOnlyPaths(const policy::RuleSetting& setting) {
  return kParameters.ReadForOthers(setting).paths;
}

}  // namespace runclad::rules
