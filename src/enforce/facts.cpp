#include "runclad/enforce/facts.hpp"

#include <algorithm>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runclad/enforce/promise.hpp"
#include "runclad/enforce/subject.hpp"
#include "runclad/engine/layout.hpp"
#include "runclad/engine/own_files.hpp"
#include "runclad/host/container.hpp"
#include "runclad/host/directories.hpp"
#include "runclad/host/hooks.hpp"
#include "runclad/host/host_sys.hpp"
#include "runclad/host/kernel.hpp"
#include "runclad/host/lsm.hpp"
#include "runclad/host/namespaces.hpp"
#include "runclad/host/places.hpp"
#include "runclad/host/root.hpp"
#include "runclad/host/runtime_state.hpp"
#include "runclad/host/sources.hpp"
#include "runclad/rules/catalog.hpp"
#include "runclad/rules/parameters.hpp"
#include "runclad/rules/pod_sandbox.hpp"
#include "runclad/rules/rule.hpp"
#include "runclad/rules/scan.hpp"
#include "runclad/sys/process.hpp"
#include "runclad/sys/rootfs.hpp"

#include "asking.hpp"
#include "image_volume_facts.hpp"

namespace runclad::enforce {
namespace {

// Empty when the spec has none.
std::string RootOf(const oci::Spec& spec, const Request& request) {
  const std::string root = spec.root_path();
  return root.empty() || root.starts_with('/') ? root : request.bundle + "/" + root;
}

// <state>/io.containerd.runtime.v2.task/<namespace>/<id>
std::string NameSpaceOf(const engine::Layout& layout) {
  if (layout.engine != engine::Engine::kContainerd) return {};
  const std::string directory = layout.bundle.substr(0, layout.bundle.rfind('/'));
  return directory.substr(directory.rfind('/') + 1);
}

// The answers for a container that is to be made. Each function puts one answer, and asks what it
// needs itself.
class OfContainer {
 public:
  OfContainer(const oci::Spec& spec, const policy::Effective& policy, const Request& request,
              const Subject& subject)
      : spec_(spec),
        policy_(policy),
        request_(request),
        subject_(subject),
        origin_{.layout = subject.layout,
                .identity = subject.identity,
                .bundle = request.bundle,
                .root = RootOf(spec, request)},
        container_(spec, origin_) {}

  template <typename Question>
  Status Ask() {
    if ((asked_ & rules::kBitOf<Question>) != 0) return {};
    asked_ |= rules::kBitOf<Question>;
    return Answer(About<Question>());
  }

  host::Container& container() { return container_; }
  rules::Facts& facts() { return facts_; }

 private:
  Status Answer(About<engine::Identity> /*question*/) {
    facts_.Put(subject_.identity);
    return {};
  }

  Status Answer(About<rules::ContainerName> /*question*/) {
    facts_.Put(rules::ContainerName{request_.id, NameSpaceOf(subject_.layout)});
    return {};
  }

  Status Answer(About<rules::LowerRuntime> /*question*/) {
    facts_.Put(rules::LowerRuntime{request_.is_crun});
    return {};
  }

  Status Answer(About<rules::ImageFacts> /*question*/) {
    auto& image = facts_.Get<rules::ImageFacts>();
    image.mispinned_name = policy_.image.mispinned_name;
    image.pinned_digests = policy_.image.pinned;
    const policy::RuleSetting& setting = policy_.rule(rules::kImage.schema);
    if (setting.action != policy::Action::kOff) {
      rules::Scan scan = rules::FindScan(setting.parameters, subject_.identity, std::time(nullptr));
      image.scan = std::move(scan.found);
      image.no_scan_because = std::move(scan.missing_because);
    }
    if (auto asked = Ask<rules::Sources>(); !asked) return asked;
    return GatherImageVolumes(spec_, images_, policy_, request_, subject_.identity.pod_namespace,
                              image.volumes);
  }

  Status Answer(About<rules::KernelFacts> /*question*/) {
    facts_.Put(host::FindKernel(spec_));
    return {};
  }

  Status Answer(About<rules::LsmFacts> /*question*/) {
    facts_.Put(host::GatherLsm(spec_, subject_.identity.engine));
    return {};
  }

  Status Answer(About<rules::Program> /*question*/) {
    if (auto asked = Ask<rules::Destinations>(); !asked) return asked;
    const auto& program = container_.program();
    if (!program) return program.error();
    facts_.Put(*program);
    return {};
  }

