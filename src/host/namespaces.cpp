#include "runclad/host/namespaces.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

#include "runclad/base/unique_fd.hpp"
#include "runclad/engine/pins.hpp"
#include "runclad/engine/podman_pod.hpp"
#include "runclad/oci/user_namespace.hpp"
#include "runclad/sys/directory.hpp"
#include "runclad/sys/file.hpp"
#include "runclad/sys/mounts.hpp"
#include "runclad/sys/user_namespace.hpp"

namespace runclad::host {
namespace {

using Owner = NamespaceFacts::Owner;

// The kernel's name of a namespace under /proc/PID/ns.
std::string_view NameInProc(std::string_view type) {
  if (type == "network") return "net";
  if (type == "mount") return "mnt";
  return type;
}

std::optional<sys::Inode> Identify(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return sys::Inode{.device = status.st_dev, .number = status.st_ino};
}

// Our own namespaces are the engine's; process 1's are the host's where we may look at them. Every
// kind is compared, whatever the spec says the path is.
bool IsHostNamespace(const sys::Inode& inode) {
  constexpr const char* kNames[] = {"net", "pid", "ipc", "uts", "mnt", "user", "cgroup", "time"};
  return std::ranges::any_of(kNames, [&](const std::string& name) {
    return inode == Identify("/proc/self/ns/" + name) || inode == Identify("/proc/1/ns/" + name);
  });
}

// The process of /proc/PID/ns/<name>, in exactly that spelling.
std::optional<pid_t> ProcessOf(std::string_view path, std::string_view type) {
  constexpr std::string_view kProc = "/proc/";
  if (!path.starts_with(kProc)) return std::nullopt;
  path.remove_prefix(kProc.size());
  pid_t pid = 0;
  const auto [end, fault] = std::from_chars(path.data(), path.data() + path.size(), pid);
  if (fault != std::errc() || pid <= 0) return std::nullopt;
  path.remove_prefix(static_cast<std::size_t>(end - path.data()));
  if (path != "/ns/" + std::string(NameInProc(type))) return std::nullopt;
  return pid;
}

// Whether an engine pinned the namespace there, below one of the directories that it keeps for it.
bool IsPinnedByEngine(const std::string& path, const engine::Layout& layout) {
  constexpr auto kNamespaceFileSystem = 0x6e736673;  // NSFS_MAGIC
  struct statfs file_system {};
  if (::statfs(path.c_str(), &file_system) != 0 || file_system.f_type != kNamespaceFileSystem) {
    return false;
  }
  const auto located = sys::LocateIfPresent(path);
  if (!located || !*located) return false;
  const std::string_view real_path = (*located)->path;
  const std::string_view directory = real_path.substr(0, real_path.rfind('/'));
  return std::ranges::any_of(layout.namespace_directories, [&](const std::string& pinned_in) {
    const auto found = sys::LocateIfPresent(pinned_in);
    return found && *found && (*found)->path == directory;
  });
}

// The processes in the namespace: examines every process of the host.
std::vector<pid_t> ProcessesIn(const sys::Inode& inode, std::string_view type) {
  std::vector<pid_t> found;
  const std::string name = "/ns/" + std::string(NameInProc(type));
  const UniqueFd proc(::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!proc) return found;
  sys::VisitEntries(proc.get(), [&](const dirent& entry) {
    const std::string_view number = static_cast<const char*>(entry.d_name);
    pid_t pid = 0;
    const auto [end, fault] = std::from_chars(number.data(), number.data() + number.size(), pid);
    const bool is_process = fault == std::errc() && end == number.data() + number.size();
    if (is_process && Identify("/proc/" + std::string(number) + name) == inode) {
      found.push_back(pid);
    }
    return true;
  });
  return found;
}

// What is known about the container whose namespaces are examined.
class Joiner {
 public:
  Joiner(const engine::Layout& layout, const FindContainer& find_container, const engine::Pod& pod)
      : layout_(layout), find_container_(find_container), pod_(pod) {}

  NamespaceFacts Describe(const oci::Namespace& entry) {
    if (!entry.path.starts_with('/')) return {Owner::kUnreadable, {}};
    const auto inode = Identify(entry.path);
    if (!inode) return {Owner::kUnreadable, {}};
    NamespaceFacts facts = Judge(entry, *inode);
    facts.inode = inode->number;
    return facts;
  }

 private:
  NamespaceFacts Judge(const oci::Namespace& entry, const sys::Inode& inode) {
    if (IsHostNamespace(inode)) return {Owner::kHost, {}};
    if (const auto pid = ProcessOf(entry.path, entry.type)) {
      std::string container = Find(*pid);
      // Checked again: the process may have ended in the meantime, and its pid may have been
      // reused.
      if (container.empty() || Identify(entry.path) != inode) return {Owner::kForeign, {}};
      return OfContainer(entry, std::move(container));
    }
    if (!IsPinnedByEngine(entry.path, layout_)) return {Owner::kForeign, {}};
    return DescribePinned(entry, inode);
  }

