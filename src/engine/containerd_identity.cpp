#include "containerd_identity.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "runclad/base/spelling.hpp"

#include "bolt.hpp"
#include "containerd_content.hpp"
#include "containerd_pod.hpp"
#include "image_names.hpp"
#include "state_directory.hpp"

namespace runclad::engine {
namespace {

constexpr std::string_view kKubernetes = "k8s.io";  // the CRI plugin's namespace of containerd

// At 2,500 instructions each: each has a page of its own.
constexpr std::size_t kMaxImages = 20'000;

std::optional<Bolt::Bucket> Descend(Bolt& bolt, Bolt::Bucket bucket,
                                    std::initializer_list<std::string_view> path) {
  for (const std::string_view name : path) {
    const auto next = bolt.FindBucket(bucket, name);
    if (!next) return std::nullopt;
    bucket = *next;
  }
  return bucket;
}

std::string Text(Bolt& bolt, const Bolt::Bucket& bucket, std::string_view name) {
  return std::string(bolt.FindValue(bucket, name).value_or(""));
}

// One reading of one state of the metadata, into an Identity.
class Reading {
 public:
  Reading(Bolt& bolt, ContainerdContent& content, std::string_view name_space)
      : bolt_(bolt), content_(content), is_kubernetes_(name_space == kKubernetes) {
    name_space_ = Descend(bolt, bolt.root(), {"v1", name_space});
  }

  // `identity.unverified` has to be there; what the record calls the image is added to it.
  Status ReadContainer(const std::string& id, Identity& identity, Pod& pod_of_container) {
    const auto container = Below({"containers", id});
    if (!container) return Error{"containerd has no record of it"};
    const std::string name = Text(bolt_, *container, "image");
    AddTyped(name, *identity.unverified);
    PodRecord pod;
    if (is_kubernetes_) {
      auto record = ReadPodRecord(bolt_, *name_space_, *container, id);
      if (!record) return record.error();
      pod = *std::move(record);
    }
    identity.pod_namespace = pod.pod_namespace;
    identity.is_sandbox = pod.is_sandbox;
    pod_of_container = pod.pod;
    if (name.empty() && pod.image_id.empty()) {
      identity.unverified.reset();
      return Error{"it is made of a directory, not of an image"};
    }
    const bool is_in_pod = pod.is_sandbox || !pod.image_id.empty();
    const std::string& typed = is_in_pod ? pod.typed : name;
    AddTyped(typed, *identity.unverified);
    Status status = ReadImageOf(*container, name, pod.image_id, identity);
    if (status) return ReadNames(typed, identity);
    AddClaims({TargetOf(pod.image_id), TargetOf(name)}, identity);
    return status;
  }

  // Of the container `id`; empty where it has no record.
  std::string SnapshotterOf(const std::string& id) {
    const auto container = Below({"containers", id});
    return container ? Text(bolt_, *container, "snapshotter") : std::string();
  }

  Status ReadSnapshot(const Snapshot& snapshot, std::string_view typed, Identity& identity) {
    Status status = ReadImageOf(snapshot, identity);
    if (status) return ReadNames(typed, identity);
    AddClaims({snapshot.target}, identity);
    return status;
  }

 private:
  std::optional<Bolt::Bucket> Below(std::initializer_list<std::string_view> path) {
    return name_space_ ? Descend(bolt_, *name_space_, path) : std::nullopt;
  }

  std::string ParentOf(const std::string& snapshotter, const std::string& key) {
    const auto snapshot = Below({"snapshots", snapshotter, key});
    return snapshot ? Text(bolt_, *snapshot, "parent") : std::string();
  }

  std::string TargetOf(const std::string& image) {
    const auto target = Below({"images", image, "target"});
    return target ? Text(bolt_, *target, "digest") : std::string();
  }

  Status ReadImage(const std::string& target, const std::string& parent, Identity& identity) {
    const auto chain = content_.FindImage(target, parent);
    if (!chain) return chain.error();
    identity.config_digest = chain->config;
    identity.manifest_digests = chain->manifests;
    identity.volumes = chain->volumes;
    return {};
  }

  Status ReadImageOf(const Bolt::Bucket& container, const std::string& name,
                     const std::string& image_id, Identity& identity) {
    const std::string key = Text(bolt_, container, "snapshotKey");
    if (key.empty()) return Error{"it has no snapshot"};
    const std::string parent = ParentOf(Text(bolt_, container, "snapshotter"), key);
    if (parent.empty()) return Error{"its snapshot is not based on an image"};
    // The CRI plugin keeps every image under its id too; of several other names its record has
    // just the first.
    Status status = Error{"containerd no longer has the image " + Quoted(name)};
    for (const std::string& image : {image_id, name}) {
      const std::string target = TargetOf(image);
      if (target.empty()) continue;
      status = ReadImage(target, parent, identity);
      if (!status) continue;
      if (image_id.empty() || identity.config_digest == image_id) break;
      identity.config_digest.clear();
      status = Error{"the image " + Quoted(name) + " is not " + image_id};
    }
    return status;
  }

  Status ReadImageOf(const Snapshot& snapshot, Identity& identity) {
    std::string parent = ParentOf(snapshot.snapshotter, snapshot.key);
    // Docker's own files for the container (/etc/hosts …) are a snapshot between.
    if (parent == snapshot.key + "-init") parent = ParentOf(snapshot.snapshotter, parent);
    if (parent.empty()) return Error{"its snapshot is not based on an image"};
    return ReadImage(snapshot.target, parent, identity);
  }

