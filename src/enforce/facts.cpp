#include "runclad/enforce/facts.hpp"

#include <algorithm>
#include <ctime>
#include <optional>
#include <string_view>
#include <utility>

#include "runclad/enforce/subject.hpp"
#include "runclad/engine/layout.hpp"
#include "runclad/engine/own_files.hpp"
#include "runclad/host/container.hpp"
#include "runclad/host/kernel.hpp"
#include "runclad/host/namespaces.hpp"
#include "runclad/host/places.hpp"
#include "runclad/host/runtime_state.hpp"
#include "runclad/host/sources.hpp"
#include "runclad/rules/parameters.hpp"
#include "runclad/rules/pod_sandbox.hpp"
#include "runclad/rules/rule.hpp"
#include "runclad/sys/process.hpp"
#include "runclad/sys/rootfs.hpp"

#include "image_volume_facts.hpp"

namespace runclad::enforce {
namespace {

// Empty where the rule read-only-mounts is off.
policy::StringList ReadOnlyPaths(const policy::Effective& policy) {
  const policy::RuleSetting& setting = policy.rule("read-only-mounts");
  if (setting.action == policy::Action::kOff) return {};
  return rules::ReadOnlyPaths(setting.parameters);
}

// Empty when the spec has none.
std::string RootOf(const oci::Spec& spec, const Request& request) {
  const std::string root = spec.root_path();
  return root.empty() || root.starts_with('/') ? root : request.bundle + "/" + root;
}

// Whether host-namespaces allows the container the host's ipc namespace.
bool MayHaveHostIpc(const oci::Spec& spec, const policy::Effective& policy,
                    const rules::Facts& facts) {
  const policy::StringList allowed =
      rules::AllowedHostNamespaces(policy.rule("host-namespaces").parameters);
  const bool is_allowed = std::ranges::find(allowed, "ipc") != allowed.end();
  if (!is_allowed && !rules::IsPodSandbox(spec, facts.identity)) return false;
  const auto namespaces = spec.namespaces();
  return std::ranges::none_of(namespaces, [&](const oci::Namespace& entry) {
    if (entry.type != "ipc") return false;
    const auto found = facts.namespaces.find(entry.path);
    return found == facts.namespaces.end() ||
           found->second.owner != rules::NamespaceFacts::Owner::kHost;
  });
}

// Whose namespaces and mount sources are, which several rules and the promise read.
Status GatherSources(const oci::Spec& spec, const policy::Effective& policy, const Request& request,
                     const Subject& subject, rules::Facts& facts) {
  const std::string& sandbox = subject.pod.sandbox;
  const auto find_container = [&](pid_t pid) {
    std::string id = request.records == nullptr ? std::string() : request.records->FindByPid(pid);
    if (!id.empty() || sandbox.empty()) return id;
    // Its own pod's sandbox may be older than runclad on this host.
    const auto state = host::ReadRuntimeState(request.runtime_root, sandbox);
    const bool is_of_sandbox =
        state && state->pid == pid && state->start_time == sys::StartTime(pid);
    return is_of_sandbox ? sandbox : std::string();
  };
  host::GatherNamespaces(spec, subject.layout, find_container, subject.pod, facts.namespaces);
  engine::OwnFiles own_files(subject.layout, host::JoinedPeers(spec, facts.namespaces),
                             subject.pod);
  own_files.AddSharers([&](std::string_view id, std::string_view type) {
    if (request.records == nullptr) return false;
    const auto record = request.records->FindLife(id);
    if (!record || !record->has_value() || (*record)->pid == 0) return false;
    const pid_t pid = (*record)->pid;
    return host::IsInJoined(pid, type, spec, facts.namespaces) &&
           sys::StartTime(pid) == (*record)->start_time;
  });
  if (MayHaveHostIpc(spec, policy, facts)) own_files.AddHostShm();
  facts.user_namespace = host::DescribeUserNamespace(spec, facts.namespaces);
  if (facts.user_namespace) own_files.AddMappedRoot(facts.user_namespace->root);
  const host::PathLists lists = rules::PathListsOf(policy.rule("host-mounts").parameters);
  const host::ImagesBySource images = host::GatherSources(spec, lists, ReadOnlyPaths(policy),
                                                          request.bundle, own_files, facts.sources);
  return GatherImageVolumes(spec, images, policy, request, facts);
}

// <state>/io.containerd.runtime.v2.task/<namespace>/<id>
std::string NameSpaceOf(const engine::Layout& layout) {
  if (layout.engine != engine::Engine::kContainerd) return {};
  const std::string directory = layout.bundle.substr(0, layout.bundle.rfind('/'));
  return directory.substr(directory.rfind('/') + 1);
}

// What is read by several rules and by the promise: identities and places.
void GatherShared(const oci::Spec& spec, const Request& request, host::Container& container,
                  rules::Facts& facts) {
  facts.kernel = host::FindKernel(spec);
  // Without a rootfs no container starts; the lower runtime reports that best.
  const auto rootfs = container.OpenRootfs();
  if (!rootfs) return;
  if (const auto status = rootfs->Examine("/")) {
    facts.root.device = status->st_dev;
    facts.root.inode = status->st_ino;
  }
  host::Places places = host::FindPlaces(spec, container.root(), request.bundle);
  facts.resolved_destinations = std::move(places.destinations);
  facts.uncertain_destinations = std::move(places.uncertain_destinations);
  facts.working_directory = std::move(places.working_directory);
  facts.hardened_paths = std::move(places.hardened_paths);
  container.set_destinations(facts.resolved_destinations);
}

// What each rule asks for itself.
Status GatherByRule(const policy::Effective& policy, rules::Scope scope, host::Container& container,
                    rules::Facts& facts) {
  for (const rules::Rule* rule : rules::Catalog()) {
    const policy::RuleSetting& setting = policy.rule(rule->id());
    const bool is_in_scope =
        scope == rules::Scope::kContainer || rule->scope == rules::Scope::kProcess;
    if (rule->gather == nullptr || setting.action == policy::Action::kOff || !is_in_scope) continue;
    const rules::Asked asked{container, setting.action, setting.parameters, policy.cuts,
                             std::time(nullptr)};
    if (auto gathered = rule->gather(asked, facts); !gathered) return gathered;
  }
  return {};
}

}  // namespace

Result<rules::Facts> GatherFacts(const oci::Spec& spec, const policy::Effective& policy,
                                 const Request& request, const Subject& subject) {
  rules::Facts facts;
  facts.container = request.id;
  facts.name_space = NameSpaceOf(subject.layout);
  facts.identity = subject.identity;
  facts.mispinned_name = policy.image.mispinned_name;
  facts.pinned_digests = policy.image.pinned;
  facts.listed_devices = policy::Copied(rules::AllowedDevices(policy.rule("devices").parameters));
  const host::Container::Origin origin{.layout = subject.layout,
                                       .identity = subject.identity,
                                       .bundle = request.bundle,
                                       .root = RootOf(spec, request)};
  host::Container container(spec, origin);
  GatherShared(spec, request, container, facts);
  if (auto gathered = GatherSources(spec, policy, request, subject, facts); !gathered) {
    return gathered.error();
  }
  auto gathered = GatherByRule(policy, rules::Scope::kContainer, container, facts);
  if (!gathered) return gathered.error();
  if (request.starts_at_once && !facts.root.resolved.empty()) {
    facts.root.replaceable_because =
        host::ReplaceableBecause(rules::PathListsOf(policy.rule("host-mounts").parameters),
                                 subject.layout, facts.root.resolved);
  }
  return facts;
}

Result<rules::Facts> GatherProcessFacts(const oci::Spec& process, const policy::Effective& policy,
                                        const engine::Identity& identity, const std::string& root) {
  rules::Facts facts;
  facts.identity = identity;
  const host::Container::Origin origin{
      .layout = {}, .identity = identity, .bundle = {}, .root = root};
  host::Container container(process, origin);
  facts.working_directory = host::FindWorkingDirectory(process, root);
  auto gathered = GatherByRule(policy, rules::Scope::kProcess, container, facts);
  if (!gathered) return gathered.error();
  return facts;
}

}  // namespace runclad::enforce
