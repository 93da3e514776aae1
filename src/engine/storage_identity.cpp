#include "storage_identity.hpp"

#include <algorithm>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runclad/base/sha256.hpp"
#include "runclad/base/spelling.hpp"
#include "runclad/engine/reference.hpp"
#include "runclad/sys/mounts.hpp"

#include "image_config.hpp"
#include "image_names.hpp"
#include "storage_lists.hpp"

namespace runclad::engine {
namespace {

// Where each storage driver has the file system of a layer, below the storage root.
struct LayerOfDriver {
  std::string_view driver;
  std::string_view above;  // the layer's id
  std::string_view below;
};
constexpr LayerOfDriver kLayers[] = {{"overlay", "overlay/", "/merged"},
                                     {"vfs", "vfs/dir/", ""},
                                     {"btrfs", "btrfs/subvolumes/", ""},
                                     {"zfs", "zfs/graph/", ""}};

const LayerOfDriver* FindLayer(std::string_view driver) {
  const auto* found = std::ranges::find(kLayers, driver, &LayerOfDriver::driver);
  return found == std::end(kLayers) ? nullptr : found;
}

// Checks that the rootfs to be run is the layer that the record gives. podman 5 has it mounted at
// /var/tmp/intermediate-mountpoint-<uid>.<gid> for a container with a user namespace, whose root
// may not pass through the storage's directories: by inode it is the same directory.
Status TakeOwnLayer(const Layout& layout, const Call& call, const std::string& layer,
                    Identity& identity) {
  const LayerOfDriver* const driver = FindLayer(layout.storage_driver);
  if (driver == nullptr) {
    return Error{"the storage driver " + Quoted(layout.storage_driver) + " is not known"};
  }
  auto rootfs = sys::Locate(call.rootfs);
  if (!rootfs) return rootfs.error();
  std::string expected = layout.data_root + '/';
  expected.append(driver->above).append(layer).append(driver->below);
  const auto own = sys::LocateIfPresent(expected);
  const bool is_own = rootfs->path == expected ||
                      (own && *own && (*own)->path == expected && (*own)->inode == rootfs->inode);
  if (!is_own) {
    return Error{Quoted(call.rootfs) + " is not the layer given by " + layout.storage_driver +
                 "-containers/containers.json"};
  }
  identity.own_layer = std::move(rootfs->path);
  return {};
}

// Checks the layers of an image, the top layer first, against its config.
Status CheckLayers(std::span<const StoredLayer> layers, const StoredImage& image,
                   const std::vector<std::string>& diff_ids, const std::string& list) {
  if (!layers.empty() && std::ranges::find(image.layers, layers[0].id) == image.layers.end()) {
    return Error{list + " has a layer of another image below the container's"};
  }
  const bool are_same = std::equal(
      layers.rbegin(), layers.rend(), diff_ids.begin(), diff_ids.end(),
      [](const StoredLayer& layer, const std::string& id) { return layer.diff_digest == id; });
  if (!are_same) return Error{list + " does not match the layers of the image's config"};
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
      return Error{list + " has the name " + Quoted(name) + " but no such manifest"};
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

// Checks the image's config against its digest, and the mounted layers against the config.
Status Verify(const StorageLists& lists, const StoredImage& image,
              std::span<const StoredLayer> layers, const std::string& driver, Identity& identity) {
  // An image whose layers were pulled by their tables of contents has an id that is not its
  // config's digest, and so no config by that name: nothing would hold its layers to the config.
  const std::string digest = "sha256:" + image.id;
  const auto config = lists.Blob(image.id, digest);
  if (!config) return config.error();
  const std::string config_path = lists.BlobPath(image.id, digest);
  if (Sha256(*config) != digest) return Error{config_path + " does not match its digest"};
  const auto image_config = ReadImageConfig(*config);
  if (!image_config) return image_config.error().In(config_path);
  const std::string layer_list = driver + "-layers/layers.json";
  auto fit = CheckLayers(layers, image, image_config->diff_ids, layer_list);
  if (!fit) return fit;
  identity.config_digest = digest;
  identity.volumes = image_config->volumes;
  return {};
}

// Of an image that is mounted at its uppermost layer.
Status IdentifyAtLayer(const StorageLists& lists, const StoredImage& image,
                       const std::string& layer, const std::string& driver, Identity& identity) {
  identity.unverified = {.names = {}, .digests = {"sha256:" + image.id}};
  identity.unverified->may_have_other_names = true;
  if (!IsSha256Digest("sha256:" + image.id)) {
    return Error{Quoted(image.id) + " in " + driver + "-images/images.json is not an image id"};
  }
  auto added = AddNames(image, driver + "-images/images.json", identity);
  if (!added) return added;
  identity.unverified->may_have_other_names = false;
  const auto layers = lists.Layers(layer);
  if (!layers) return layers.error();
  auto verified = Verify(lists, image, *layers, driver, identity);
  if (verified) FinishNames("", identity);
  return verified;
}

}  // namespace

std::string StoredLayerAround(const Layout& layout, std::string_view path) {
  const LayerOfDriver* const driver = FindLayer(layout.storage_driver);
  if (driver == nullptr || layout.data_root.empty()) return {};
  const std::string above =
      layout.data_root + '/' + std::string(driver->above.substr(0, driver->above.size() - 1));
  const auto rest = sys::Below(path, above);
  if (!rest || !rest->starts_with('/')) return {};
  const std::size_t end = std::min(rest->find('/', 1), rest->size());
  const std::string_view layer = rest->substr(1, end - 1);
  const bool is_driver_path = sys::Below(rest->substr(end), driver->below).has_value();
  return is_driver_path && IsSha256Digest("sha256:" + std::string(layer)) ? std::string(layer)
                                                                          : std::string();
}

std::string StoredLayerAt(const Layout& layout, std::string_view path) {
  std::string layer = StoredLayerAround(layout, path);
  if (layer.empty()) return layer;
  const LayerOfDriver& driver = *FindLayer(layout.storage_driver);
  const std::string end = '/' + layer + std::string(driver.below);
  return path.ends_with(end) ? layer : std::string();
}

Result<std::vector<Identity>> IdentifyStoredLayer(const Layout& layout, const std::string& layer) {
  const auto lists = StorageLists::Open(layout.data_root, layout.storage_driver);
  if (!lists) return lists.error();
  const auto images = lists->ImagesOf(layer);
  if (!images) return images.error();
  std::vector<Identity> identities;
  for (const StoredImage& image : *images) {
    Identity identity;
    identity.engine = layout.engine;
    const Status is_known = IdentifyAtLayer(*lists, image, layer, layout.storage_driver, identity);
    identities.push_back(Finish(std::move(identity), is_known));
  }
  return identities;
}

Status IdentifyStorage(const Layout& layout, const Call& call, Identity& identity, Pod& pod) {
  UnverifiedImage& unverified = identity.unverified.emplace();
  unverified.may_have_other_names = true;
  auto lists = StorageLists::Open(layout.data_root, layout.storage_driver);
  if (!lists) return lists.error();
  const auto container = lists->Container(layout.id);
  if (!container) return container.error();
  identity.container_name = container->name;
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
                 "-containers/containers.json is not an image id"};
  }
  const Status layer_taken = TakeOwnLayer(layout, call, container->layer, identity);
  const auto image = lists->Image(container->image);
  if (!image) return image.error();
  if (auto added = AddNames(*image, layout.storage_driver + "-images/images.json", identity);
      !added) {
    return added;
  }
  unverified.may_have_other_names = false;
  if (!layer_taken) return layer_taken;

  const auto layers = lists->Layers(container->layer);
  if (!layers) return layers.error();
  // The first is the container's own.
  auto verified =
      Verify(*lists, *image, std::span(*layers).subspan(1), layout.storage_driver, identity);
  if (!verified) return verified;
  FinishNames(container->image_name, identity);
  return {};
}

}  // namespace runclad::engine