  [[nodiscard]] std::string Find(pid_t pid) const {
    return find_container_ ? find_container_(pid) : std::string();
  }

  [[nodiscard]] NamespaceFacts OfContainer(const oci::Namespace& entry,
                                           std::string container) const {
    if (entry.type == "pid") {
      return {Owner::kContainer, IsOwnSandbox(container) ? std::string() : std::move(container)};
    }
    const bool is_outside_pod = !pod_.sandbox.empty() && container != pod_.sandbox;
    return {is_outside_pod ? Owner::kForeign : Owner::kContainer, std::move(container)};
  }

  [[nodiscard]] bool IsOwnSandbox(const std::string& container) const {
    if (!pod_.sandbox.empty()) return container == pod_.sandbox;
    return layout_.engine == engine::Engine::kPodman &&
           engine::IsInfraOfSamePod(layout_, container);
  }

  // podman passes on any path that is requested (--network ns:/run/netns/…), in addition to those
  // that it pins itself: if its record does not decide, the processes in the namespace do.
  NamespaceFacts DescribePinned(const oci::Namespace& entry, const sys::Inode& inode) {
    if (!pins_) pins_ = engine::FindPins(layout_, pod_);
    if (!*pins_) return {Owner::kUnreadable, {}};
    const std::optional<engine::Pins>& pins = **pins_;
    const bool is_recorded = pins.has_value();
    if (!is_recorded && layout_.engine != engine::Engine::kPodman) return {Owner::kEngine, {}};
    if (is_recorded && std::ranges::any_of(*pins, [&](const std::string& path) {
          return Identify(path) == inode;
        })) {
      return {Owner::kEngine, {}};
    }
    const std::vector<pid_t> processes = ProcessesIn(inode, entry.type);
    for (const pid_t pid : processes) {
      std::string container = Find(pid);
      if (!container.empty()) return OfContainer(entry, std::move(container));
    }
    if (!processes.empty()) return {Owner::kForeign, {}};
    // podman pins the namespace before any process is in it.
    return {is_recorded ? Owner::kUnclaimed : Owner::kEngine, {}};
  }

  const engine::Layout& layout_;
  const FindContainer& find_container_;
  const engine::Pod& pod_;
  std::optional<Result<std::optional<engine::Pins>>> pins_;  // looked for when first asked for
};

}  // namespace

void GatherNamespaces(const oci::Spec& spec, const engine::Layout& layout,
                      const FindContainer& find_container, const engine::Pod& pod,
                      std::map<std::string, NamespaceFacts>& namespaces) {
  Joiner joiner(layout, find_container, pod);
  for (const oci::Namespace& entry : spec.namespaces()) {
    if (entry.path.empty() || namespaces.contains(entry.path)) continue;
    namespaces[entry.path] = joiner.Describe(entry);
  }
}

std::optional<UserNamespaceFacts> DescribeUserNamespace(
    const oci::Spec& spec, const std::map<std::string, NamespaceFacts>& namespaces) {
  UserNamespaceFacts facts;
  const auto find_joined_root = [&](const std::string& path) -> std::optional<std::uint32_t> {
    const auto joined = namespaces.find(path);
    const auto found = sys::ReadUserNamespace(path);
    const bool is_same =
        found && joined != namespaces.end() && joined->second.inode == found->inode;
    if (!is_same || found->root == 0) return std::nullopt;
    facts.has_host_ids = found->has_host_ids;
    return found->root;
  };
  const auto root = oci::BundleOwner(spec, find_joined_root);
  if (!root) return std::nullopt;
  facts.root = *root;
  for (const auto& mappings : {spec.uid_mappings(), spec.gid_mappings()}) {
    facts.has_host_ids =
        facts.has_host_ids || std::ranges::any_of(mappings, [](const oci::IdMapping& mapping) {
          return mapping.host_id == 0 && mapping.size > 0;
        });
  }
  return facts;
}

std::vector<engine::Peer> JoinedPeers(const oci::Spec& spec,
                                      const std::map<std::string, NamespaceFacts>& namespaces) {
  std::vector<engine::Peer> peers;
  for (const oci::Namespace& entry : spec.namespaces()) {
    const auto facts = namespaces.find(entry.path);
    if (facts == namespaces.end() || facts->second.owner != Owner::kContainer) continue;
    peers.push_back({facts->second.container, entry.type});
  }
  return peers;
}

bool IsInJoined(pid_t pid, std::string_view type, const oci::Spec& spec,
                const std::map<std::string, NamespaceFacts>& namespaces) {
  const auto own =
      Identify("/proc/" + std::to_string(pid) + "/ns/" + std::string(NameInProc(type)));
  const auto entries = spec.namespaces();
  return own && std::ranges::any_of(entries, [&](const oci::Namespace& entry) {
           if (entry.type != type) return false;
           const auto facts = namespaces.find(entry.path);
           return facts != namespaces.end() && facts->second.owner == Owner::kContainer &&
                  Identify(entry.path) == own;
         });
}

}  // namespace runclad::host
