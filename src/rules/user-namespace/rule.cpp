// user-namespace: root in the container is not root on the host (CIS 2.9, 5.31).
#include "runclad/rules/rule.hpp"

#include <algorithm>

#include "runclad/policy/table.hpp"

#include "rules/binding.hpp"

namespace runclad::rules {
namespace {

struct Parameters {
  bool required = false;
};

constexpr auto kParameters = policy::TableOf<Parameters>({
    {&Parameters::required,
     {.name = "required",
      .description = "every container must have a user namespace",
      .order = policy::Order::kFalseIsLooser,
      .docker_default = false}},
});

constexpr Code kHostNamespace{"host", "the user namespace is the host's"};
constexpr Code kMissing{"missing", "required is set, and the container has no user namespace"};
constexpr Code kHostUser{"host-user", "the host's user 0 is mapped"};
constexpr Code kHostGroup{"host-group", "the host's group 0 is mapped"};
constexpr Code kCodes[] = {kHostNamespace, kMissing, kHostUser, kHostGroup};

bool IsHostNamespace(const oci::Namespace& entry, const Namespaces& known) {
  if (entry.path.empty()) return false;
  const auto found = known.find(entry.path);
  return found != known.end() && found->second.owner == NamespaceFacts::Owner::kHost;
}

void CheckMappings(const std::vector<oci::IdMapping>& mappings, const std::string& path,
                   const Code& code, const char* why, Findings& findings) {
  for (std::size_t i = 0; i < mappings.size(); ++i) {
    const oci::IdMapping& mapping = mappings[i];
    if (mapping.host_id != 0 || mapping.size == 0) continue;
    findings.push_back(Refuse(
        code, path + std::to_string(i) + "/hostID", 0, why,
        AskEngine("map it to other ids (dockerd's userns-remap, podman run --userns=auto)")));
  }
}

Findings Check(const oci::Spec& spec, const Context& context, const Namespaces& known) {
  Findings findings;
  bool has_own = false;
  const std::vector<oci::Namespace> namespaces = spec.namespaces();
  for (std::size_t i = 0; i < namespaces.size(); ++i) {
    const oci::Namespace& entry = namespaces[i];
    if (entry.type != "user") continue;
    has_own = !IsHostNamespace(entry, known);
    if (has_own) continue;
    findings.push_back(Refuse(kHostNamespace, "/linux/namespaces/" + std::to_string(i) + "/path",
                              entry.path, "is the host's user namespace",
                              AskEngine("run it without --userns=host")));
  }
  if (findings.empty() && !has_own && kParameters.Read(context.parameters).required) {
    findings.push_back(Refuse(kMissing, "/linux/namespaces", json::Value(), "has no user namespace",
                              SetTo(kParameters[&Parameters::required], false)));
  }
  CheckMappings(spec.uid_mappings(), "/linux/uidMappings/", kHostUser,
                "maps a user of the container to root on the host", findings);
  CheckMappings(spec.gid_mappings(), "/linux/gidMappings/", kHostGroup,
                "maps a group of the container to the host's group root", findings);
  return findings;
}

constexpr std::string_view kBenchmarks[] = {"CIS 2.9", "CIS 5.31"};
constexpr std::string_view kPaths[] = {"/linux/namespaces", "/linux/uidMappings",
                                       "/linux/gidMappings"};
constexpr policy::Action kActions[] = {policy::Action::kRefuse, policy::Action::kWarn,
                                       policy::Action::kOff};

}  // namespace

extern constinit const Rule kUserNamespace{
    .schema = {.id = "user-namespace", .actions = kActions, .parameters = kParameters.schemas()},
    .title = "No host root in a user namespace",
    .rationale =
        "In a user namespace, root has no privileges on the host, which blocks most ways out of a "
        "container. A mapping to the host's user 0 gives this up. Engines create user namespaces "
        "only if configured to.",
    .way_out = "map it to other ids (dockerd's userns-remap, podman run --userns=auto)",
    .codes = kCodes,
    .benchmarks = kBenchmarks,
    .paths = kPaths,
    .scope = Scope::kContainer,
    .check = Bind<Check>(),
};

}  // namespace runclad::rules
