#include "runclad/enforce/facts.hpp"

#include <algorithm>
#include <ctime>
#include <optional>
#include <string_view>
#include <utility>

#include "runclad/enforce/subject.hpp"
#include "runclad/engine/layout.hpp"
#include "runclad/engine/own_files.hpp"
#include "runclad/host/directories.hpp"
#include "runclad/host/hidden_files.hpp"
#include "runclad/host/hooks.hpp"
#include "runclad/host/kernel.hpp"
#include "runclad/host/lsm.hpp"
#include "runclad/host/namespaces.hpp"
#include "runclad/host/places.hpp"
#include "runclad/host/program.hpp"
#include "runclad/host/root.hpp"
#include "runclad/host/runtime_state.hpp"
#include "runclad/host/sources.hpp"
#include "runclad/oci/user_namespace.hpp"
#include "runclad/rules/path_lists.hpp"
#include "runclad/rules/pod_sandbox.hpp"
#include "runclad/store/hidden_cache.hpp"
#include "runclad/sys/process.hpp"
#include "runclad/sys/rootfs.hpp"

#include "image_volume_facts.hpp"
#include "mount_option_facts.hpp"
#include "scan_facts.hpp"

namespace runclad::enforce {
namespace {

bool IsOn(const policy::Effective& policy, std::string_view rule) {
  return policy.rule(rule).action != policy::Action::kOff;
}

// Empty where the rule is off.
host::PathLists::List ListOf(const policy::RuleSetting& setting, std::string_view parameter) {
  if (setting.action == policy::Action::kOff) return {};
  return setting.parameters.strings(parameter);
}

// Empty when the spec has none.
std::string RootOf(const oci::Spec& spec, const Request& request) {
  const std::string root = spec.root_path();
  return root.empty() || root.starts_with('/') ? root : request.bundle + "/" + root;
}

// What the image is known to write and does not get: what its file asked for beyond the host's
// trust, and what its config declares (ctr makes no volumes of these; the other engines do).
std::vector<rules::WrittenDirectory> Written(const policy::Effective& policy,
                                             const engine::Identity& identity) {
  std::vector<rules::WrittenDirectory> written;
  for (const policy::Cut& cut : policy.cuts) {
    if (cut.parameter != "read-only-rootfs/writable") continue;
    written.push_back({cut.value, "is written by this image, says " + cut.source +
                                      ", and becomes read-only: it " + cut.because});
  }
  if (!identity.is_known()) return written;
  for (const std::string& path : identity.volumes) {
    written.push_back({path,
                       "is a volume by the image's own word, and becomes read-only: no volume is "
                       "mounted there"});
  }
  return written;
}

// Where a path leads in the container; kept, since most are asked for more than once.
Result<std::string> ResolveOnce(const std::string& path, const sys::Rootfs& rootfs,
                                rules::Facts& facts) {
  const auto known = facts.resolved_destinations.find(path);
  if (known != facts.resolved_destinations.end()) return known->second;
  auto resolved = rootfs.Resolve(path);
  if (resolved) facts.resolved_destinations.emplace(path, *resolved);
  return resolved;
}

host::HiddenLists HiddenListsOf(const policy::RuleSetting& setting) {
  if (setting.action == policy::Action::kOff) return {};
  return {setting.parameters.strings("paths"), setting.parameters.strings("programs"),
          setting.parameters.strings("packages")};
}

Status GatherRootfs(const oci::Spec& spec, const policy::Effective& policy, const Request& request,
                    const Subject& subject, rules::Facts& facts) {
  const std::string root = RootOf(spec, request);
  if (root.empty()) return {};
  const auto rootfs = sys::Rootfs::Open(root);
  // Without a rootfs no container starts; the lower runtime says so best.
  if (!rootfs) return {};
  if (const auto status = rootfs->Examine("/")) {
    facts.root.device = status->st_dev;
    facts.root.inode = status->st_ino;
  }
  host::Places places = host::FindPlaces(spec, root, request.bundle);
  facts.resolved_destinations.merge(places.destinations);
  facts.uncertain_destinations = std::move(places.uncertain_destinations);
  facts.working_directory = std::move(places.working_directory);
  facts.hardened_paths = std::move(places.hardened_paths);
  // Of a document by hand (runcladctl check) the image is anybody's word.
  const host::HiddenLists lists = HiddenListsOf(policy.rule("hidden-paths"));
  auto found =
      subject.layout.id.empty()
          ? host::FindHidden(lists, *rootfs).facts
          : store::FindHidden(lists, *rootfs, {.identity = subject.identity, .root = root});
  if (!found) return found.error().In("hidden-paths");
  facts.hidden = *std::move(found);
  auto gathered = GatherMountOptions(spec, policy.rule("mount-options"), *rootfs, facts);
  if (!gathered) return gathered.error().In("mount-options.exec-paths");
  const policy::RuleSetting& setting = policy.rule("read-only-rootfs");
  if (setting.action == policy::Action::kOff || spec.root_is_read_only()) return {};
  std::vector<std::string> writable = {"/tmp", "/var/tmp", "/run"};
  const std::vector<std::string>& listed = setting.parameters.strings("writable");
  writable.insert(writable.end(), listed.begin(), listed.end());
  for (const std::string& path : writable) {
    const auto resolved = ResolveOnce(path, *rootfs, facts);
    if (!resolved) return resolved.error().In("a writable directory");
    facts.directories.try_emplace(*resolved, host::DescribeDirectory(spec, *rootfs, *resolved));
  }
  if (setting.action != policy::Action::kFix) return {};
  facts.written = Written(policy, facts.identity);
  for (const rules::WrittenDirectory& directory : facts.written) {
    const auto resolved = ResolveOnce(directory.path, *rootfs, facts);
    if (!resolved) return resolved.error().In("a directory that the image writes");
  }
  return {};
}

// Whether the container has the host's ipc namespace by leave of host-namespaces.
bool MayHaveHostIpc(const oci::Spec& spec, const policy::Effective& policy,
                    const rules::Facts& facts) {
  const auto& allowed = policy.rule("host-namespaces").parameters.strings("allow");
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

Status GatherHost(const oci::Spec& spec, const policy::Effective& policy, const Request& request,
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
  if (const auto root = oci::MappedRoot(spec)) own_files.AddMappedRoot(*root);
  const host::PathLists lists = rules::PathListsOf(policy.rule("host-mounts").parameters);
  const host::ImagesBySource images =
      host::GatherSources(spec, lists, ListOf(policy.rule("read-only-mounts"), "paths"),
                          request.bundle, own_files, facts.sources);
  if (auto gathered = GatherImageVolumes(spec, images, policy, request, facts); !gathered) {
    return gathered;
  }
  const policy::RuleSetting& rootfs_path = policy.rule("rootfs-path");
  if (rootfs_path.action != policy::Action::kOff) {
    facts.root = host::DescribeRoot(spec, rootfs_path.parameters.strings("allow"), request.bundle,
                                    subject.layout, subject.identity.own_layer);
  }
  if (request.starts_at_once && !facts.root.resolved.empty()) {
    facts.root.replaceable_because =
        host::ReplaceableBecause(lists, subject.layout, facts.root.resolved);
  }
  if (IsOn(policy, "hooks")) {
    host::GatherHooks(spec, subject.layout, facts.hooks);
  }
  return {};
}

// <state>/io.containerd.runtime.v2.task/<namespace>/<id>
std::string NameSpaceOf(const engine::Layout& layout) {
  if (layout.engine != engine::Engine::kContainerd) return {};
  const std::string directory = layout.bundle.substr(0, layout.bundle.rfind('/'));
  return directory.substr(directory.rfind('/') + 1);
}

// None where no rule asks.
Result<std::optional<rules::ProgramFacts>> GatherProgram(
    const oci::Spec& spec, const policy::Effective& policy, const std::string& root,
    const std::map<std::string, std::string>& resolved) {
  constexpr std::string_view kRules[] = {"program", "capabilities", "no-new-privileges"};
  const bool is_asked_for =
      std::ranges::any_of(kRules, [&](std::string_view rule) { return IsOn(policy, rule); });
  if (!is_asked_for) return std::optional<rules::ProgramFacts>();
  return host::FindProgram(spec, root, resolved);
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
  Scan scan = GatherScan(policy.rule("image"), facts.identity, std::time(nullptr));
  facts.scan = std::move(scan.found);
  facts.no_scan_because = std::move(scan.missing_because);
  facts.kernel = host::FindKernel(spec);
  if (IsOn(policy, "lsm-label")) facts.lsm = host::GatherLsm(spec, facts.identity.engine);
  facts.listed_devices = policy.rule("devices").parameters.strings("allow");
  if (auto gathered = GatherHost(spec, policy, request, subject, facts); !gathered) {
    return gathered.error();
  }
  if (auto gathered = GatherRootfs(spec, policy, request, subject, facts); !gathered) {
    return gathered.error();
  }
  auto program = GatherProgram(spec, policy, RootOf(spec, request), facts.resolved_destinations);
  if (!program) return program.error();
  facts.program = *std::move(program);
  return facts;
}

Result<rules::Facts> GatherProcessFacts(const oci::Spec& process, const policy::Effective& policy,
                                        const engine::Identity& identity, const std::string& root) {
  rules::Facts facts;
  facts.identity = identity;
  if (IsOn(policy, "lsm-label")) facts.lsm = host::GatherLsm(process, identity.engine);
  auto program = GatherProgram(process, policy, root, {});
  if (!program) return program.error();
  facts.program = *std::move(program);
  facts.working_directory = host::FindWorkingDirectory(process, root);
  return facts;
}

}  // namespace runclad::enforce
