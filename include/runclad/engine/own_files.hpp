// Which host files an engine binds into a container on its own initiative.
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runclad/engine/layout.hpp"
#include "runclad/engine/pod.hpp"
#include "runclad/sys/mounts.hpp"

namespace runclad::engine {

// A container whose namespace this one joins and which runclad itself created.
struct Peer {
  std::string id;
  std::string type;  // of the namespace, as the spec has it: "network", "ipc"
};

// Whether the container `id`, which runclad created, is in the namespace of this type that this one
// joins.
using SharesNamespace = std::function<bool(std::string_view id, std::string_view type)>;

enum class Claim {
  kNone,
  kFile,       // made by the engine for this container, or by the kubelet for its pod
  kVolume,     // a named volume's directory; what is mounted there may still be anything
  kPart,       // where the engine binds a part of a named volume or of an image; of which, is open
  kPodVolume,  // of its pod, mounted by the kubelet
  kPodPart,    // a part of one of its pod's volumes, bound by the kubelet: of a hostPath's, too
};

// Exact files only, never a directory with everything below it: the directory that has a Docker
// container's hosts file has its config.v2.json too.
class OwnFiles {
 public:
  OwnFiles() = default;
  OwnFiles(Layout layout, std::vector<Peer> peers, Pod pod = {});

  // Of containers in the same namespace that are not the joined one itself: who joins a container
  // that has joined another gets that one's files from Docker. Asked only about such files.
  void AddSharers(SharesNamespace shares) { shares_ = std::move(shares); }
  // A Docker container's own named volumes, as its Identity has them.
  void AddVolumes(std::vector<std::string> names) { volumes_ = std::move(names); }
  // The policy allows the container the host's ipc namespace: engines then bind the host's
  // /dev/shm.
  void AddHostShm() { has_host_shm_ = true; }
  // The container's root is this user on the host: podman gives it the directory with its files.
  void AddMappedRoot(uid_t uid) { mapped_root_ = uid; }

  Claim Of(const sys::Located& source);

  [[nodiscard]] const Layout& layout() const { return layout_; }
  [[nodiscard]] const Pod& pod() const { return pod_; }
  // The kubelet's directory, and what it has there for the container's pod; empty: none is known.
  [[nodiscard]] const std::string& kubelet_directory() const { return kubelet_directory_; }
  [[nodiscard]] const std::string& pod_directory() const { return pod_directory_; }

 private:
  Claim OfDocker(std::string_view rest);
  [[nodiscard]] Claim OfPod(const sys::Located& source) const;
  [[nodiscard]] bool OfCriPlugin(std::string_view path) const;
  [[nodiscard]] bool OfBuildkit(const sys::Located& source) const;
  [[nodiscard]] Claim OfStorage(std::string_view path) const;
  [[nodiscard]] bool IsKept(const std::string& userdata) const;
  [[nodiscard]] bool IsPeer(std::string_view id, std::string_view type) const;

  Layout layout_;
  std::vector<Peer> peers_;
  SharesNamespace shares_;
  Pod pod_;
  std::string kubelet_directory_;
  std::string pod_directory_;
  bool has_host_shm_ = false;
  std::optional<uid_t> mapped_root_;
  std::vector<std::string> volumes_;
};

// The init programs that engines bind into a container on request (--init): by inode, since
// docker-init is a link to another program on some hosts.
bool IsEngineInit(const sys::Located& source);

}  // namespace runclad::engine
