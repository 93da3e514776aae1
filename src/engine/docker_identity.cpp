#include "docker_identity.hpp"

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runclad/base/sha256.hpp"
#include "runclad/base/spelling.hpp"
#include "runclad/json/scanner.hpp"
#include "runclad/sys/mounts.hpp"

#include "containerd_identity.hpp"
#include "image_config.hpp"
#include "image_names.hpp"
#include "state_directory.hpp"

namespace runclad::engine {
namespace {

constexpr std::size_t kMaxIdBytes = 256;
// Has every label and variable of the image and of `docker run`, which sets no limit.
constexpr std::size_t kMaxRecordBytes = std::size_t{32} << 20;
constexpr std::size_t kMaxRepositoriesBytes = std::size_t{64} << 20;

// containers/<id>/config.v2.json, as far as it says which image the container is made of and which
// volumes are its own.
struct Record {
  std::string id;
  std::string name;      // "/web1"
  std::string driver;    // "overlay2"
  std::string image;     // the digest of the image's config
  std::string manifest;  // its manifest, where containerd keeps the images; empty elsewhere
  std::string typed;     // "nginx", "nginx:1.27", an id or a digest
  std::vector<std::string> volumes;  // as Identity has them
};

// Each is {"Type": "volume", "Driver": "local", "Name": …}, by its destination.
std::vector<std::string> ScanVolumes(json::Scanner& scanner) {
  std::vector<std::string> volumes;
  if (scanner.Null()) return volumes;
  scanner.Members([&](std::string_view /*destination*/) {
    std::string type;
    std::string driver;
    std::string name;
    scanner.Object({"Type", "Driver", "Name"}, [&](std::size_t member) {
      std::string* const texts[] = {&type, &driver, &name};
      *texts[member] = scanner.String();
    });
    if (type == "volume" && driver == "local") volumes.push_back(std::move(name));
  });
  return volumes;
}

Result<Record> ReadRecord(const StateDirectory& root, const std::string& path) {
  const auto text = root.Read(path, kMaxRecordBytes);
  if (!text) return text.error();
  Record record;
  json::Scanner scanner(*text);
  scanner.Object(
      {"ID", "Driver", "Image", "Config", "Name", "MountPoints", "ImageManifest"},
      [&](std::size_t member) {
        switch (member) {
          case 0:
            record.id = scanner.String();
            return;
          case 1:
            record.driver = scanner.String();
            return;
          case 2:
            record.image = scanner.String();
            return;
          case 3:
            return scanner.Object({"Image"}, [&](std::size_t) { record.typed = scanner.String(); });
          case 4:
            record.name = scanner.String();
            return;
          case 5:
            record.volumes = ScanVolumes(scanner);
            return;
          default:
            if (scanner.Null()) return;
            scanner.Object({"digest"}, [&](std::size_t) { record.manifest = scanner.String(); });
            // A manifest without a digest must not count as no manifest.
            if (record.manifest.empty()) record.manifest = "?";
        }
      });
  if (auto finished = scanner.Finish(); !finished) return finished.error().In(path);
  return record;
}

// Where each storage driver mounts a container's file system, below the data root.
struct MountOfDriver {
  std::string_view driver;
  std::string_view above;  // the directory of the mount's id
  std::string_view below;
};

constexpr MountOfDriver kMounts[] = {
    {"overlay2", "overlay2/", "/merged"},
    {"overlay", "overlay/", "/merged"},
    {"fuse-overlayfs", "fuse-overlayfs/", "/merged"},
    {"vfs", "vfs/dir/", ""},
    {"btrfs", "btrfs/subvolumes/", ""},
    {"zfs", "zfs/graph/", ""},
    {"aufs", "aufs/mnt/", ""},
    {"devicemapper", "devicemapper/mnt/", "/rootfs"},
};

const MountOfDriver* FindMount(std::string_view driver) {
  for (const MountOfDriver& path : kMounts) {
    if (path.driver == driver) return &path;
  }
  return nullptr;
}

Status TakeOwnLayer(const Call& call, const std::string& expected, const std::string& source,
                    Identity& identity) {
  auto rootfs = sys::Locate(call.rootfs);
  if (!rootfs) return rootfs.error();
  if (rootfs->path == expected) {
    identity.own_layer = std::move(rootfs->path);
    return {};
  }
  return Error{Quoted(call.rootfs) + " is not the layer given by " + source + " names"};
}

// A layer that dockerd made above an image's.
struct MadeLayer {
  std::string directory;  // where its files are mounted
  std::string parent;     // the layers below it by their chain id; empty for an image of no layers
};

// `name`: the container's id, or that of a volume.
Result<MadeLayer> ReadLayer(const StateDirectory& images, const MountOfDriver& driver,
                            const std::string& data_root, const std::string& name) {
  const auto mount = images.Below("layerdb/mounts/" + name);
  if (!mount) return mount.error();
  const auto mount_id = mount->Read("mount-id", kMaxIdBytes);
  if (!mount_id) return mount_id.error();
  auto parent = mount->ReadIfPresent("parent", kMaxIdBytes);
  if (!parent) return parent.error();
  MadeLayer layer{data_root + '/', parent->value_or("")};
  layer.directory.append(driver.above).append(*mount_id).append(driver.below);
  return layer;
}

// Checks that the rootfs to be run is the layer that dockerd made for this container, and returns
// the chain id of the layers below it; empty for an image without layers.
Result<std::string> CheckLayer(const StateDirectory& images, const MountOfDriver& driver,
                               const Layout& layout, const Call& call, Identity& identity) {
  auto layer = ReadLayer(images, driver, layout.data_root, layout.id);
  if (!layer) return layer.error();
  auto taken =
      TakeOwnLayer(call, layer->directory, "layerdb/mounts/" + layout.id + "/mount-id", identity);
  if (!taken) return taken.error();
  return std::move(layer->parent);
}

// Every name that repositories.json gives to `image`.
Status ReadNames(const StateDirectory& images, std::string_view image, Identity& identity) {
  const std::string path = "repositories.json";
  const auto text = images.Read(path, kMaxRepositoriesBytes);
  if (!text) return text.error();
  Status added;
  bool has_names = false;
  json::Scanner scanner(*text);
  scanner.Object({"Repositories"}, [&](std::size_t) {
    has_names = true;
    scanner.Members([&](std::string_view /*repository*/) {
      scanner.Members([&](std::string_view name) {
        if (scanner.String() != image || !added) return;
        // Only a pull and a push store a digest here; load, build and tag cannot.
        added = AddName(name, Tier::kRepositoryDigest, identity);
      });
    });
  });
  if (auto finished = scanner.Finish(); !finished) return finished.error().In(path);
  // With fewer names, more could be granted, because an image gets only what all of its names
  // grant.
  if (!has_names) return Error{path + " has no Repositories"};
  return added ? added : added.error().In(path);
}

// Checks the image's config against its digest, and the layers below the layer `name` against the
// config.
Status Verify(const StateDirectory& images, const std::string& image, const std::string& chain_id,
              const std::string& name, Identity& identity) {
  const std::string hex = image.substr(std::string_view("sha256:").size());
  const std::string config_path = "imagedb/content/sha256/" + hex;
  const auto config = images.Read(config_path, kMaxImageDocumentBytes);
  if (!config) return config.error();
  if (Sha256(*config) != image) return Error{config_path + " does not match its digest"};
  const auto image_config = ReadImageConfig(*config);
  if (!image_config) return image_config.error().In(config_path);
  if (ChainId(image_config->diff_ids) != chain_id) {
    return Error{"layerdb/mounts/" + name +
                 "/parent does not match the layers of the image's config"};
  }
  identity.config_digest = image;
  identity.volumes = image_config->volumes;
  return {};
}

// dockerd's own store of images.
Status IdentifyClassic(const StateDirectory& root, const Record& record, const Layout& layout,
                       const Call& call, Identity& identity) {
  const MountOfDriver* const driver = FindMount(record.driver);
  if (driver == nullptr) {
    return Error{"config.v2.json has the unknown storage driver " + Quoted(record.driver) +
                 ", which is not known"};
  }
  const auto images = root.Below("image/" + record.driver);
  if (!images) return images.error();
  if (auto read = ReadNames(*images, record.image, identity); !read) return read;
  identity.unverified->may_have_other_names = false;
  const auto chain_id = CheckLayer(*images, *driver, layout, call, identity);
  if (!chain_id) return chain_id.error();
  auto verified = Verify(*images, record.image, *chain_id, layout.id, identity);
  if (verified) FinishNames(record.typed, identity);
  return verified;
}

// …/io.containerd.runtime.v2.task/<namespace>/<id>: "moby", or the namespace that dockerd is
// configured with.
std::string NamespaceOf(const Layout& layout) {
  const std::string_view bundle = layout.bundle;
  const std::string_view above = bundle.substr(0, bundle.rfind('/'));
  return std::string(above.substr(above.rfind('/') + 1));
}

// The containerd image store, where dockerd keeps no more of an image than its digests.
Status IdentifyInContainerd(const Record& record, const Layout& layout, const Call& call,
                            const std::string& record_path, Identity& identity) {
  const std::string mount = layout.data_root + "/rootfs/" + record.driver + '/' + layout.id;
  const Status layer_taken = TakeOwnLayer(call, mount, record_path, identity);
  const Snapshot snapshot{layout.containerd_root, NamespaceOf(layout), record.driver, layout.id,
                          record.image};
  // Even where this is not its layer: the image's names are wanted then, too.
  if (auto known = IdentifySnapshot(snapshot, record.typed, identity); !known) return known;
  if (!layer_taken) return layer_taken;
  if (std::ranges::find(identity.manifest_digests, record.manifest) ==
      identity.manifest_digests.end()) {
    return Error{record_path + " has a manifest that does not lead to this image"};
  }
  return {};
}

// The container's layer, where a fault was met before it: layerdb names it by the container's id,
// and so does containerd's store.
void FindLayer(const StateDirectory& root, const Layout& layout, const Call& call,
               Identity& identity) {
  for (const MountOfDriver& driver : kMounts) {
    const auto images = root.Below("image/" + std::string(driver.driver));
    if (images && CheckLayer(*images, driver, layout, call, identity)) return;
  }
  const std::string above = layout.data_root + "/rootfs/";
  if (!call.rootfs.starts_with(above)) return;
  const std::size_t end = call.rootfs.find('/', above.size());
  if (end == std::string::npos) return;
  (void)TakeOwnLayer(call, call.rootfs.substr(0, end + 1) + layout.id, "", identity);
}

Status IdentifyByRecord(const StateDirectory& root, const Layout& layout, const Call& call,
                        Identity& identity) {
  UnverifiedImage& image = *identity.unverified;
  const std::string record_path = "containers/" + layout.id + "/config.v2.json";
  auto record = ReadRecord(root, record_path);
  if (!record) return record.error();
  if (record->id != layout.id) return Error{record_path + " belongs to another container"};
  identity.local_volumes = std::move(record->volumes);
  identity.container_name = record->name.starts_with('/') ? record->name.substr(1) : record->name;
  if (record->image.empty() && record->typed.empty()) {
    identity.unverified.reset();
    return Error{record_path + " does not name an image"};
  }
  AddTyped(record->typed, image);
  image.digests.push_back(record->image);
  if (!IsSha256Digest(record->image)) {
    return Error{record_path + " does not give the digest of the image"};
  }
  if (!record->manifest.empty()) {
    return IdentifyInContainerd(*record, layout, call, record_path, identity);
  }
  return IdentifyClassic(root, *record, layout, call, identity);
}

std::string Hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const char byte : bytes) {
    const auto value = static_cast<unsigned char>(byte);
    text += kDigits[value >> 4U];
    text += kDigits[value & 0xFU];
  }
  return text;
}

