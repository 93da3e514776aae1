#include "runclad/engine/image_volumes.hpp"

#include <sys/stat.h>

#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include "runclad/sys/owned_path.hpp"

#include "containerd_identity.hpp"
#include "docker_identity.hpp"
#include "image_names.hpp"
#include "storage_identity.hpp"

namespace runclad::engine {
namespace {

// CRI-O's empty directory: an overlay needs two lower layers.
constexpr std::string_view kCrioEmptyLayer = "/run/crio/image-volumes";

// Whether `directory` is the root of a mount.
bool IsMountPoint(const sys::Located& directory) {
  const auto above = sys::Locate(directory.path.substr(0, directory.path.rfind('/')));
  return above && above->mount_id != directory.mount_id;
}

// The layer in whose file system the directory that is mounted at `part` lies. The mounts say under
// which other paths the host sees it; one of these must be in the layer, and still lead there.
std::string LayerWithPart(const Layout& layout, const sys::Located& part) {
  const auto table = sys::MountTable::Read();
  if (!table) return {};
  const sys::Mount* const own = table->Find(part.mount_id);
  const auto place = table->PlaceOf(part);
  if (own == nullptr || !place || own->point != part.path) return {};
  for (const sys::Mount& mount : table->mounts()) {
    if (mount.file_system != place->file_system) continue;
    const auto rest = sys::Below(place->path, mount.root);
    if (!rest) continue;
    const std::string alias = std::string(mount.point == "/" ? "" : mount.point).append(*rest);
    std::string layer = StoredLayerAround(layout, alias);
    if (layer.empty()) continue;
    const auto there = sys::LocateIfPresent(alias);
    const bool is_it = there && *there && (*there)->path == alias && (*there)->inode == part.inode;
    if (is_it) return layer;
  }
  return {};
}

Identity Nameless(const Layout& layout) {
  Identity identity;
  identity.engine = layout.engine;
  return identity;
}

}  // namespace

std::optional<ImageVolume> ImageVolumes::Of(const sys::Located& source, Claim claim,
                                            bool is_lower_layer) const {
  switch (layout_.engine) {
    case Engine::kDocker:
      return OfDocker(source);
    case Engine::kContainerd:
      return OfCriPlugin(source);
    case Engine::kPodman:
    case Engine::kCrio:
      return is_lower_layer ? OfStorage(source, claim) : std::nullopt;
    case Engine::kBuildkit:
    case Engine::kUnknown:
      break;
  }
  return std::nullopt;
}

// The layer that dockerd made for it, or a directory in that which it has mounted at
// <data-root>/tmp/safe-mountN (image-subpath).
std::optional<ImageVolume> ImageVolumes::OfDocker(const sys::Located& source) const {
  if (layout_.data_root.empty() || !sys::Below(source.path, layout_.data_root)) return std::nullopt;
  const auto part = sys::Below(source.path, layout_.data_root + "/tmp");
  const bool is_part = part && part->starts_with("/safe-mount") && S_ISDIR(source.mode);
  for (const DockerImageMount& mount : FindDockerImageMounts(layout_)) {
    if (!is_part && mount.source != source.path) continue;
    const auto whole = sys::LocateIfPresent(mount.source);
    if (!whole || !*whole || (*whole)->path != mount.source) continue;
    // Every overlay is a file system of its own.
    const bool is_part_of_mount = is_part && IsMountPoint(**whole) && IsMountPoint(source) &&
                                  source.inode.device == (*whole)->inode.device;
    if (is_part && !is_part_of_mount) continue;
    Identity identity = Nameless(layout_);
    const Status is_known = IdentifyDockerMount(layout_, mount, identity);
    return ImageVolume{{Finish(std::move(identity), is_known)}};
  }
  return std::nullopt;
}

// <state>/io.containerd.grpc.v1.cri/image-volumes/<sandbox>/<digest of the image's target>, or a
// directory in it (image_sub_path).
std::optional<ImageVolume> ImageVolumes::OfCriPlugin(const sys::Located& source) const {
  if (layout_.containerd_state.empty() || pod_.sandbox.empty()) return std::nullopt;
  const std::string directory =
      layout_.containerd_state + "/io.containerd.grpc.v1.cri/image-volumes/" + pod_.sandbox;
  const auto rest = sys::Below(source.path, directory);
  if (!rest || rest->empty()) return std::nullopt;
  const std::string name(rest->substr(1, rest->find('/', 1) - 1));
  const std::string point = directory + '/' + name;
  Identity identity = Nameless(layout_);
  const auto mounted = sys::Locate(point);
  // The plugin takes a directory that is there for a mount.
  const bool is_mounted = mounted && mounted->path == point && IsMountPoint(*mounted);
  Status is_known = IdentifyMountedSnapshot(layout_, point, "sha256:" + name, identity);
  if (is_known && !is_mounted) {
    identity.unverified->may_have_other_names = false;
    is_known = Error{"nothing is mounted at " + point};
  }
  return ImageVolume{{Finish(std::move(identity), is_known)}};
}

// The uppermost layer of an image, where containers/storage has its files, or a directory in it
// that the engine has mounted at the container's own userdata/subpathN (podman: subpath; CRI-O:
// image_sub_path).
std::optional<ImageVolume> ImageVolumes::OfStorage(const sys::Located& source, Claim claim) const {
  std::string layer = StoredLayerAt(layout_, source.path);
  if (layer.empty() && claim == Claim::kPart) layer = LayerWithPart(layout_, source);
  if (layer.empty()) return std::nullopt;
  auto images = IdentifyStoredLayer(layout_, layer);
  if (!images) {
    Identity identity = Nameless(layout_);
    identity.unverified = {.names = {}, .digests = {}, .may_have_other_names = true};
    return ImageVolume{{Finish(std::move(identity), images.error())}, false};
  }
  if (images->empty()) return std::nullopt;
  return ImageVolume{*std::move(images)};
}

bool ImageVolumes::IsEmptyLayer(const sys::Located& source) const {
  if (layout_.engine != Engine::kCrio || source.path != kCrioEmptyLayer) return false;
  std::error_code error;
  return std::filesystem::is_empty(source.path, error) && !error &&
         sys::OnlyRootCouldReplace(source.path);
}

}  // namespace runclad::engine
