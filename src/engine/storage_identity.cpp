#include "storage_identity.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "runclad/base/spelling.hpp"
#include "runclad/engine/reference.hpp"
#include "runclad/sys/mounts.hpp"

#include "image_config.hpp"
#include "image_names.hpp"
#include "sha256.hpp"
#include "storage_lists.hpp"

namespace runclad::engine {
namespace {

// Where a storage driver has a container's file system, below the storage root.
std::string MountPath(std::string_view driver, const std::string& layer) {
  if (driver == "overlay") return "overlay/" + layer + "/merged";
  if (driver == "vfs") return "vfs/dir/" + layer;
  if (driver == "btrfs") return "btrfs/subvolumes/" + layer;
  if (driver == "zfs") return "zfs/graph/" + layer;
  return {};
}

// Holds the rootfs that is to be run against the layer that the record names. podman 5 has it
// mounted at /var/tmp/intermediate-mountpoint-<uid>.<gid> for a container with a user namespace,
// whose root may not pass through the storage's directories: by inode it is the same directory.
Status TakeOwnLayer(const Layout& layout, const Call& call, const std::string& layer,
                    Identity& identity) {
  const std::string path = MountPath(layout.storage_driver, layer);
  if (path.empty()) {
    return Error{"the storage driver " + Quoted(layout.storage_driver) + " is not known"};
  }
  auto rootfs = sys::Locate(call.rootfs);
  if (!rootfs) return rootfs.error();
  const std::string expected = layout.data_root + '/' + path;
  const auto own = sys::LocateIfPresent(expected);
  const bool is_own = rootfs->path == expected ||
                      (own && *own && (*own)->path == expected && (*own)->inode == rootfs->inode);
  if (!is_own) {
    return Error{Quoted(call.rootfs) + " is not the layer that " + layout.storage_driver +
                 "-containers/containers.json names"};
  }
  identity.own_layer = std::move(rootfs->path);
  return {};
}

// Holds the layers below the container's own against what the image's config says of them.
Status CheckLayers(const std::vector<StoredLayer>& layers, const StoredImage& image,
                   const std::vector<std::string>& diff_ids, const std::string& list) {
  if (layers.empty()) return Error{list + " has no layer of the container's"};
  if (layers.size() > 1 && std::ranges::find(image.layers, layers[1].id) == image.layers.end()) {
    return Error{list + " has another image's layer below the container's"};
  }
  const bool are_same = std::equal(
      layers.rbegin(), layers.rend() - 1, diff_ids.begin(), diff_ids.end(),
      [](const StoredLayer& layer, const std::string& id) { return layer.diff_digest == id; });
  if (!are_same) return Error{list + " has other layers than the image's config"};
  return {};
}

Status AddNames(const StoredImage& image, const std::string& list, Identity& identity) {
  std::vector<std::string>& manifests = identity.manifest_digests;
  for (const std::string_view blob : image.blobs) {
    constexpr std::string_view kManifest = "manifest-";
    const std::string_view rest = blob.substr(std::min(kManifest.size(), blob.size()));
    if (blob.starts_with(kManifest) && IsSha256Digest(rest)) manifests.emplace_back(rest);
  }
  const std::vector<std::string> kept = manifests;
  for (const std::string& name : image.names) {
    // `podman load` stores a name with a digest as any archive gives it, next to those of pulls,
    // and CRI-O may share the store: in neither's files can the two be distinguished.
    if (auto added = AddName(name, Tier::kTag, identity); !added) return added.error().In(list);
    const std::string& digest = identity.names.back().reference.digest;
    if (!digest.empty() && std::ranges::find(kept, digest) == kept.end()) {
      return Error{list + " has the name " + Quoted(name) + " and no such manifest"};
    }
  }
  return {};
}

// CRI-O notes a pod's namespace with its sandbox.
void FindPod(const StoredContainer& container, const std::string& id, StorageLists& lists,
             Identity& identity, Pod& pod) {
  if (container.is_sandbox) {
    identity.is_sandbox = container.pod == id;
    identity.pod_namespace = container.pod_namespace;
    if (identity.is_sandbox) pod = {id, container.pod_uid};
    return;
  }
  if (container.pod.empty()) return;
  const auto sandbox = lists.Container(container.pod);
  if (!sandbox || !sandbox->is_sandbox) return;
  identity.pod_namespace = sandbox->pod_namespace;
  pod = {container.pod, sandbox->pod_uid};
}

}  // namespace

Status IdentifyStorage(const Layout& layout, const Call& call, Identity& identity, Pod& pod) {
  UnverifiedImage& unverified = identity.unverified.emplace();
  unverified.may_have_other_names = true;
  auto lists = StorageLists::Open(layout.data_root, layout.storage_driver);
  if (!lists) return lists.error();
  const auto container = lists->Container(layout.id);
  if (!container) return container.error();
  if (layout.engine == Engine::kCrio) FindPod(*container, layout.id, *lists, identity, pod);
  if (container->image.empty() && container->image_name.empty()) {
    identity.unverified.reset();
    return Error{"it is made of a directory (--rootfs)"};
  }
  const std::string digest = "sha256:" + container->image;
  AddTyped(container->image_name, unverified);
  unverified.digests.push_back(digest);
  if (!IsSha256Digest(digest)) {
    return Error{Quoted(container->image) + " in " + layout.storage_driver +
                 "-containers/containers.json is no image's id"};
  }
  const Status is_its = TakeOwnLayer(layout, call, container->layer, identity);
  const auto image = lists->Image(container->image);
  if (!image) return image.error();
  if (auto added = AddNames(*image, layout.storage_driver + "-images/images.json", identity);
      !added) {
    return added;
  }
  unverified.may_have_other_names = false;
  if (!is_its) return is_its;

  // An image whose layers were pulled by their tables of contents has an id that is not its
  // config's digest, and so no config by that name: nothing would hold its layers to the config.
  const auto config = lists->Blob(container->image, digest);
  if (!config) return config.error();
  const std::string config_path = lists->BlobPath(container->image, digest);
  if (Sha256(*config) != digest) return Error{config_path + " has another digest"};
  const auto image_config = ReadImageConfig(*config);
  if (!image_config) return image_config.error().In(config_path);

  const auto layers = lists->Layers(container->layer);
  if (!layers) return layers.error();
  const std::string layer_list = layout.storage_driver + "-layers/layers.json";
  if (auto fit = CheckLayers(*layers, *image, image_config->diff_ids, layer_list); !fit) return fit;

  identity.config_digest = digest;
  identity.volumes = image_config->volumes;
  FinishNames(container->image_name, identity);
  return {};
}

}  // namespace runclad::engine