// What dockerd may have called the layer of a volume: 28 by the image, 29 by the destination, too.
std::vector<std::string> LayerNames(const Layout& layout, const DockerImageMount& mount) {
  return {Hex(layout.id + ",src=" + mount.typed + ",dst=" + mount.destination),
          layout.id + '-' + mount.typed, layout.id + '-' + mount.image};
}

Status IdentifyClassicMount(const StateDirectory& root, const std::string& driver_name,
                            const Layout& layout, const DockerImageMount& mount,
                            Identity& identity) {
  const MountOfDriver* const driver = FindMount(driver_name);
  if (driver == nullptr) {
    return Error{"config.v2.json has the unknown storage driver " + Quoted(driver_name) +
                 ", which is not known"};
  }
  const auto images = root.Below("image/" + driver_name);
  if (!images) return images.error();
  if (auto read = ReadNames(*images, mount.image, identity); !read) return read;
  identity.unverified->may_have_other_names = false;
  for (const std::string& name : LayerNames(layout, mount)) {
    const auto layer = ReadLayer(*images, *driver, layout.data_root, name);
    if (!layer || layer->directory != mount.source) continue;
    auto verified = Verify(*images, mount.image, layer->parent, name, identity);
    if (verified) FinishNames(mount.typed, identity);
    return verified;
  }
  return Error{"layerdb/mounts has no layer mounted at " + mount.source};
}

