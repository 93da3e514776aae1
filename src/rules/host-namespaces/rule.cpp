// host-namespaces: a container has namespaces of its own, or those of a container that runclad made
// (CIS 5.10, 5.16, 5.17, 5.21).
#include "runclad/rules/rule.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runclad/policy/table.hpp"
#include "runclad/rules/parameters.hpp"
#include "runclad/rules/pod_sandbox.hpp"

#include "rules/binding.hpp"

namespace runclad::rules {
namespace {

using Owner = NamespaceFacts::Owner;
using Known = Reading<Namespaces, engine::Identity>;

// cgroup is not among them: engines leave it out on cgroup v1. user and time are absent by default;
// a path for one of them can only be another container's or the host's, and grants nothing here.
constexpr std::array<std::string_view, 5> kTypes = {"pid", "network", "ipc", "uts", "mount"};

struct Parameters {
  policy::StringList allow;
  policy::StringList join;
};

// Not mount: whoever has the host's mounts has the host.
constexpr std::string_view kAllowable[] = {"network", "pid", "ipc", "uts"};
constexpr auto kParameters = policy::TableOf<Parameters>({
    {&Parameters::allow,
     {.name = "allow",
      .choices = kAllowable,
      .description = "host namespaces that a container may use",
      .counts_while_off = true}},
    {&Parameters::join,
     {.name = "join",
      .choices = kTypes,
      .description = "types of namespace that may be joined if they belong to another container "
                     "created through runclad"}},
});

bool Has(policy::StringList names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

const NamespaceFacts& FactsOf(const oci::Namespace& entry, Known known) {
  static const NamespaceFacts unknown;
  const Namespaces& namespaces = known.Get<Namespaces>();
  const auto found = namespaces.find(entry.path);
  return found == namespaces.end() ? unknown : found->second;
}

// host::GatherNamespaces leaves out the id where it is this container's own pod that is joined.
bool IsOwnSandbox(const NamespaceFacts& facts) {
  return facts.owner == Owner::kContainer && facts.container.empty();
}

// The containers that the spec joins with all of network and ipc: the pod that it is a member of.
std::vector<std::string> Pods(const std::vector<oci::Namespace>& namespaces, Known known) {
  const auto joined = [&](std::string_view type) {
    std::vector<std::string> containers;
    for (const oci::Namespace& entry : namespaces) {
      if (entry.type != type || entry.path.empty()) continue;
      const NamespaceFacts& facts = FactsOf(entry, known);
      if (facts.owner == Owner::kContainer) containers.push_back(facts.container);
    }
    return containers;
  };
  std::vector<std::string> pods = joined("network");
  const std::vector<std::string> by_ipc = joined("ipc");
  std::erase_if(pods, [&](const std::string& pod) { return !Has(by_ipc, pod); });
  return pods;
}

// A Kubernetes pod's member. Its sandbox's namespaces count as its own: facts have no other
// container's as a container's, but for pid.
bool IsOfKubernetesPod(Known known) { return !known.Get<engine::Identity>().pod_namespace.empty(); }

bool HasOwnNetwork(const std::vector<oci::Namespace>& namespaces, Known known) {
  return std::ranges::any_of(namespaces, [&](const oci::Namespace& entry) {
    return entry.type == "network" && FactsOf(entry, known).owner != Owner::kHost;
  });
}

// The types of which the container may have the host's.
std::vector<std::string> AllowedOfHost(const oci::Spec& spec, const Context& context, Known known) {
  std::vector<std::string> allowed = policy::Copied(kParameters.Read(context.parameters).allow);
  if (IsPodSandbox(spec, known.Get<engine::Identity>())) {
    allowed.insert(allowed.end(), {"network", "pid", "ipc", "uts"});
  }
  if (!IsOfKubernetesPod(known) || !Has(allowed, "network")) return allowed;
  // A pod with the host's network has the host's name: hostNetwork is one word for both.
  if (!HasOwnNetwork(spec.namespaces(), known)) allowed.emplace_back("uts");
  return allowed;
}

constexpr Code kHost{"host", "the namespace is the host's own"};
constexpr Code kMissing{
    "missing", "no namespace of this type is requested: the container would use the host's"};
constexpr Code kContainer{"container", "the namespace belongs to another container"};
constexpr Code kEngine{"engine", "an engine made the namespace for something else"};
constexpr Code kUnclaimed{"unclaimed",
                          "the engine's record does not give the namespace to this container"};
constexpr Code kForeign{"foreign",
                        "the namespace belongs to a process or container that it may not join"};
constexpr Code kUnreadable{"unreadable", "the namespace could not be examined"};
constexpr Code kCgroup{"cgroup", "the cgroup namespace is not the container's own"};
constexpr Code kCodes[] = {kHost,      kMissing, kContainer,  kEngine,
                           kUnclaimed, kForeign, kUnreadable, kCgroup};

// The pod's author asked for the host's namespaces, and the operator may grant them.
std::string PodOf(Known known) {
  const engine::Identity& identity = known.Get<engine::Identity>();
  if (!IsOfKubernetesPod(known)) return {};
  if (identity.is_sandbox) {
    return identity.is_known()
               ? ": a pod's sandbox may have it only if it runs nothing but pause"
               : ": a pod's sandbox may have it, but the image of this one is unknown: " +
                     identity.unknown_because;
  }
  return ", which its pod requests (hostNetwork, hostPID, hostIPC)";
}

// The host's, or one that is as good.
Remedy Allowing(std::string_view type, const std::vector<oci::Namespace>& namespaces, Known known) {
  if (type == "mount") return NoRemedy("access to the host's mounts is access to the host");
  const engine::Identity& identity = known.Get<engine::Identity>();
  if (!IsOfKubernetesPod(known) || identity.is_sandbox) {
    return AddTo(kParameters[&Parameters::allow], {std::string(type)});
  }
  // The name comes with the network.
  if (type == "uts" && !HasOwnNetwork(namespaces, known)) type = "network";
  return WaiveForPod(kParameters[&Parameters::allow], {std::string(type)}, identity.pod_namespace);
}

// What is wrong with an entry that has a path.
struct Fault {
  const Code& code;
  std::string why;  // a predicate
  Remedy remedy;
};

std::optional<Fault> FaultOf(const oci::Namespace& entry,
                             const std::vector<oci::Namespace>& namespaces,
                             const std::vector<std::string>& pods,
                             const std::vector<std::string>& allowed, const Context& context,
                             Known known) {
  const NamespaceFacts& facts = FactsOf(entry, known);
  const std::string name = entry.type + " namespace";
  switch (facts.owner) {
    case Owner::kHost:
      if (Has(allowed, entry.type)) return {};
      return Fault{kHost, "is the host's " + name + PodOf(known),
                   Allowing(entry.type, namespaces, known)};
    case Owner::kContainer:
      // shareProcessNamespace: the containers of a pod trust one another, and PSS allows it.
      if (IsOwnSandbox(facts) && entry.type == "pid") return {};
      if (Has(kParameters.Read(context.parameters).join, entry.type)) return {};
      if (IsOfKubernetesPod(known) && entry.type != "pid" && entry.type != "mount") return {};
      // A pod's members have its host name as they have its network.
      if (entry.type == "uts" && Has(pods, facts.container)) return {};
      return Fault{kContainer, "is the " + name + " of container " + facts.container,
                   AddTo(kParameters[&Parameters::join], {entry.type})};
    case Owner::kEngine:
      if (entry.type == "network" || entry.type == "ipc" || entry.type == "uts") return {};
      return Fault{kEngine, "is a " + name + " that an engine made for something else",
                   AskEngine("give it a " + name + " of its own")};
    case Owner::kUnclaimed:
      // An image that may use the host's namespace may also use one that was made on the host for
      // it.
      if (Has(kParameters.Read(context.parameters).allow, entry.type)) return {};
      return Fault{kUnclaimed,
                   "is a " + name + " that the engine's record does not give to this container",
                   Allowing(entry.type, namespaces, known)};
    case Owner::kForeign:
      if (!facts.container.empty()) {
        return Fault{kForeign,
                     "is the " + name + " of container " + facts.container +
                         ", which is not the sandbox of its pod",
                     AskEngine("join only namespaces of its own pod")};
      }
      return Fault{
          kForeign,
          "is the " + name + " of a process that is not in a container created through runclad",
          AskEngine("create the container that it joins through runclad as well")};
    case Owner::kUnreadable:
      break;
  }
  return Fault{kUnreadable, "cannot be examined and could be the host's " + name,
               NoRemedy("only a namespace that was examined may be joined")};
}

Findings Check(const oci::Spec& spec, const Context& context, Known known) {
  const std::vector<oci::Namespace> namespaces = spec.namespaces();
  const std::vector<std::string> pods = Pods(namespaces, known);
  const std::vector<std::string> allowed = AllowedOfHost(spec, context, known);
  Findings findings;
  for (const std::string_view type : kTypes) {
    bool is_there = false;
    for (std::size_t i = 0; i < namespaces.size(); ++i) {
      const oci::Namespace& entry = namespaces[i];
      if (entry.type != type) continue;
      is_there = true;
      if (entry.path.empty()) continue;
      std::optional<Fault> fault = FaultOf(entry, namespaces, pods, allowed, context, known);
      if (!fault) continue;
      findings.push_back(Refuse(fault->code, "/linux/namespaces/" + std::to_string(i) + "/path",
                                entry.path, std::move(fault->why), std::move(fault->remedy)));
    }
    if (is_there || Has(allowed, type)) continue;
    findings.push_back(Refuse(kMissing, "/linux/namespaces", {},
                              "has no " + std::string(type) +
                                  " namespace, so that the container would use the host's" +
                                  PodOf(known),
                              Allowing(type, namespaces, known)));
  }
  // Engines share it on cgroup v1, and it gives no power by itself; a request by path is reported.
  for (std::size_t i = 0; i < namespaces.size(); ++i) {
    const oci::Namespace& entry = namespaces[i];
    if (entry.type != "cgroup" || entry.path.empty()) continue;
    const bool is_host_namespace = FactsOf(entry, known).owner == Owner::kHost;
    findings.push_back(Note(kCgroup, "/linux/namespaces/" + std::to_string(i) + "/path", entry.path,
                            is_host_namespace ? "is the host's cgroup namespace"
                                              : "is not the container's own cgroup namespace",
                            AskEngine("run it with --cgroupns private")));
  }
  return findings;
}

constexpr std::string_view kBenchmarks[] = {"CIS 5.10", "CIS 5.16", "CIS 5.17", "CIS 5.21",
                                            "PSS baseline"};
constexpr std::string_view kPaths[] = {"/linux/namespaces"};
constexpr policy::Action kActions[] = {policy::Action::kRefuse, policy::Action::kWarn,
                                       policy::Action::kOff};

}  // namespace

extern constinit const Rule kHostNamespaces{
    .schema = {.id = "host-namespaces", .actions = kActions, .parameters = kParameters.schemas()},
    .title = "No host namespaces",
    .rationale =
        "With the host's network, a container can reach what listens on the loopback interface and "
        "on abstract sockets. With the host's pid namespace, it sees and may trace the host's "
        "processes; with the ipc namespace, it sees their shared memory. A path refers to the "
        "host's namespace if it is the same file, however it is spelt. A namespace that an engine "
        "pinned belongs to the container if the engine's record of the container says so, as far "
        "as such a record can be read.",
    .way_out = "allow the namespace for this image in host-namespaces.allow",
    .codes = kCodes,
    .benchmarks = kBenchmarks,
    .paths = kPaths,
    .scope = Scope::kContainer,
    .check = Bind<Check>(),
};

extern constinit const ParameterPlace kAllowedHostNamespaces{kHostNamespaces,
                                                             kParameters[&Parameters::allow]};

policy::StringList AllowedHostNamespaces(const policy::RuleSetting& setting) {
  return kParameters.ReadForOthers(setting).allow;
}

}  // namespace runclad::rules
