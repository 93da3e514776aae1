// Where engines keep images, volumes and secrets: what lies there was decided by containers and by
// the users of engines, although it belongs to root.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runclad/engine/configured_storage.hpp"
#include "runclad/engine/layout.hpp"
#include "runclad/sys/mounts.hpp"

namespace runclad::host {

// Arrays of characters: pointers would have to be relocated on each call. Of builders, whose own
// storage a build may read.
inline constexpr char kBuilderStorage[][20] = {"/var/lib/buildkit", "/var/lib/containerd",
                                               "/var/lib/containers", "/var/lib/docker"};
// Of other engines, and of engines that snap or a user started. They may hold wildcards.
inline constexpr char kOtherStorage[][32] = {
    "/home/*/.local/share/buildkit",
    "/home/*/.local/share/containerd",
    "/home/*/.local/share/containers",
    "/home/*/.local/share/docker",
    "/home/*/.local/share/nerdctl",
    "/var/lib/cri-dockerd",
    "/var/lib/crio",
    "/var/lib/incus",
    "/var/lib/k0s",
    "/var/lib/kubelet",
    "/var/lib/lxc",
    "/var/lib/lxd",
    "/var/lib/machines",
    "/var/lib/minikube",
    "/var/lib/nerdctl",
    "/var/lib/portables",
    "/var/lib/rancher",
    "/var/snap/docker",
    "/var/snap/lxd",
    "/var/snap/microk8s",
};
// Sockets, and what engines keep of running containers: their files from secrets, too.
inline constexpr char kRuntimePlaces[][24] = {
    "/run/buildkit", "/run/containerd",  "/run/cri-dockerd.sock", "/run/crio",
    "/run/docker",   "/run/docker.sock", "/run/dockershim.sock",  "/run/k0s",
    "/run/k3s",      "/run/podman",      "/var/run/docker.sock",  "/run/crun",
    "/run/runc",
};

// Whether engines have the logs and pid files of their calls in a directory by this name below
// their storage, or else below where they keep what runs: a bundle, mostly, and no container writes
// there. Allocates nothing.
bool IsNameOfCallFiles(std::string_view rest, bool is_in_storage);

// The storage of all engines as it lies on this host.
class EngineStorage {
 public:
  EngineStorage(const engine::Layout& layout, const engine::ConfiguredStorage& engines);
  // By the names alone: nothing is looked up.
  explicit EngineStorage(const engine::ConfiguredStorage& engines);

  // Whether it is in an engine's storage, by whatever mount it is reached.
  [[nodiscard]] bool Contains(const sys::Located& located) const;
  // Whether it is a directory of programs beside the storage, or one of these.
  [[nodiscard]] static bool HoldsPrograms(const sys::Located& located);
  // Whether engines have the runtime's logs and pid files there, beside containers' own files.
  [[nodiscard]] bool HoldsCallFiles(const sys::Located& located) const;
  // The same for the directories that hold what runs.
  [[nodiscard]] bool IsOfRunning(const sys::Located& located) const;

 private:
  struct Directory {
    std::string path;  // without links
    std::optional<sys::Place> place;
    bool is_of_volumes = false;
  };
  void AddAll(const engine::Layout& layout, const engine::ConfiguredStorage& engines);
  void Add(const std::string& path, std::vector<Directory>& directories) const;
  [[nodiscard]] bool IsBelow(const sys::Located& located,
                             const std::vector<Directory>& directories) const;

  bool is_named_;
  Result<sys::MountTable> mounts_;
  std::vector<Directory> storage_;
  std::vector<Directory> running_;
};

}  // namespace runclad::host