std::vector<DockerImageMount> ReadImageMounts(const StateDirectory& root, const Layout& layout) {
  std::vector<DockerImageMount> mounts;
  const auto text = root.Read("containers/" + layout.id + "/config.v2.json", kMaxRecordBytes);
  if (!text) return mounts;
  std::string id;
  json::Scanner scanner(*text);
  const auto take_mount = [&] {
    DockerImageMount mount;
    std::string type;
    scanner.Object({"Source", "Destination", "Name", "Type", "Spec"}, [&](std::size_t member) {
      std::string* const texts[] = {&mount.source, &mount.destination, &mount.typed, &type};
      if (member < std::size(texts)) {
        *texts[member] = scanner.String();
        return;
      }
      scanner.Object({"Source"}, [&](std::size_t) { mount.image = scanner.String(); });
    });
    if (type == "image") mounts.push_back(std::move(mount));
  };
  scanner.Object({"ID", "MountPoints"}, [&](std::size_t member) {
    if (member == 0) {
      id = scanner.String();
    } else if (!scanner.Null()) {
      scanner.Members([&](std::string_view /*destination*/) { take_mount(); });
    }
  });
  if (!scanner.Finish() || id != layout.id) mounts.clear();
  return mounts;
}

}  // namespace

std::vector<DockerImageMount> FindDockerImageMounts(const Layout& layout) {
  if (!layout.untrusted_record.empty()) return {};
  const auto root = StateDirectory::Open(layout.data_root);
  return root ? ReadImageMounts(*root, layout) : std::vector<DockerImageMount>();
}