  Status Answer(About<rules::Hooks> /*question*/) {
    host::GatherHooks(spec_, subject_.layout, facts_.Get<rules::Hooks>());
    return {};
  }

  Status Answer(About<rules::RootFacts> /*question*/) {
    rules::RootFacts root = host::DescribeRoot(
        spec_, policy::Copied(rules::AllowedRoots(policy_.rule(rules::kRootfsPath.schema))),
        request_.bundle, subject_.layout, subject_.identity.own_layer);
    if (request_.starts_at_once && !root.resolved.empty()) {
      root.replaceable_because =
          host::ReplaceableBecause(rules::PathListsOf(policy_.rule(rules::kHostMounts.schema)),
                                   subject_.layout, root.resolved);
    }
    facts_.Put(std::move(root));
    return {};
  }

  Status Answer(About<rules::Sources> /*question*/);

  Status Answer(About<rules::Namespaces> /*question*/) {
    const auto find_container = [this](pid_t pid) { return FindContainer(pid); };
    host::GatherNamespaces(spec_, subject_.layout, find_container, subject_.pod,
                           facts_.Get<rules::Namespaces>());
    return {};
  }

  Status Answer(About<rules::UserNamespace> /*question*/) {
    if (auto asked = Ask<rules::Namespaces>(); !asked) return asked;
    facts_.Put(host::DescribeUserNamespace(spec_, facts_.Get<rules::Namespaces>()));
    return {};
  }

  Status Answer(About<rules::HostSys> /*question*/) {
    facts_.Put(host::FindHostSys(spec_, subject_.layout));
    return {};
  }

  Status Answer(About<rules::ListedDevices> /*question*/) {
    facts_.Put(rules::ListedDevices{
        policy::Copied(rules::AllowedDevices(policy_.rule(rules::kDevices.schema)))});
    return {};
  }

  Status Answer(About<rules::Destinations> /*question*/) {
    // Without a rootfs no container starts; the lower runtime reports that best.
    const auto rootfs = container_.OpenRootfs();
    if (!rootfs) return {};
    if (const auto status = rootfs->Examine("/")) {
      facts_.Put(rules::RootDirectory{status->st_dev, status->st_ino});
    }
    host::Places places = host::FindPlaces(spec_, container_.root(), request_.bundle);
    facts_.Put(rules::Destinations{std::move(places.destinations),
                                   std::move(places.uncertain_destinations)});
    facts_.Put(std::move(places.working_directory));
    facts_.Put(rules::HardenedPaths{std::move(places.hardened_paths)});
    auto& resolved = facts_.Get<rules::Destinations>().resolved;
    container_.set_destinations(resolved);
    for (std::string& path : TmpfsPaths()) {
      if (resolved.contains(path)) continue;
      auto leads_to = rootfs->Resolve(path);
      if (!leads_to) return leads_to.error().In("a writable directory");
      resolved.emplace(std::move(path), *std::move(leads_to));
    }
    return {};
  }

  // Found together with the destinations.
  Status Answer(About<rules::WorkingDirectory> /*question*/) { return Ask<rules::Destinations>(); }
  Status Answer(About<rules::HardenedPaths> /*question*/) { return Ask<rules::Destinations>(); }
  Status Answer(About<rules::RootDirectory> /*question*/) { return Ask<rules::Destinations>(); }

  Status Answer(About<rules::ImageDirectories> /*question*/) {
    if (auto asked = Ask<rules::Destinations>(); !asked) return asked;
    const auto rootfs = container_.OpenRootfs();
    if (!rootfs) return {};
    auto& directories = facts_.Get<rules::ImageDirectories>().by_path;
    for (const std::string& path : TmpfsPaths()) {
      const std::string& resolved = facts_.Get<rules::Destinations>().Resolve(path);
      directories.try_emplace(resolved, host::DescribeDirectory(spec_, *rootfs, resolved));
    }
    return {};
  }

  Status Answer(About<rules::ExecDirectories> /*question*/) {
    const auto rootfs = container_.OpenRootfs();
    if (!rootfs) return {};
    auto& paths = facts_.Get<rules::ExecDirectories>().paths;
    for (const std::string& path : rules::ExecPaths(policy_.rule(rules::kMountOptions.schema))) {
      auto resolved = rootfs->Resolve(path);
      if (!resolved) return resolved.error().In("mount-options.exec-paths");
      paths.push_back(*std::move(resolved));
    }
    return {};
  }

