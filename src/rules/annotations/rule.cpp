// annotations: labels that anybody may choose are no orders to the runtime.
#include "runclad/rules/rule.hpp"

#include <algorithm>
#include <string>
#include <string_view>

#include "runclad/json/pointer.hpp"

namespace runclad::rules {
namespace {

// "run.oci.*" stands for every name that begins so.
bool IsListed(const std::vector<std::string>& patterns, std::string_view name) {
  return std::ranges::any_of(patterns, [&](const std::string_view pattern) {
    return pattern.ends_with('*') ? name.starts_with(pattern.substr(0, pattern.size() - 1))
                                  : name == pattern;
  });
}

bool IsMadeOf(std::string_view text, std::string_view characters) {
  return !text.empty() && text.find_first_not_of(characters) == std::string_view::npos;
}

// What CRI-O and podman set of systemd's units on their own, with the values that they give.
bool IsEngines(std::string_view name, std::string_view value) {
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

constexpr Code kOrder{"order", "the annotation is one that a runtime or systemd acts on"};
constexpr Code kCodes[] = {kOrder};

// A name that ends with * would keep others as well.
Remedy Keeping(const std::string& name) {
  return name.ends_with('*') ? NoRemedy("in annotations.keep it would stand for other names, too")
                             : AddTo("keep", {name});
}

Findings Check(const oci::Spec& spec, const Context& context) {
  const std::vector<std::string>& removed = context.parameters.strings("remove");
  const std::vector<std::string>& kept = context.parameters.strings("keep");
  Findings findings;
  for (const auto& [name, value] : spec.annotations()) {
    if (!IsListed(removed, name) || IsListed(kept, name) || IsEngines(name, value)) continue;
    findings.push_back(ProposeRemove(kOrder, "/annotations/" + json::Escape(name),
                                     "is an order to the runtime", Keeping(name)));
  }
  return findings;
}

constexpr policy::ParameterSchema Names(std::string_view name, policy::Merge merge,
                                        std::string_view description) {
  return {.name = name,
          .type = policy::ParameterType::kStrings,
          .merge = merge,
          .vocabulary = policy::Vocabulary::kAny,
          .choices = {},
          .description = description,
          .order = merge == policy::Merge::kReplace ? policy::Order::kMoreIsLooser
                                                    : policy::Order::kFewerIsLooser,
          .docker_default = std::span<const std::string_view>()};
}
constexpr policy::ParameterSchema kParameters[] = {
    Names("remove", policy::Merge::kAccumulate,
          "annotations that are taken out; run.oci.* stands for all that begin so"),
    Names("keep", policy::Merge::kReplace, "those that stay although `remove` names them"),
};
constexpr std::string_view kPaths[] = {"/annotations"};
constexpr policy::Action kActions[] = {policy::Action::kFix, policy::Action::kRefuse,
                                       policy::Action::kWarn, policy::Action::kOff};

}  // namespace

extern constinit const Rule kAnnotations{
    .schema = {.id = "annotations", .actions = kActions, .parameters = kParameters},
    .title = "Annotations are no orders",
    .rationale =
        "Whoever may name a container may annotate it, and runtimes obey some annotations: crun "
        "replaces the seccomp filter or writes a file of the host, systemd takes any property of a "
        "unit, runc's own label of the bundle can be forged. CRI-O's and podman's own stay.",
    .way_out = "list the annotation in annotations.keep",
    .codes = kCodes,
    .benchmarks = {},
    .paths = kPaths,
    .scope = Scope::kContainer,
    .check = Check,
};

}  // namespace runclad::rules