Status IdentifyDockerMount(const Layout& layout, const DockerImageMount& mount,
                           Identity& identity) {
  UnverifiedImage& image = identity.unverified.emplace();
  image.may_have_other_names = true;
  AddTyped(mount.typed, image);
  image.digests.push_back(mount.image);
  if (!IsSha256Digest(mount.image)) {
    return Error{"config.v2.json does not give the digest of the image for " + mount.destination};
  }
  const auto root = StateDirectory::Open(layout.data_root);
  if (!root) return root.error();
  const auto record = ReadRecord(*root, "containers/" + layout.id + "/config.v2.json");
  if (!record) return record.error();
  if (record->manifest.empty()) {
    return IdentifyClassicMount(*root, record->driver, layout, mount, identity);
  }
  // The snapshot has the name of the directory.
  const auto name = sys::Below(mount.source, layout.data_root + "/rootfs/" + record->driver);
  if (!name || name->size() < 2) return Error{mount.source + " is not the directory of a snapshot"};
  return IdentifySnapshot({layout.containerd_root, NamespaceOf(layout), record->driver,
                           std::string(name->substr(1)), mount.image},
                          mount.typed, identity);
}

Status IdentifyDocker(const Layout& layout, const Call& call, Identity& identity) {
  identity.unverified = {.names = {}, .digests = {}, .may_have_other_names = true};
  const auto root = StateDirectory::Open(layout.data_root);
  if (!root) return root.error();
  Status status = IdentifyByRecord(*root, layout, call, identity);
  if (!status && identity.own_layer.empty()) FindLayer(*root, layout, call, identity);
  return status;
}

}  // namespace runclad::engine