  // Where read-only-rootfs may mount a tmpfs.
  [[nodiscard]] std::vector<std::string> TmpfsPaths() const {
    const policy::RuleSetting& setting = policy_.rule(rules::kReadOnlyRootfs.schema);
    if (setting.action == policy::Action::kOff || spec_.root_is_read_only()) return {};
    std::vector<std::string> paths = {"/tmp", "/var/tmp", "/run"};
    const policy::StringList listed = rules::WritablePaths(setting);
    paths.insert(paths.end(), listed.begin(), listed.end());
    return paths;
  }

  // The recorded container whose first process this is; empty: none.
  [[nodiscard]] std::string FindContainer(pid_t pid) const {
    const std::string& sandbox = subject_.pod.sandbox;
    std::string id = request_.records == nullptr ? std::string() : request_.records->FindByPid(pid);
    if (!id.empty() || sandbox.empty()) return id;
    // Its own pod's sandbox may be older than runclad on this host.
    const auto state = host::ReadRuntimeState(request_.runtime_root, sandbox);
    const bool is_of_sandbox =
        state && state->pid == pid && state->start_time == sys::StartTime(pid);
    return is_of_sandbox ? sandbox : std::string();
  }

  [[nodiscard]] bool MayHaveHostIpc() const;

  const oci::Spec& spec_;
  const policy::Effective& policy_;
  const Request& request_;
  const Subject& subject_;
  const host::Container::Origin origin_;
  host::Container container_;
  rules::Facts facts_;
  rules::QuestionSet asked_ = 0;
  host::ImagesBySource images_;  // found together with the sources
};

// Whether host-namespaces allows the container the host's ipc namespace.
bool OfContainer::MayHaveHostIpc() const {
  const policy::StringList allowed =
      rules::AllowedHostNamespaces(policy_.rule(rules::kHostNamespaces.schema));
  const bool is_allowed = std::ranges::find(allowed, "ipc") != allowed.end();
  if (!is_allowed && !rules::IsPodSandbox(spec_, subject_.identity)) return false;
  const auto& known = facts_.Get<rules::Namespaces>();
  const auto namespaces = spec_.namespaces();
  return std::ranges::none_of(namespaces, [&](const oci::Namespace& entry) {
    if (entry.type != "ipc") return false;
    const auto found = known.find(entry.path);
    return found == known.end() || found->second.owner != rules::NamespaceFacts::Owner::kHost;
  });
}

Status OfContainer::Answer(About<rules::Sources> /*question*/) {
  if (auto asked = Ask<rules::UserNamespace>(); !asked) return asked;
  const auto& namespaces = facts_.Get<rules::Namespaces>();
  engine::OwnFiles own_files(subject_.layout, host::JoinedPeers(spec_, namespaces), subject_.pod);
  own_files.AddSharers([&](std::string_view id, std::string_view type) {
    if (request_.records == nullptr) return false;
    const auto record = request_.records->FindLife(id);
    if (!record || !record->has_value() || (*record)->pid == 0) return false;
    const pid_t pid = (*record)->pid;
    return host::IsInJoined(pid, type, spec_, namespaces) &&
           sys::StartTime(pid) == (*record)->start_time;
  });
  own_files.AddVolumes(subject_.identity.local_volumes);
  if (MayHaveHostIpc()) own_files.AddHostShm();
  const auto& user_namespace = facts_.Get<rules::UserNamespace>();
  if (user_namespace) own_files.AddMappedRoot(user_namespace->root);
  const host::PathLists lists = rules::PathListsOf(policy_.rule(rules::kHostMounts.schema));
  images_ = host::GatherSources(spec_, lists,
                                rules::ReadOnlyPaths(policy_.rule(rules::kReadOnlyMounts.schema)),
                                request_.bundle, own_files, facts_.Get<rules::Sources>());
  return {};
}

}  // namespace

Result<rules::Facts> GatherFacts(const oci::Spec& spec, const policy::Effective& policy,
                                 const Request& request, const Subject& subject) {
  // The record keeps the identity.
  constexpr rules::QuestionSet kRecorded =
      PromiseFacts::kQuestions | rules::kBitOf<engine::Identity>;
  OfContainer answers(spec, policy, request, subject);
  return GatherFrom(answers, policy, rules::Scope::kContainer, kRecorded);
}

}  // namespace runclad::enforce
