#include "runclad/engine/own_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "runclad/base/unique_fd.hpp"
#include "runclad/sys/directory.hpp"
#include "runclad/sys/owned_path.hpp"

namespace runclad::engine {
namespace {

// Lists of addresses would cost each start a relocation per element.
constexpr char kNetworkFiles[][12] = {"hostname", "hosts", "resolv.conf"};

bool IsOneOf(std::string_view text, auto&& choices) {
  return std::ranges::any_of(choices, [&](const char* choice) { return text == choice; });
}

bool IsOneName(std::string_view text) {
  return !text.empty() && text.find('/') == std::string_view::npos;
}

// Takes `prefix` off the front of `text` when it is there.
bool Consume(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// Takes the first component off "a/b/c", the slash with it.
std::string_view ConsumeName(std::string_view& path) {
  const std::size_t slash = path.find('/');
  const std::string_view name = path.substr(0, slash);
  path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
  return name;
}

// "safe-mount482391396"
bool IsNumbered(std::string_view text, std::string_view name) {
  if (!Consume(text, name) || text.empty()) return false;
  return std::ranges::all_of(text, [](char digit) { return digit >= '0' && digit <= '9'; });
}

// "12/fs"
bool IsSnapshot(std::string_view text) { return IsNumbered(ConsumeName(text), "") && text == "fs"; }

std::string DirectoryOf(const std::string& path) { return path.substr(0, path.rfind('/')); }

// Where BuildKit listens for a step that uses its caller's SSH agent (RUN --mount=type=ssh), in its
// temporary directory: dockerd's is <data-root>/tmp, buildkitd's what the environment says.
bool IsForwardedAgent(const std::string& path) {
  const std::string directory = DirectoryOf(path);
  const auto name = std::string_view(directory).substr(directory.rfind('/') + 1);
  return path.ends_with("/ssh_auth_sock") && IsNumbered(name, ".buildkit-ssh-sock") &&
         sys::OnlyRootCouldReplace(directory);
}

// What follows "<directory>/" in `path`; nothing elsewhere.
std::optional<std::string_view> Within(std::string_view path, const std::string& directory) {
  if (directory.empty()) return std::nullopt;
  auto rest = sys::Below(path, directory);
  if (!rest || rest->empty()) return std::nullopt;
  rest->remove_prefix(1);
  return rest;
}

// How many components are left.
std::ptrdiff_t CountNames(std::string_view path) { return 1 + std::ranges::count(path, '/'); }

// What buildah writes into its bundle. Its other sources are mounted there, and stay what they are.
bool IsBuildahFile(const sys::Located& source, const std::string& bundle) {
  const auto name = Within(source.path, bundle);
  return name && S_ISREG(source.mode) &&
         (IsOneOf(*name, kNetworkFiles) || *name == "run/.containerenv");
}

// Where buildah listens for a step that uses its caller's SSH agent: in <temporary
// directory>/.buildah-ssh-sock<number>, beside its bundle. The step's document has the bind of it
// that buildah made in the bundle, so the socket itself decides. Of many builds at once, it may be
// another's; nobody else can list the directory or guess the number.
bool IsAgentOfBuildah(const sys::Located& source, const std::string& bundle) {
  constexpr int kMaxEntries = 10'000;
  const auto name = Within(source.path, bundle + "/mnt");
  if (!name || !IsNumbered(*name, "buildah-bind-target-")) return false;
  const std::string temporary = DirectoryOf(bundle);
  const UniqueFd directory(::open(temporary.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return false;
  bool is_found = false;
  int count = 0;
  sys::VisitEntries(directory.get(), [&](const dirent& entry) {
    const std::string_view agent = static_cast<const char*>(entry.d_name);
    if (!IsNumbered(agent, ".buildah-ssh-sock")) return ++count < kMaxEntries;
    const std::string place = temporary + '/' + std::string(agent);
    struct stat status {};
    is_found = sys::OnlyRootCouldReplace(place) &&
               ::lstat((place + "/ssh_auth_sock").c_str(), &status) == 0 &&
               source.inode == sys::Inode{.device = status.st_dev, .number = status.st_ino};
    return !is_found && ++count < kMaxEntries;
  });
  return is_found;
}

// Of containerd's other clients, nerdctl is the one that binds files of its own: below
// /var/lib/nerdctl/<hash of containerd's address>, containers/<namespace>/<id>/hostname and
// resolv.conf, etchosts/<namespace>/<id>/hosts and volumes/<namespace>/<name>/_data. It mounts any
// volume of the namespace by its name for anyone who may ask it for a container. The namespace is
// that of the bundle: <state>/io.containerd.runtime.v2.task/<namespace>/<id>.
Claim OfNerdctl(const Layout& layout, const SharesNamespace& is_peer, const sys::Located& source) {
  auto rest = Within(source.path, "/var/lib/nerdctl");
  if (!rest || !IsOneName(ConsumeName(*rest))) return Claim::kNone;
  const std::string_view kind = ConsumeName(*rest);
  const std::string tasks = DirectoryOf(layout.bundle);
  const std::string_view name_space = std::string_view(tasks).substr(tasks.rfind('/') + 1);
  if (name_space.empty() || ConsumeName(*rest) != name_space) return Claim::kNone;
  const std::string_view name = ConsumeName(*rest);
  if (!IsOneName(name) || !sys::OnlyRootCouldReplace(DirectoryOf(source.path))) return Claim::kNone;
  if (kind == "volumes") return *rest == "_data" ? Claim::kVolume : Claim::kNone;
  const bool is_file = (kind == "etchosts" && *rest == "hosts") ||
                       (kind == "containers" && IsOneOf(*rest, kNetworkFiles));
  const bool is_own = name == layout.id || is_peer(name, "network");
  return is_file && is_own && S_ISREG(source.mode) ? Claim::kFile : Claim::kNone;
}

}  // namespace

OwnFiles::OwnFiles(Layout layout, std::vector<Peer> peers, Pod pod)
    : layout_(std::move(layout)), peers_(std::move(peers)), pod_(std::move(pod)) {
  if (!IsOneName(pod_.uid)) return;
  // A kubelet with another --root-dir has its files where the policy denies nothing.
  auto located = sys::LocateIfPresent("/var/lib/kubelet");
  if (!located || !*located) return;
  kubelet_directory_ = (*std::move(located))->path;
  pod_directory_ = kubelet_directory_ + "/pods/" + pod_.uid;
}

Claim OwnFiles::Of(const sys::Located& source) {
  if (layout_.engine == Engine::kBuildkit && S_ISSOCK(source.mode)) {
    const bool is_buildah = layout_.data_root == layout_.bundle;
    const bool is_agent =
        is_buildah ? IsAgentOfBuildah(source, layout_.bundle) : IsForwardedAgent(source.path);
    return is_agent ? Claim::kFile : Claim::kNone;
  }
  if (!S_ISREG(source.mode) && !S_ISDIR(source.mode)) return Claim::kNone;
  const std::string_view path = source.path;
  if (has_host_shm_ && path == "/dev/shm") return Claim::kFile;
  if (const Claim claim = OfPod(source); claim != Claim::kNone) return claim;
  if (layout_.engine == Engine::kDocker) {
    const auto rest = Within(path, layout_.data_root);
    return rest ? OfDocker(*rest) : Claim::kNone;
  }
  if (layout_.engine == Engine::kContainerd) {
    if (OfCriPlugin(path)) return Claim::kFile;
    // A pod names paths of the host, and no volume of nerdctl's.
    if (!pod_.sandbox.empty() || !pod_.uid.empty()) return Claim::kNone;
    return OfNerdctl(
        layout_, [this](std::string_view id, std::string_view type) { return IsPeer(id, type); },
        source);
  }
  if (layout_.engine == Engine::kBuildkit) {
    return OfBuildkit(source) ? Claim::kFile : Claim::kNone;
  }
  if (layout_.engine == Engine::kUnknown) return Claim::kNone;
  auto volume = Within(path, layout_.data_root);
  if (volume && Consume(*volume, "volumes/")) {
    // The engine mounts any volume by its name for anyone who may ask it for a container, so the
    // path proves as much as its state could.
    const std::string_view name = ConsumeName(*volume);
    return IsOneName(name) && *volume == "_data" ? Claim::kVolume : Claim::kNone;
  }
  return OfStorage(path);
}

// `rest` is below the data root.
Claim OwnFiles::OfDocker(std::string_view rest) {
  if (Consume(rest, "containers/")) {
    const std::string_view id = ConsumeName(rest);
    const bool is_own = id == layout_.id;
    if (IsOneOf(rest, kNetworkFiles)) {
      return is_own || IsPeer(id, "network") ? Claim::kFile : Claim::kNone;
    }
    if (rest == "mounts/shm") return is_own || IsPeer(id, "ipc") ? Claim::kFile : Claim::kNone;
    const bool is_secret =
        rest == "mounts/secrets" || (Consume(rest, "mounts/secrets/") && IsOneName(rest));
    return is_own && is_secret ? Claim::kFile : Claim::kNone;
  }
  if (Consume(rest, "volumes/")) {
    const std::string_view name = ConsumeName(rest);
    const bool is_own = std::ranges::find(volumes_, name) != volumes_.end();
    return rest == "_data" && is_own ? Claim::kVolume : Claim::kNone;
  }
  // Docker 26 and later: --mount type=volume,volume-subpath=…
  return Consume(rest, "tmp/") && IsNumbered(rest, "safe-mount") ? Claim::kPart : Claim::kNone;
}

// What the kubelet keeps for the pod: pods/<uid>/etc-hosts, containers/<name>/<number> (the
// termination message), volumes/<plugin>/<volume>, volumes/kubernetes.io~csi/<volume>/mount and
// volume-subpaths/<volume>/<container>/<number>. The plugins' own files next to them do not belong
// to any container.
Claim OwnFiles::OfPod(const sys::Located& source) const {
  auto rest = Within(source.path, pod_directory_);
  if (!rest) return Claim::kNone;
  if (S_ISREG(source.mode) && *rest == "etc-hosts") return Claim::kFile;
  if (Consume(*rest, "containers/")) {
    return S_ISREG(source.mode) && CountNames(*rest) == 2 ? Claim::kFile : Claim::kNone;
  }
  if (Consume(*rest, "volume-subpaths/")) {
    return CountNames(*rest) == 3 ? Claim::kPodPart : Claim::kNone;
  }
  if (!Consume(*rest, "volumes/")) return Claim::kNone;
  if (Consume(*rest, "kubernetes.io~csi/")) {
    return IsOneName(ConsumeName(*rest)) && *rest == "mount" ? Claim::kPodVolume : Claim::kNone;
  }
  return CountNames(*rest) == 2 ? Claim::kPodVolume : Claim::kNone;
}

// containerd's CRI plugin keeps the files of a pod by its sandbox, and the volumes that an image
// declares by the container.
bool OwnFiles::OfCriPlugin(std::string_view path) const {
  for (const std::string& directory : {layout_.containerd_root, layout_.containerd_state}) {
    auto rest = Within(path, directory);
    if (!rest || !Consume(*rest, "io.containerd.grpc.v1.cri/")) continue;
    if (Consume(*rest, "sandboxes/")) {
      const std::string_view id = ConsumeName(*rest);
      const bool is_own = id == layout_.id || id == pod_.sandbox;
      if (IsOneOf(*rest, kNetworkFiles)) return is_own || IsPeer(id, "network");
      return *rest == "shm" && (is_own || IsPeer(id, "ipc"));
    }
    const bool is_own = Consume(*rest, "containers/") && ConsumeName(*rest) == layout_.id;
    return is_own && Consume(*rest, "volumes/") && IsOneName(*rest);
  }
  return false;
}

// What BuildKit mounts into a step beside secrets, which are read-only: its files of names, and
// what it has made of images, contexts and caches. A build names none of them by a path. These
// places exactly: below them a step that runs beside this one may exchange what it likes.
bool OwnFiles::OfBuildkit(const sys::Located& source) const {
  const std::string_view path = source.path;
  if (layout_.data_root == layout_.bundle) return IsBuildahFile(source, layout_.bundle);
  if (auto name = Within(path, layout_.data_root)) {
    return IsOneName(*name) && S_ISREG(source.mode) &&
           (*name == "resolv.conf" || name->starts_with("hosts"));
  }
  const std::string state = DirectoryOf(layout_.data_root);
  const std::string root = DirectoryOf(state);
  const auto is_place = [&] {
    // Of its own, and of dockerd with containerd's image store (below containerd-overlayfs/).
    auto rest = Within(path, state);
    if (rest) Consume(*rest, "containerd-overlayfs/");
    if (rest && Consume(*rest, "cachemounts/")) return IsNumbered(*rest, "buildkit");
    if (rest && Consume(*rest, "snapshots/snapshots/")) return IsSnapshot(*rest);
    // Of dockerd's own image store, and where dockerd has it mount for a while.
    rest = Within(path, root);
    if (rest && Consume(*rest, "tmp/")) return IsNumbered(*rest, "buildkit-mount");
    if (rest && (Consume(*rest, "overlay2/") || Consume(*rest, "fuse-overlayfs/"))) {
      return IsOneName(ConsumeName(*rest)) && (*rest == "diff" || *rest == "merged");
    }
    // Of containerd, wherever that has its directory.
    constexpr std::string_view kSnapshotter = "/io.containerd.snapshotter.v1.";
    const std::size_t at = path.find(kSnapshotter);
    if (at == std::string_view::npos) return false;
    std::string_view below = path.substr(at + kSnapshotter.size());
    ConsumeName(below);
    return Consume(below, "snapshots/") && IsSnapshot(below);
  };
  return S_ISDIR(source.mode) && is_place() && sys::OnlyRootCouldReplace(DirectoryOf(source.path));
}

// <storage>/<driver>-containers/<id>/userdata/<file>, below the graphroot or the runroot. The
// location of the runroot is not known: any directory that only root could have filled is accepted.
Claim OwnFiles::OfStorage(std::string_view path) const {
  constexpr char kFiles[][16] = {"hostname", "hosts",      "resolv.conf", ".containerenv",
                                 "shm",      "passwd",     "group",       "localtime",
                                 "secrets",  "run/secrets"};
  const std::string directory = '/' + layout_.storage_driver + "-containers/";
  const std::size_t at = path.find(directory);
  if (layout_.storage_driver.empty() || at == std::string_view::npos) return Claim::kNone;
  std::string_view rest = path.substr(at + directory.size());
  const std::string_view id = ConsumeName(rest);
  if (!Consume(rest, "userdata/")) return Claim::kNone;
  const std::size_t userdata_bytes = path.size() - rest.size() - 1;
  bool is_file = false;
  bool is_part = false;
  if (id == layout_.id) {
    // podman 5: --mount type=volume,subpath=…
    is_part = IsNumbered(rest, "subpath");
    is_file = IsOneOf(rest, kFiles);
    // A volume mounted with :O; its overlay/<number>/{upper,work,merge}.
    if (Consume(rest, "overlay/")) {
      is_file = IsOneName(ConsumeName(rest)) && IsOneName(rest);
    } else if (Consume(rest, "secrets/")) {
      is_file = IsOneName(rest);
    }
  } else {
    const bool is_pod_sandbox = !pod_.sandbox.empty() && id == pod_.sandbox;
    is_file = (IsOneOf(rest, kNetworkFiles) && (is_pod_sandbox || IsPeer(id, "network"))) ||
              (rest == "shm" && (is_pod_sandbox || IsPeer(id, "ipc")));
  }
  const bool is_claimed =
      (is_file || is_part) && IsKept(std::string(path.substr(0, userdata_bytes)));
  if (!is_claimed) return Claim::kNone;
  return is_part ? Claim::kPart : Claim::kFile;
}

// Whether only root could have created the directory, and only root and the container's own root
// its content. If the container's root replaces something, it is its own file, and start detects
// it.
bool OwnFiles::IsKept(const std::string& userdata) const {
  if (sys::OnlyRootCouldReplace(userdata)) return true;
  struct stat status {};
  return mapped_root_ && ::lstat(userdata.c_str(), &status) == 0 && S_ISDIR(status.st_mode) &&
         status.st_uid == *mapped_root_ && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0 &&
         sys::OnlyRootCouldReplace(userdata.substr(0, userdata.rfind('/')));
}

bool OwnFiles::IsPeer(std::string_view id, std::string_view type) const {
  const bool is_joined = std::ranges::any_of(
      peers_, [&](const Peer& peer) { return peer.id == id && peer.type == type; });
  return is_joined || (shares_ && shares_(id, type));
}

bool IsEngineInit(const sys::Located& source) {
  constexpr char kPrograms[][40] = {
      "/usr/bin/docker-init",
      "/usr/libexec/docker/docker-init",
      "/usr/local/bin/docker-init",
      "/usr/local/libexec/docker/docker-init",
      "/usr/bin/catatonit",
      "/usr/libexec/catatonit/catatonit",
      "/usr/libexec/podman/catatonit",
      "/usr/lib/podman/catatonit",
      "/usr/local/libexec/podman/catatonit",
  };
  if (!S_ISREG(source.mode) || source.owner != 0) return false;
  return std::ranges::any_of(kPrograms, [&](const char* program) {
    struct stat status {};
    return ::stat(program, &status) == 0 &&
           source.inode == sys::Inode{.device = status.st_dev, .number = status.st_ino};
  });
}

}  // namespace runclad::engine
