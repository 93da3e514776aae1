// Engines' state with an image that is mounted as a volume, below /srv of a private mount
// namespace.
#pragma once

#include <filesystem>
#include <string>

#include "runclad/engine/image_volumes.hpp"

#include "containerd_fixture.hpp"
#include "fixture.hpp"
#include "storage_fixture.hpp"

namespace runclad::engine {

inline Layout Storage(Engine engine = Engine::kPodman) {
  Layout layout;
  layout.engine = engine;
  layout.id = kId;
  layout.data_root = kGraph;
  layout.storage_driver = "overlay";
  return layout;
}

inline const std::string kMounted = kGraph + "/overlay/" + kTop + "/merged";

struct Plugin {
  Layout layout;
  Pod pod;
  std::string config;
  std::string manifest;
  std::string point;
};

// The record of a pod's container, an image and the snapshot of it, mounted.
inline Plugin MakePlugin() {
  std::filesystem::remove_all(kContainerdRoot);
  Plugin plugin;
  plugin.pod.sandbox = kPeer;
  plugin.layout.engine = Engine::kContainerd;
  plugin.layout.id = kId;
  plugin.layout.bundle = "/srv/run/containerd/io.containerd.runtime.v2.task/k8s.io/" + kId;
  plugin.layout.containerd_root = kContainerdRoot;
  plugin.layout.containerd_state = "/srv/run/containerd";
  plugin.layout.run_directories = {plugin.layout.containerd_state};
  MadeContainerd containerd;
  containerd.SetNamespace("k8s.io");
  plugin.config = containerd.AddConfig({"base", "top"});
  plugin.manifest = containerd.AddManifest(plugin.config);
  plugin.point = "/srv/run/containerd/io.containerd.grpc.v1.cri/image-volumes/" + kPeer + '/' +
                 plugin.manifest.substr(7);
  containerd.AddName("docker.io/library/data:1", plugin.manifest);
  containerd.AddContainer(kId, "docker.io/library/app:1", {"other"});
  containerd.AddSnapshot(plugin.point, ChainId({Sha256("base"), Sha256("top")}));
  containerd.Write();
  return plugin;
}

inline const std::string kDocker = "/srv/docker";
inline const std::string kDockerRecord = kDocker + "/containers/" + kId + "/config.v2.json";
inline const std::string kDockerConfig =
    R"({"os":"linux","rootfs":{"type":"layers","diff_ids":[")" + kLow + R"(",")" + kHigh +
    R"("]}})";
inline const std::string kDockerImage = Sha256(kDockerConfig);

inline Layout Docker() {
  Layout layout;
  layout.engine = Engine::kDocker;
  layout.id = kId;
  layout.bundle = "/srv/run/containerd/io.containerd.runtime.v2.task/moby/" + kId;
  layout.data_root = kDocker;
  layout.containerd_root = kContainerdRoot;
  return layout;
}

// As dockerd 28 writes it, members of no interest left out.
inline std::string RecordText(const std::string& driver, const std::string& source,
                              const std::string& image, const std::string& rest = "") {
  return R"({"ID":")" + kId + R"(","Config":{"Image":"app:1"},"Image":"sha256:)" +
         std::string(64, 'f') + R"(",)" + rest + R"("Driver":")" + driver +
         R"(","MountPoints":{"/img":{"Source":")" + source +
         R"(","Destination":"/img","RW":false,"Name":"data:1","Driver":"","Type":"image",)" +
         R"("Spec":{"Type":"image","Source":")" + image + R"(","Target":"/img"}},)" +
         R"("/v":{"Type":"volume","Name":"mine","Driver":"local","Source":"","Destination":"/v"}}})";
}

// The classic store, with the volume's layer called `name`; returns where it is mounted.
inline std::string MakeClassic(const std::string& name) {
  std::filesystem::remove_all(kDocker + "/image");
  MakeDocker();
  const std::string images = kDocker + "/image/overlay2/";
  const std::string layer(64, '8');
  const std::string source = kDocker + "/overlay2/" + layer + "/merged";
  runclad::testing::MakeDirectories(source);
  runclad::testing::WriteFile(kDockerRecord, RecordText("overlay2", source, kDockerImage));
  runclad::testing::WriteFile(images + "layerdb/mounts/" + name + "/mount-id", layer);
  runclad::testing::WriteFile(images + "layerdb/mounts/" + name + "/parent",
                              ChainId({kLow, kHigh}));
  runclad::testing::WriteFile(images + "imagedb/content/sha256/" + kDockerImage.substr(7),
                              kDockerConfig);
  runclad::testing::WriteFile(images + "repositories.json",
                              R"({"Repositories":{"data":{"data:1":")" + kDockerImage + R"("}}})");
  return source;
}

}  // namespace runclad::engine