  // Calls `take(name, digest)` for every image whose target is one of `targets`. False: there are
  // too many images.
  template <typename Take>
  bool ForEachName(const std::vector<std::string>& targets, Take take) {
    const auto images = Below({"images"});
    if (!images) return true;
    std::size_t count = 0;
    bolt_.ForEach(*images, [&](const Bolt::Entry& entry) {
      const auto image = bolt_.AsBucket(entry);
      const auto target = image ? bolt_.FindBucket(*image, "target") : std::nullopt;
      const auto digest = target ? bolt_.FindValue(*target, "digest") : std::nullopt;
      if (digest && std::ranges::find(targets, *digest) != targets.end()) take(entry.key, *digest);
      return ++count <= kMaxImages;
    });
    return count <= kMaxImages;
  }

  // Names of other indexes that hold the image as well are not looked for: every image's documents
  // would have to be read.
  Status ReadNames(std::string_view typed, Identity& identity) {
    const bool are_all = ForEachName(
        identity.manifest_digests,
        [&](std::string_view name, std::string_view digest) { TakeName(name, digest, identity); });
    if (!are_all) return Error{"containerd has too many images"};
    FinishNames(typed, identity);
    return {};
  }

  // Every name that leads where the record says the image is, none of them verified.
  void AddClaims(const std::vector<std::string>& targets, Identity& identity) {
    UnverifiedImage& image =
        identity.unverified ? *identity.unverified : identity.unverified.emplace();
    const bool are_all = ForEachName(targets, [&](std::string_view name, std::string_view digest) {
      AddTyped(name, image);
      image.digests.emplace_back(digest);
    });
    image.may_have_other_names = !are_all;
  }

  void TakeName(std::string_view text, std::string_view digest, Identity& identity) const {
    if (IsSha256Digest(text)) return;  // an id: the CRI plugin has each image under its own
    if (text.starts_with("moby-dangling@")) return;  // Docker's, of an image without a name
    auto reference = ParseReference(text);
    if (!reference) return;
    // Nothing is granted for a name in a form that no engine gives to an image: a short name could
    // be mistaken for the full name of another image. But its repository may be a pinned one.
    const bool is_canonical = reference->text() == text &&
                              !(reference->tag.empty() && reference->digest.empty()) &&
                              (reference->digest.empty() || reference->digest == digest);
    if (reference->tag.empty() && reference->digest.empty()) reference->tag = "latest";
    // Only a pull through the CRI plugin makes such names there.
    const bool is_pulled = is_kubernetes_ && !reference->digest.empty();
    const Tier tier = !is_canonical ? Tier::kNone
                      : is_pulled   ? Tier::kRepositoryDigest
                                    : Tier::kTag;
    identity.names.push_back({*std::move(reference), tier});
  }

  Bolt& bolt_;
  ContainerdContent& content_;
  bool is_kubernetes_;
  std::optional<Bolt::Bucket> name_space_;
};

// What `read(reading, identity)` finds in a state of the metadata that did not change during the
// read.
template <typename Read>
Status ReadMetadata(const std::string& root, std::string_view name_space, Identity& identity,
                    Read read) {
  if (root.empty()) return Error{"containerd's own directory was not found"};
  const auto directory = StateDirectory::Open(root);
  if (!directory) return directory.error();
  const auto database = directory->OpenFile("io.containerd.metadata.v1.bolt/meta.db");
  if (!database) return database.error();
  auto content = ContainerdContent::Open(root);
  if (!content) return content.error();

  Identity found;
  auto status = ReadOneState(database->get(), "containerd's metadata", [&](Bolt& bolt) {
    found = identity;
    return read(Reading(bolt, *content, name_space), found);
  });
  if (!status) return status.error();
  identity = std::move(found);
  return *std::move(status);
}

// …/io.containerd.runtime.v2.task/<namespace>/<id>
std::string NamespaceOfBundle(const std::string& bundle) {
  const std::size_t end = bundle.rfind('/');
  const std::size_t begin = end == std::string::npos || end == 0 ? end : bundle.rfind('/', end - 1);
  return begin == std::string::npos ? std::string() : bundle.substr(begin + 1, end - begin - 1);
}

}  // namespace

Status IdentifyContainerd(const Layout& layout, const Call& call, Identity& identity, Pod& pod) {
  UnverifiedImage& image = identity.unverified.emplace();
  image.may_have_other_names = true;
  const Status status = ReadMetadata(layout.containerd_root, NamespaceOfBundle(layout.bundle),
                                     identity, [&](Reading reading, Identity& found) {
                                       pod = {};
                                       return reading.ReadContainer(layout.id, found, pod);
                                     });
  if (!status) return status;
  // containerd mounts the snapshot there; a document with another directory would run that one.
  if (call.rootfs != call.bundle + "/rootfs") {
    return Error{"its root directory is not the one where containerd mounts its image"};
  }
  return {};
}

Status IdentifySnapshot(const Snapshot& snapshot, std::string_view typed, Identity& identity) {
  return ReadMetadata(snapshot.containerd_root, snapshot.name_space, identity,
                      [&](Reading reading, Identity& found) {
                        return reading.ReadSnapshot(snapshot, typed, found);
                      });
}

Status IdentifyMountedSnapshot(const Layout& layout, const std::string& point,
                               const std::string& target, Identity& identity) {
  UnverifiedImage& image = identity.unverified.emplace();
  image.digests.push_back(target);
  image.may_have_other_names = true;
  Snapshot snapshot{layout.containerd_root, NamespaceOfBundle(layout.bundle), {}, point, target};
  return ReadMetadata(snapshot.containerd_root, snapshot.name_space, identity,
                      [&](Reading reading, Identity& found) {
                        snapshot.snapshotter = reading.SnapshotterOf(layout.id);
                        return reading.ReadSnapshot(snapshot, "", found);
                      });
}

}  // namespace runclad::engine
