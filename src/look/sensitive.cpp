#include "sensitive.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>

namespace runclad::look {

bool IsEngineSocket(const MountState& mount) {
  constexpr std::string_view kSockets[] = {"docker.sock", "containerd.sock", "podman.sock",
                                           "crio.sock", "dockershim.sock"};
  return std::ranges::any_of(kSockets, [&](std::string_view name) {
    return mount.root.ends_with(name) || mount.point.ends_with(name);
  });
}

bool IsSensitive(const MountState& mount) {
  if (IsEngineSocket(mount)) return true;
  constexpr std::string_view kDirectories[] = {
      "/",    "/etc", "/root",    "/boot", "/usr", "/bin",    "/sbin",
      "/lib", "/var", "/var/lib", "/home", "/run", "/docker", "/containerd"};
  const bool is_disk = mount.type != "tmpfs" && mount.type != "devtmpfs" &&
                       mount.type != "mqueue" && mount.type != "overlay";
  return is_disk && std::ranges::find(kDirectories, mount.root) != std::end(kDirectories);
}

bool IsOfEngine(const MountState& mount) {
  constexpr std::string_view kPoints[] = {"/etc/hosts", "/etc/hostname",      "/etc/resolv.conf",
                                          "/dev/shm",   "/run/.containerenv", "/run/secrets"};
  if (std::ranges::find(kPoints, mount.point) != std::end(kPoints)) return true;
  // The root is seen from its own file system, which may begin anywhere above.
  constexpr std::string_view kStores[] = {"/docker/volumes/", "/containers/storage/",
                                          "/kubelet/pods/", "/containerd/"};
  return std::ranges::any_of(
      kStores, [&](std::string_view store) { return mount.root.find(store) != std::string::npos; });
}

}  // namespace runclad::look
