// A storage root of podman and CRI-O with an image of two layers and a container of it, below /srv
// of a private mount namespace.
#pragma once

#include <array>
#include <cstdio>
#include <filesystem>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "runclad/base/sha256.hpp"

#include "fixture.hpp"

namespace runclad::engine {

inline const std::string kGraph = "/srv/storage";
inline const std::string kContainerList = kGraph + "/overlay-containers/containers.json";
inline const std::string kImageList = kGraph + "/overlay-images/images.json";
inline const std::string kLayerList = kGraph + "/overlay-layers/layers.json";
inline const std::string kTop(64, '2');
inline const std::string kMapped(64, '4');
inline const std::string kOwnLayer(64, '9');
inline const std::string kRootfs = kGraph + "/overlay/" + kOwnLayer + "/merged";
inline const std::string kManifest = "sha256:" + std::string(64, 'd');
inline const std::string kIndex = "sha256:" + std::string(64, 'e');
inline const std::string kLow = "sha256:" + std::string(64, '6');
inline const std::string kHigh = "sha256:" + std::string(64, '7');

inline const std::string kConfig =
    R"({"architecture":"amd64","os":"linux","config":{"Cmd":["sh"]},"rootfs":{"type":"layers",)"
    R"("diff_ids":[")" +
    kLow + R"(",")" + kHigh + R"("]},"history":[{"created":"2026-11-22T05:41:19.4Z"}]})";
inline const std::string kImage = Sha256(kConfig).substr(7);
// As coreutils' base64 has "sha256:<image>".
inline std::string ConfigFile(const std::string& image = kImage) {
  const std::string command = "printf sha256:" + image + " | base64 -w0";
  FILE* const pipe = ::popen(command.c_str(), "r");
  std::array<char, 256> line{};
  EXPECT_NE(::fgets(line.data(), static_cast<int>(line.size()), pipe), nullptr);
  ::pclose(pipe);
  return kGraph + "/overlay-images/" + image + "/=" + line.data();
}

// `metadata` as podman writes it: JSON in a JSON string.
inline std::string Container(const std::string& id, const std::string& image,
                             const std::string& layer, const std::string& metadata) {
  const nlohmann::json text = metadata;
  return R"({"id":")" + id + R"(","names":["one"],"image":")" + image + R"(","layer":")" + layer +
         R"(","metadata":)" + text.dump() +
         R"(,"created":"2026-11-22T05:41:20.1Z","flags":{"MountLabel":"","Volatile":true}})";
}

inline std::string PodmanMetadata(const std::string& name) {
  return R"({"image-name":")" + name + R"(","image-id":")" + kImage +
         R"(","name":"one","created-at":1795326080})";
}

inline std::string CrioMetadata(const std::string& pod, const std::string& rest) {
  return R"({"pod-name":"k8s_web","pod-id":")" + pod + R"(","image-name":"localhost/app:1",)" +
         R"("name":"k8s_app","metadata-name":"app","created-at":1795326080)" + rest + '}';
}

inline std::string Layer(const std::string& id, const std::string& parent,
                         const std::string& diff) {
  return R"({"id":")" + id + '"' + (parent.empty() ? "" : R"(,"parent":")" + parent + '"') +
         R"(,"created":"2026-11-22T05:41:18.9Z")" +
         (diff.empty() ? "" : R"(,"compressed-size":4608,"diff-digest":")" + diff + '"') +
         R"(,"uidset":[0,1000],"gidset":[0]})";
}

inline const std::string kOwnEntry = Layer(kOwnLayer, kTop, "");
inline const std::string kLowEntry = Layer(std::string(64, '1'), "", kLow);
inline const std::string kTopEntry = Layer(kTop, std::string(64, '1'), kHigh);

inline std::string Image(const std::string& names, const std::string& rest = "") {
  return R"({"id":")" + kImage + R"(","digest":")" + kManifest + R"(","names":[)" + names +
         R"(],"names-history":["localhost/evil:1"],"layer":")" + kTop + '"' + rest +
         R"(,"metadata":"{}","big-data-names":["sha256:)" + kImage + R"(","manifest-)" + kIndex +
         R"(","manifest-)" + kManifest + R"(","manifest","signature-)" + std::string(64, 'd') +
         R"("],"big-data-sizes":{"manifest":559},"created":"2026-11-22T05:41:19.4Z"})";
}

inline const std::string kNames =
    R"("localhost/app:1","localhost:5000/team/app@)" + kManifest + R"(","localhost/app:latest")";

inline void MakeStorage() {
  std::filesystem::remove_all(kGraph);
  runclad::testing::MakeDirectories(kRootfs);
  runclad::testing::MakeDirectories(kGraph + "/overlay-containers/" + kId + "/userdata");
  runclad::testing::WriteFile(
      kContainerList, '[' + Container(kOther, kIndex.substr(7), kTop, "") + ',' +
                          Container(kId, kImage, kOwnLayer, PodmanMetadata("localhost/app:1")) +
                          ']');
  runclad::testing::WriteFile(kImageList, R"([{"id":")" + kIndex.substr(7) +
                                              R"(","names":["localhost/other:1"]},)" +
                                              Image(kNames) + ']');
  runclad::testing::WriteFile(kLayerList,
                              '[' + kLowEntry + ',' + kTopEntry + ',' + kOwnEntry + ']');
  runclad::testing::WriteFile(ConfigFile(), kConfig);
}

}  // namespace runclad::engine
