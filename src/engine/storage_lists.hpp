// The lists of containers, layers and images that containers/storage keeps as JSON files.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runclad/base/result.hpp"

#include "state_directory.hpp"

namespace runclad::engine {

struct StoredContainer {
  std::string image;  // an id; empty: made of a directory
  std::string layer;
  std::string name;  // podman: "web1"; empty where there is none
  // What podman or CRI-O say of it in a JSON text of their own.
  std::string image_name;     // what the container was asked for with
  std::string pod;            // CRI-O: the id of the pod's sandbox
  std::string pod_namespace;  // CRI-O: of a sandbox
  std::string pod_uid;        // CRI-O: of a sandbox
  bool is_sandbox = false;    // CRI-O
};

struct StoredImage {
  std::string id;
  std::vector<std::string> layers;  // its uppermost, and copies of it for other user ids
  std::vector<std::string> names;   // "docker.io/library/nginx:1.27"
  std::vector<std::string> blobs;   // names of the config and the manifests that are kept beside
};

struct StoredLayer {
  std::string id;
  std::string diff_digest;  // of the content as a tar; empty where it is not known
};

class StorageLists {
 public:
  // `root`: the graphroot; `driver`: "overlay" of overlay-containers.
  static Result<StorageLists> Open(const std::string& root, const std::string& driver);

  // An error, which names the file, where there is none of that id.
  Result<StoredContainer> Container(const std::string& id);
  [[nodiscard]] Result<StoredImage> Image(const std::string& id) const;
  // Those whose uppermost layer is `layer`, or a copy of it for other user ids: images that differ
  // in their config alone have the same layers.
  [[nodiscard]] Result<std::vector<StoredImage>> ImagesOf(const std::string& layer) const;
  // The layer `id` and all below it, the uppermost first.
  [[nodiscard]] Result<std::vector<StoredLayer>> Layers(const std::string& id) const;

  // What is kept beside an image by the name `blob`, and the path of its file.
  [[nodiscard]] Result<std::string> Blob(const std::string& image, std::string_view blob) const;
  [[nodiscard]] std::string BlobPath(const std::string& image, std::string_view blob) const;

 private:
  StorageLists(StateDirectory root, std::string driver)
      : root_(std::move(root)), driver_(std::move(driver)) {}

  [[nodiscard]] std::string PathOf(std::string_view directory, std::string_view file) const;
  Status ReadTransientContainers();
  [[nodiscard]] Result<std::vector<std::string>> LayerLists() const;

  StateDirectory root_;
  std::string driver_;
  std::vector<std::string> containers_;  // the texts of the lists
  bool has_transient_ = false;           // those below /run are among them
};

}  // namespace runclad::engine
