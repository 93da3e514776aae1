// Any bytes as one of the state files of Docker, podman and containerd, beside others that are
// right: the container is of the image that it is made of, or of an unknown one.
//
// An input is the number of a file (one byte) and its text. With RUNCLAD_FUZZ_SEEDS=DIRECTORY the
// program writes each file as it should be there, for the corpus.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "runclad/base/sha256.hpp"
#include "runclad/engine/identify.hpp"

#include "engine/storage_lists.hpp"
#include "private_host.hpp"
#include "test_paths.hpp"

using runclad::fuzz::Expect;
using runclad::fuzz::WriteFile;
namespace engine = runclad::engine;
namespace fs = std::filesystem;

namespace {

const std::string kId(64, 'a');
const std::string kLayer(64, '9');
const std::string kTop(64, '2');
const std::string kDiff = "sha256:" + std::string(64, '1');
const std::string kManifest = "sha256:" + std::string(64, 'd');
const std::string kConfig =
    R"({"config":{"Volumes":{"/data":{}}},"rootfs":{"type":"layers","diff_ids":[")" + kDiff +
    R"("]},"history":[{"created_by":"sh"}]})";
const std::string kImage = runclad::Sha256(kConfig);

const std::string kDocker = "/srv/docker";
const std::string kGraph = "/srv/storage";
const std::string kContainerd = "/srv/lib/containerd";

struct StateFile {
  engine::Engine engine;
  std::string path;
  std::string text;
};

std::string ReadAll(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void AddDocker(std::vector<StateFile>& files) {
  const std::string images = kDocker + "/image/overlay2";
  const std::string mount = images + "/layerdb/mounts/" + kId;
  const auto add = [&](const std::string& path, const std::string& text) {
    files.push_back({engine::Engine::kDocker, path, text});
  };
  add(kDocker + "/containers/" + kId + "/config.v2.json",
      R"({"ID":")" + kId + R"(","Config":{"Image":"app:1","Labels":{"Image":"evil:1"}},"Image":")" +
          kImage + R"(","Driver":"overlay2","MountPoints":{}})");
  add(images + "/repositories.json", R"({"Repositories":{"app":{"app:1":")" + kImage +
                                         R"(","app@)" + kManifest + R"(":")" + kImage + R"("}}})");
  add(images + "/imagedb/content/sha256/" + kImage.substr(7), kConfig);
  add(mount + "/mount-id", kLayer);
  add(mount + "/parent", kDiff);
  fs::create_directories(kDocker + "/overlay2/" + kLayer + "/merged");
}

void AddStorage(std::vector<StateFile>& files) {
  const auto add = [&](const std::string& path, const std::string& text) {
    files.push_back({engine::Engine::kPodman, kGraph + path, text});
  };
  add("/overlay-containers/containers.json",
      R"([{"id":")" + kId + R"(","names":["one"],"image":")" + kImage.substr(7) + R"(","layer":")" +
          kLayer + R"(","metadata":"{\"image-name\":\"localhost/app:1\"}"}])");
  add("/overlay-images/images.json", R"([{"id":")" + kImage.substr(7) + R"(","digest":")" +
                                         kManifest + R"(","names":["localhost/app:1"],"layer":")" +
                                         kTop + R"(","big-data-names":["sha256:)" +
                                         kImage.substr(7) + R"("]}])");
  add("/overlay-layers/layers.json", R"([{"id":")" + kTop + R"(","diff-digest":")" + kDiff +
                                         R"("},{"id":")" + kLayer + R"(","parent":")" + kTop +
                                         R"("}])");
  fs::create_directories(kGraph + "/overlay/" + kLayer + "/merged");
  fs::create_directories(kGraph + "/overlay-containers/" + kId + "/userdata");
}

// What a real containerd wrote: tests/data/containerd/README.md. Its blobs go by their digests, so
// that only the database is anybody's to change.
void AddContainerd(std::vector<StateFile>& files) {
  const fs::path data = fs::path(RUNCLAD_TEST_DATA) / "data/containerd";
  const std::string blobs = kContainerd + "/io.containerd.content.v1.content/blobs/sha256";
  fs::create_directories(blobs);
  fs::copy(data / "blobs", blobs, fs::copy_options::recursive);
  files.push_back({engine::Engine::kContainerd,
                   kContainerd + "/io.containerd.metadata.v1.bolt/meta.db",
                   ReadAll(data / "meta.db")});
}

std::vector<StateFile> g_files;  // NOLINT: made once, by LLVMFuzzerInitialize

engine::Identity IdentifyWith(engine::Engine which) {
  engine::Layout layout;
  layout.engine = which;
  layout.id = kId;
  layout.data_root = kDocker;
  std::string rootfs = kDocker + "/overlay2/" + kLayer + "/merged";
  if (which == engine::Engine::kPodman) {
    layout.data_root = kGraph;
    layout.storage_driver = "overlay";
    rootfs = kGraph + "/overlay/" + kLayer + "/merged";
  } else if (which == engine::Engine::kContainerd) {
    layout.id = "f5e096bd9055f41ddf3d7f966446ca6fd086b9ce6d1dee7a3c3357c7dfe7dcb9";
    layout.bundle = "/srv/run/containerd/io.containerd.runtime.v2.task/k8s.io/" + layout.id;
    layout.containerd_root = kContainerd;
    rootfs = layout.bundle + "/rootfs";
  }
  engine::Pod pod;
  return engine::Identify(layout, {layout.id, layout.bundle, "", rootfs}, &pod);
}

void WriteSeeds(const std::string& directory) {
  for (std::size_t i = 0; i < g_files.size(); ++i) {
    WriteFile(directory + "/state-" + std::to_string(i),
              std::string(1, static_cast<char>(i)) + g_files[i].text);
  }
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
  const char* seeds = std::getenv("RUNCLAD_FUZZ_SEEDS");  // NOLINT(concurrency-mt-unsafe)
  runclad::fuzz::EnterPrivateHost();
  AddDocker(g_files);
  AddStorage(g_files);
  AddContainerd(g_files);
  for (const StateFile& file : g_files) WriteFile(file.path, file.text);
  const auto lists = engine::StorageLists::Open(kGraph, "overlay");
  Expect(static_cast<bool>(lists), "podman's lists open");
  WriteFile(kGraph + "/" + lists->BlobPath(kImage.substr(7), kImage), kConfig);
  for (const StateFile& file : g_files) {
    Expect(IdentifyWith(file.engine).is_known(), "the state is right before it is changed");
  }
  if (seeds != nullptr) WriteSeeds(seeds);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const StateFile& file = g_files[data[0] % g_files.size()];
  const engine::Identity before = IdentifyWith(file.engine);
  WriteFile(file.path, {reinterpret_cast<const char*>(data + 1), size - 1});
  const engine::Identity identity = IdentifyWith(file.engine);
  WriteFile(file.path, file.text);
  Expect(identity.is_known() || !identity.unknown_because.empty(), "an unknown image has a reason");
  Expect(identity.is_known() || identity.names.empty(), "an unknown image has no name");
  if (file.engine != engine::Engine::kContainerd && identity.is_known()) {
    Expect(identity.config_digest == before.config_digest, "no other image than its own");
  }
  return 0;
}
