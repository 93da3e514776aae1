// containerd's directories below /srv of a private mount namespace.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "runclad/base/sha256.hpp"
#include "runclad/engine/identify.hpp"

#include "../mount_namespace.hpp"
#include "bolt_writer.hpp"
#include "engine/image_config.hpp"
#include "test_paths.hpp"

namespace runclad::engine {

inline const std::string kContainerdRoot = "/srv/lib/containerd";
inline const std::string kDatabase = kContainerdRoot + "/io.containerd.metadata.v1.bolt/meta.db";
inline const std::string kBlobs =
    kContainerdRoot + "/io.containerd.content.v1.content/blobs/sha256";

inline std::string BlobPath(const std::string& digest) {
  return kBlobs + "/" + digest.substr(digest.find(':') + 1);
}

// What containerd 1.6.20 wrote: tests/data/containerd/README.md.
inline void MakeRealContainerd() {
  namespace fs = std::filesystem;
  const fs::path data = fs::path(RUNCLAD_TEST_DATA) / "data/containerd";
  fs::create_directories(fs::path(kDatabase).parent_path());
  fs::create_directories(kBlobs);
  fs::copy_file(data / "meta.db", kDatabase, fs::copy_options::overwrite_existing);
  fs::copy(data / "blobs", kBlobs,
           fs::copy_options::overwrite_existing | fs::copy_options::recursive);
}

// Of the images and containers in there.
namespace real {

inline const std::string kIndex =
    "sha256:c3837fa5d0cf3bb6d547b6a0dff4f2860e3aea06b69334a71ebe3009fa0594d5";
inline const std::string kManifest =
    "sha256:d519ae489d364f3ff79a2b68a4b4386991abc6a6c14f974567814aab5c2a83b5";
inline const std::string kConfig =
    "sha256:98bfd0d68d93e01c675a04ef7a19ecf04683f963bf9e8a469732a1d240485ddc";
inline const std::string kTwinConfig =
    "sha256:9a707067ac7aa37bc6b97ed25740723978943c80cef02f5495d353e727b5ae2d";
inline const std::string kTwinManifest =
    "sha256:0550e6431edb21026f4d4215491af3ae70c214c984df1dcc8f35161449150cef";
inline const std::string kPauseConfig =
    "sha256:c414275908f24326a285fe23fe8bbf3bf64593b5e763bf4b73dddce88a26887a";

inline const std::string kSandbox =
    "fff07854bb4f99abbb9ac4f26c03555418e6faefa453050953356074940f3b79";
inline const std::string kPodUid = "11111111-1111-1111-1111-111111111111";
inline const std::string kByName =
    "f5e096bd9055f41ddf3d7f966446ca6fd086b9ce6d1dee7a3c3357c7dfe7dcb9";
inline const std::string kById = "359e846bf474e339afe56b4ba1ab1a93f4ed203ce03d54b6a4a624ae6e9780c8";
inline const std::string kTwin = "d842263262ee5b5092a88384e6b08a30fa97a12347d40c99ced1c4c41740d1ba";

}  // namespace real

// The identity of a container as its shim would ask for it.
inline Identity IdentifyIn(const std::string& name_space, const std::string& id,
                           Pod* pod = nullptr) {
  const std::string bundle =
      "/srv/run/containerd/io.containerd.runtime.v2.task/" + name_space + "/" + id;
  Layout layout;
  layout.engine = Engine::kContainerd;
  layout.id = id;
  layout.bundle = bundle;
  layout.containerd_root = kContainerdRoot;
  return Identify(layout, {id, bundle, "", bundle + "/rootfs"}, pod);
}

// "tag docker.io/library/app:1" …
inline std::vector<std::string> Names(const Identity& identity) {
  std::vector<std::string> names;
  for (const ImageName& name : identity.names) {
    names.push_back(std::string(Name(name.tier)) + " " + name.reference.text());
  }
  return names;
}

inline std::string AskedFor(const Identity& identity) {
  return identity.asked_for ? identity.asked_for->text() : "nothing";
}

// A containerd made up for a test.
class MadeContainerd {
 public:
  // An image's config with these layers; its text makes it another.
  std::string AddConfig(const std::vector<std::string>& layers, const std::string& text = "") {
    std::string diff_ids;
    for (const std::string& layer : layers) {
      diff_ids += (diff_ids.empty() ? "\"" : ",\"") + Sha256(layer) + "\"";
    }
    return AddBlob(R"({"text":")" + text +
                   R"(","config":{"Volumes":{"/data":{}}},"rootfs":{"diff_ids":[)" + diff_ids +
                   "]}}");
  }

  std::string AddManifest(const std::string& config) {
    return AddBlob(R"({"config":{"digest":")" + config + R"("},"layers":[]})");
  }

  std::string AddIndex(const std::vector<std::string>& manifests) {
    std::string text;
    for (const std::string& manifest : manifests) {
      text += (text.empty() ? R"({"digest":")" : R"(,{"digest":")") + manifest + R"("})";
    }
    return AddBlob(R"({"manifests":[)" + text + "]}");
  }

  std::string AddBlob(const std::string& text) {
    const std::string digest = Sha256(text);
    runclad::testing::WriteFile(BlobPath(digest), text);
    return digest;
  }

  void AddName(const std::string& name, const std::string& target) {
    Bucket().At("images").At(name).At("target").values["digest"] = target;
  }

  void AddSnapshot(const std::string& key, const std::string& parent) {
    Bucket().At("snapshots").At("overlayfs").At(key).values["parent"] = parent;
  }

  // A container of an image with these layers.
  Tree& AddContainer(const std::string& id, const std::string& image,
                     const std::vector<std::string>& layers) {
    std::vector<std::string> diff_ids;
    for (const std::string& layer : layers) diff_ids.push_back(Sha256(layer));
    AddSnapshot(id, ChainId(diff_ids));
    Tree& container = Bucket().At("containers").At(id);
    container.values = {{"image", image}, {"snapshotter", "overlayfs"}, {"snapshotKey", id}};
    return container;
  }

  // The record of the CRI plugin in `extension`, as {1: type, 2: value}.
  static void AddExtension(Tree& record, const std::string& extension, const std::string& json) {
    const auto field = [](char tag, const std::string& bytes) {
      constexpr std::size_t kBits = 7;
      std::string text(1, tag);
      text += static_cast<char>((bytes.size() & 0x7FU) | 0x80U);
      return text + static_cast<char>(bytes.size() >> kBits) + bytes;
    };
    record.At("extensions").values[extension] = field('\x0A', "a type") + field('\x12', json);
  }

  void SetNamespace(const std::string& name_space) { name_space_ = name_space; }
  Tree& Bucket() { return tree_.At("v1").At(name_space_); }

  void Write() const { runclad::testing::WriteFile(kDatabase, BoltWriter().Write(tree_)); }

 private:
  std::string name_space_ = "default";
  Tree tree_;
};

}  // namespace runclad::engine
