// Docker with the containerd image store: dockerd's record names digests, containerd has the rest.
#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runclad/engine/identify.hpp"

#include "containerd_fixture.hpp"
#include "fixture.hpp"
#include "tampering.hpp"

namespace runclad::engine::docker_containerd_store_test {
namespace {

using runclad::testing::InPrivateMounts;
using runclad::testing::MakeDirectories;
using runclad::testing::WriteFile;
using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

const std::string kRoot = "/srv/docker";
const std::string kRecord = kRoot + "/containers/" + kId + "/config.v2.json";
const std::string kMount = kRoot + "/rootfs/overlayfs/" + kId;

struct Store {
  std::string config;
  std::string manifest;
  std::string index;
};

std::string RecordText(const Store& store) {
  return R"({"ID":")" + kId + R"(","Config":{"Image":"app:1"},"Image":")" + store.index +
         R"(","ImageManifest":{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":")" +
         store.manifest + R"(","size":528,"platform":{"architecture":"amd64","os":"linux"}},)" +
         R"("Name":"/one","Driver":"overlayfs","MountPoints":{}})";
}

// moby 28's layers: the image's, then <id>-init with /etc/hosts and the like, then the container's.
Store MakeStore() {
  std::filesystem::remove_all(kRoot);
  std::filesystem::remove_all(kContainerdRoot);
  MadeContainerd containerd;
  containerd.SetNamespace("moby");
  Store store;
  store.config = containerd.AddConfig({"base", "top"});
  store.manifest = containerd.AddManifest(store.config);
  store.index = containerd.AddIndex({store.manifest});
  containerd.AddName("docker.io/library/app:1", store.index);
  containerd.AddName("docker.io/library/other:1", containerd.AddManifest(containerd.AddConfig({})));
  containerd.AddSnapshot(kId + "-init", ChainId({Sha256("base"), Sha256("top")}));
  containerd.AddSnapshot(kId, kId + "-init");
  containerd.Write();
  MakeDocker();
  MakeDirectories(kMount);
  WriteFile(kRecord, RecordText(store));
  return store;
}

Identity IdentifyAt(const std::string& rootfs) {
  Layout layout;
  layout.engine = Engine::kDocker;
  layout.id = kId;
  layout.bundle = "/srv/run/containerd/io.containerd.runtime.v2.task/moby/" + kId;
  layout.data_root = kRoot;
  layout.containerd_root = kContainerdRoot;
  return Identify(layout, {kId, layout.bundle, "", rootfs});
}

Identity IdentifyStore() { return IdentifyAt(kMount); }

TEST(DockerContainerdStore, FindsTheImageAndItsNames) {
  InPrivateMounts([] {
    const Store store = MakeStore();
    const Identity identity = IdentifyStore();
    EXPECT_EQ(identity.engine, Engine::kDocker);
    EXPECT_EQ(identity.config_digest, store.config) << identity.unknown_because;
    EXPECT_THAT(identity.manifest_digests, UnorderedElementsAre(store.manifest, store.index));
    ASSERT_EQ(identity.names.size(), 1U);
    EXPECT_EQ(identity.names[0].reference.text(), "docker.io/library/app:1");
    EXPECT_EQ(identity.names[0].tier, Tier::kTag);
    ASSERT_TRUE(identity.asked_for);
    EXPECT_EQ(identity.asked_for->text(), "docker.io/library/app:1");
  });
}

TEST(DockerContainerdStore, RejectsAChangedFile) {
  InPrivateMounts([] {
    const Store store = MakeStore();
    TamperWithEach(
        {kRecord, BlobPath(store.index)}, Tamperings(), [] { MakeStore(); }, IdentifyStore);
    // An index may name what was never pulled: other platforms' manifests.
    for (const std::string& blob : {store.manifest, store.config}) {
      for (const Tampering& tampering : Tamperings()) {
        SCOPED_TRACE(blob + " is " + tampering.name);
        MakeStore();
        tampering.apply(BlobPath(blob));
        const bool is_missing = tampering.name == std::string("missing");
        ExpectUnknown(IdentifyStore(),
                      is_missing ? store.index + " does not lead to an image" : blob.substr(7));
        EXPECT_THAT(Claims(IdentifyStore()), ElementsAre("docker.io/library/app:1"));
      }
    }
    for (const char* member : {"/Image", "/ImageManifest/digest", "/Driver"}) {
      TamperWithType(
          kRecord, member, [] { MakeStore(); }, IdentifyStore);
    }
  });
}

TEST(DockerContainerdStore, RejectsInconsistentState) {
  InPrivateMounts([] {
    const Store store = MakeStore();
    for (const std::string& rootfs :
         {kRoot, kMount + "/x", kRoot + "/rootfs/overlayfs/" + kOther}) {
      MakeDirectories(rootfs);
      ExpectUnknown(IdentifyAt(rootfs), "config.v2.json");
    }
    Store bad = store;
    bad.manifest = store.config;
    WriteFile(kRecord, RecordText(bad));
    ExpectUnknown(IdentifyStore(), "has a manifest that does not lead to this image");
    bad.manifest.clear();
    WriteFile(kRecord, RecordText(bad));
    ExpectUnknown(IdentifyStore(), "has a manifest that does not lead to this image");

    MadeContainerd containerd;
    containerd.SetNamespace("moby");
    containerd.AddName("docker.io/library/app:1", store.index);
    containerd.AddSnapshot(kId, Sha256("base"));
    containerd.Write();
    WriteFile(kRecord, RecordText(store));
    ExpectUnknown(IdentifyStore(), "does not lead to an image");
  });
}

}  // namespace
}  // namespace runclad::engine::docker_containerd_store_test
