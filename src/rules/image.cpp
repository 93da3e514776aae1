// image: which images may run at all, and that a familiar name means a familiar image
// (CIS 4.2).
#include <algorithm>

#include "runclad/rules/rule.hpp"

namespace runclad::rules {
namespace {

// What findings are about: no member of config.json says what a container is made of.
constexpr const char* kPath = "image";

bool Has(const std::vector<std::string>& texts, const std::string& text) {
  return std::ranges::find(texts, text) != texts.end();
}

// Whether `entry` of a list names the reference: its repository, that with the tag, everything
// below a "…/*", or its digest.
bool Matches(const std::string& entry, const engine::Reference& name) {
  if (entry.ends_with("/*")) {
    return name.repository.starts_with(entry.substr(0, entry.size() - 1));
  }
  return entry == name.repository || entry == name.repository + ":" + name.tag ||
         entry == name.repository + "@" + name.digest || entry == name.text();
}

bool HasDigest(const std::vector<std::string>& entries, const engine::Identity& identity) {
  return Has(entries, identity.config_digest) ||
         std::ranges::any_of(identity.manifest_digests,
                             [&](const std::string& digest) { return Has(entries, digest); });
}

bool HasName(const std::vector<std::string>& entries, const engine::Reference& name) {
  return std::ranges::any_of(entries,
                             [&](const std::string& entry) { return Matches(entry, name); });
}

// The image as a person knows it.
std::string NameOf(const engine::Identity& identity) {
  if (identity.asked_for) return identity.asked_for->text();
  if (!identity.names.empty()) return identity.names.front().reference.text();
  return identity.config_digest;
}

// A name that is denied denies the image under every other name; allowed it must be under the name
// that counts: the one that was asked for, or else all of them.
Findings CheckLists(const engine::Identity& identity, const Context& context) {
  const std::vector<std::string>& deny = context.parameters.strings("deny");
  if (HasDigest(deny, identity)) {
    return {Refuse(kPath, NameOf(identity), "has a digest that image.deny lists")};
  }
  for (const engine::ImageName& name : identity.names) {
    if (HasName(deny, name.reference)) {
      return {Refuse(kPath, name.reference.text(), "is listed in image.deny")};
    }
  }
  if (!context.parameters.boolean("only-listed")) return {};
  const std::vector<std::string>& allow = context.parameters.strings("allow");
  if (HasDigest(allow, identity)) return {};
  const bool is_listed =
      identity.asked_for
          ? HasName(allow, *identity.asked_for)
          : !identity.names.empty() &&
                std::ranges::all_of(identity.names, [&](const engine::ImageName& name) {
                  return HasName(allow, name.reference);
                });
  if (is_listed) return {};
  return {Refuse(kPath, NameOf(identity), "is not listed in image.allow")};
}

Findings Check(const oci::Spec& /*spec*/, const Context& context) {
  const Facts& facts = context.facts;
  const engine::Identity& identity = facts.identity;
  // runcladctl may ask about a name alone.
  if (!identity.is_known() && identity.names.empty()) {
    const bool is_required =
        context.parameters.boolean("only-listed") || context.parameters.boolean("known-only");
    if (!is_required) return {};
    return {Refuse(kPath, json::Value(),
                   "is unknown: " + (identity.unknown_because.empty() ? "nothing was found out"
                                                                      : identity.unknown_because))};
  }
  if (!facts.mispinned_name.empty()) {
    std::string pinned;
    for (const std::string& digest : facts.pinned_digests) pinned += " " + digest;
    return {Refuse(kPath, facts.mispinned_name,
                   "is made of " +
                       (identity.is_known() ? identity.config_digest : "an unknown digest") +
                       ", and the name is pinned to" + pinned)};
  }
  return CheckLists(identity, context);
}

constexpr policy::ParameterSchema kParameters[] = {
    {.name = "allow",
     .type = policy::ParameterType::kStrings,
     .merge = policy::Merge::kReplace,
     .vocabulary = policy::Vocabulary::kImage,
     .choices = {},
     .description = "images that may run when only-listed is set",
     .order = policy::Order::kMoreIsLooser,
     .docker_default = std::span<const std::string_view>()},
    {.name = "deny",
     .type = policy::ParameterType::kStrings,
     .merge = policy::Merge::kAccumulate,
     .vocabulary = policy::Vocabulary::kImage,
     .choices = {},
     .description = "images that may not run, under whatever other names they are known as well",
     .order = policy::Order::kFewerIsLooser,
     .docker_default = std::span<const std::string_view>()},
    {.name = "only-listed",
     .type = policy::ParameterType::kBoolean,
     .merge = policy::Merge::kReplace,
     .vocabulary = policy::Vocabulary::kAny,
     .choices = {},
     .description = "refuse every image that allow does not list",
     .order = policy::Order::kFalseIsLooser,
     .docker_default = true},
    {.name = "known-only",
     .type = policy::ParameterType::kBoolean,
     .merge = policy::Merge::kReplace,
     .vocabulary = policy::Vocabulary::kAny,
     .choices = {},
     .description = "refuse a container whose image the engine's state does not prove",
     .order = policy::Order::kFalseIsLooser,
     .docker_default = true},
};
constexpr std::string_view kBenchmarks[] = {"CIS 4.2"};
constexpr std::string_view kPaths[] = {"image"};
constexpr policy::Action kActions[] = {policy::Action::kRefuse, policy::Action::kWarn,
                                       policy::Action::kOff};

}  // namespace

extern constinit const Rule kImage{
    .schema = {.id = "image", .actions = kActions, .parameters = kParameters},
    .title = "Only images that the policy knows",
    .rationale =
        "Whoever may ask the engine for a container may also load, build and tag images: a name "
        "says nothing until it is held to a digest. The image is told by the engine's own state on "
        "disk, never by annotations or environment. A name whose file pins digests means exactly "
        "these images.",
    .way_out = "list the image in image.allow, or its digest in the digests of its file",
    .benchmarks = kBenchmarks,
    .paths = kPaths,
    .scope = Scope::kContainer,
    .check = Check,
};

}  // namespace runclad::rules
