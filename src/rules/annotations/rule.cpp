// annotations: users must not be able to control the runtime through annotations.
#include "runclad/rules/rule.hpp"

#include <algorithm>
#include <string>
#include <string_view>

#include "runclad/json/pointer.hpp"
#include "runclad/policy/table.hpp"

#include "rules/binding.hpp"

namespace runclad::rules {
namespace {

struct Parameters {
  policy::StringList remove;
  policy::StringList keep;
};

constexpr auto kParameters = policy::TableOf<Parameters>({
    {&Parameters::remove,
     {.name = "remove",
      .merge = policy::Merge::kAccumulate,
      .description = "annotations that are removed; run.oci.* matches all names with this prefix"}},
    {&Parameters::keep,
     {.name = "keep", .description = "annotations that are kept even if `remove` lists them"}},
});

// "run.oci.*" stands for every name that begins so.
bool IsListed(policy::StringList patterns, std::string_view name) {
  return std::ranges::any_of(patterns, [&](const std::string_view pattern) {
    return pattern.ends_with('*') ? name.starts_with(pattern.substr(0, pattern.size() - 1))
                                  : name == pattern;
  });
}

bool IsMadeOf(std::string_view text, std::string_view characters) {
  return !text.empty() && text.find_first_not_of(characters) == std::string_view::npos;
}

// What CRI-O and podman set of systemd's units on their own, with the values that they give.
bool IsSetByEngine(std::string_view name, std::string_view value) {
  constexpr std::string_view kPrefix = "org.systemd.property.";
  constexpr std::string_view kDigits = "0123456789";
  if (!name.starts_with(kPrefix)) return false;
  name.remove_prefix(kPrefix.size());
  if (name == "CollectMode") return value == "'inactive-or-failed'" || value == "'inactive'";
  if (name == "DefaultDependencies") return value == "true" || value == "false";
  if (name == "KillSignal") return IsMadeOf(value, kDigits);
  if (name == "TimeoutStopUSec") {
    constexpr std::string_view kType = "uint64 ";
    return IsMadeOf(value.starts_with(kType) ? value.substr(kType.size()) : value, kDigits);
  }
  // ['crio.service']
  return name == "After" && value.starts_with("['") && value.ends_with("']") &&
         IsMadeOf(value.substr(2, value.size() - 4),
                  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.@");
}

constexpr Code kOrder{"order", "a runtime or systemd acts on the annotation"};
constexpr Code kCodes[] = {kOrder};

// A name that ends with * would keep others as well.
Remedy Keeping(const std::string& name) {
  return name.ends_with('*') ? NoRemedy("in annotations.keep it would also match other names")
                             : AddTo(kParameters[&Parameters::keep], {name});
}

Findings Check(const oci::Spec& spec, const Context& context) {
  const Parameters parameters = kParameters.Read(context.parameters);
  Findings findings;
  for (const auto& [name, value] : spec.annotations()) {
    if (!IsListed(parameters.remove, name) || IsListed(parameters.keep, name) ||
        IsSetByEngine(name, value))
      continue;
    findings.push_back(ProposeRemove(kOrder, "/annotations/" + json::Escape(name),
                                     "changes what the runtime does", Keeping(name)));
  }
  return findings;
}

constexpr std::string_view kPaths[] = {"/annotations"};
constexpr policy::Action kActions[] = {policy::Action::kFix, policy::Action::kRefuse,
                                       policy::Action::kWarn, policy::Action::kOff};

}  // namespace

extern constinit const Rule kAnnotations{
    .schema = {.id = "annotations", .actions = kActions, .parameters = kParameters.schemas()},
    .title = "No annotations that runtimes act on",
    .rationale =
        "Anyone who may create a container may annotate it, and runtimes act on some annotations: "
        "crun replaces the seccomp filter or writes a file on the host, systemd accepts any unit "
        "property, and runc's own label for the bundle can be forged. Annotations that CRI-O and "
        "podman set themselves are kept.",
    .way_out = "add the annotation to annotations.keep",
    .codes = kCodes,
    .benchmarks = {},
    .paths = kPaths,
    .scope = Scope::kContainer,
    .check = Bind<Check>(),
};

}  // namespace runclad::rules
