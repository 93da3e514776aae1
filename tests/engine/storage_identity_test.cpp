// containers/storage: what podman and CRI-O keep of a container and its image.
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runclad/engine/identify.hpp"

#include "fixture.hpp"
#include "storage_fixture.hpp"
#include "tampering.hpp"

namespace runclad::engine::storage_identity_test {
namespace {

using runclad::testing::InPrivateMounts;
using runclad::testing::MakeDirectories;
using runclad::testing::TmpfsMount;
using runclad::testing::WriteFile;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Strings = std::vector<std::string>;

Identity IdentifyWith(Engine engine, Pod* pod = nullptr) {
  Layout layout;
  layout.engine = engine;
  layout.id = kId;
  layout.data_root = kGraph;
  layout.storage_driver = "overlay";
  return Identify(layout, {kId, "", "", kRootfs}, pod);
}

Identity IdentifyPodman() { return IdentifyWith(Engine::kPodman); }
Identity IdentifyCrio(Pod* pod = nullptr) { return IdentifyWith(Engine::kCrio, pod); }

TEST(StorageIdentity, FindsTheImageAndItsNames) {
  InPrivateMounts([] {
    MakeStorage();
    const Call call = {kId, kGraph + "/overlay-containers/" + kId + "/userdata", "", kRootfs};
    const Identity identity = Identify(Discover(call), call);
    EXPECT_EQ(identity.engine, Engine::kPodman);
    EXPECT_EQ(identity.config_digest, "sha256:" + kImage) << identity.unknown_because;
    EXPECT_THAT(identity.manifest_digests, ElementsAre(kManifest, kIndex));
    ASSERT_EQ(identity.names.size(), 3U);
    EXPECT_EQ(identity.names[0].reference.text(), "localhost/app:1");
    EXPECT_EQ(identity.names[0].tier, Tier::kTag);
    EXPECT_EQ(identity.names[1].reference.text(), "localhost/app:latest");
    EXPECT_EQ(identity.names[2].reference.text(), "localhost:5000/team/app@" + kManifest);
    // `podman load` of an archive stores such a name as well.
    EXPECT_EQ(identity.names[2].tier, Tier::kTag);
    ASSERT_TRUE(identity.asked_for);
    EXPECT_EQ(identity.asked_for->text(), "localhost/app:1");
    EXPECT_EQ(identity.container_name, "one");
    EXPECT_EQ(identity.pod_namespace, "");
    EXPECT_EQ(identity.unknown_because, "");
  });
}

TEST(StorageIdentity, UsesTheTypedNameWhileItRefersToThisImage) {
  InPrivateMounts([] {
    MakeStorage();
    const std::array<Strings, 6> cases = {
        {{"localhost/app:1", "localhost/app:1"},
         {"localhost:5000/team/app@" + kManifest, "localhost:5000/team/app@" + kManifest},
         {"localhost/app:gone", ""},
         {"localhost/evil:1", ""},
         {kImage, ""},
         {"", ""}}};
    for (const Strings& one : cases) {
      WriteFile(kContainerList,
                '[' + Container(kId, kImage, kOwnLayer, PodmanMetadata(one[0])) + ']');
      const Identity identity = IdentifyPodman();
      EXPECT_EQ(identity.config_digest, "sha256:" + kImage) << one[0];
      EXPECT_EQ(identity.asked_for ? identity.asked_for->text() : "", one[1]) << one[0];
    }
    WriteFile(kContainerList, '[' + Container(kId, kImage, kOwnLayer, "") + ']');
    EXPECT_TRUE(IdentifyPodman().is_known()) << "no metadata";
    WriteFile(kImageList, "[" + Image("") + "]");
    EXPECT_TRUE(IdentifyPodman().is_known()) << "no names";
    EXPECT_THAT(IdentifyPodman().names, IsEmpty());
  });
}

TEST(StorageIdentity, ADirectoryIsNotAnImage) {
  InPrivateMounts([] {
    MakeStorage();
    WriteFile(kContainerList, '[' + Container(kId, "", kOwnLayer, PodmanMetadata("")) + ']');
    ExpectUnknown(IdentifyPodman(), "it is made of a directory (--rootfs)");
    EXPECT_FALSE(IdentifyPodman().unverified);
    WriteFile(kContainerList,
              '[' + Container(kId, "", kOwnLayer, PodmanMetadata("localhost/app:1")) + ']');
    EXPECT_THAT(Claims(IdentifyPodman()), ElementsAre("localhost/app:1", "?"));
  });
}

TEST(StorageIdentity, IdentifiesAnImageWithoutLayers) {
  InPrivateMounts([] {
    MakeStorage();
    const std::string config = R"({"os":"linux","rootfs":{"type":"layers","diff_ids":[]}})";
    const std::string image = Sha256(config).substr(7);
    WriteFile(ConfigFile(image), config);
    WriteFile(kContainerList, '[' + Container(kId, image, kOwnLayer, "") + ']');
    WriteFile(kImageList, R"([{"id":")" + image + R"(","names":["localhost/empty:1"]}])");
    ExpectUnknown(IdentifyPodman(), "a layer of another image");
    WriteFile(kLayerList, '[' + Layer(kOwnLayer, "", "") + ']');
    EXPECT_EQ(IdentifyPodman().config_digest, "sha256:" + image)
        << IdentifyPodman().unknown_because;
  });
}

// podman 4.9 and CRI-O keep what need not outlive the boot apart, beside the lists or below /run.
TEST(StorageIdentity, FindsVolatileContainers) {
  InPrivateMounts([] {
    TmpfsMount("/run");
    const auto move = [](const std::string& directory) {
      MakeDirectories(directory + "/overlay-containers");
      MakeDirectories(directory + "/overlay-layers");
      WriteFile(directory + "/overlay-containers/volatile-containers.json", TextOf(kContainerList));
      WriteFile(directory + "/overlay-layers/volatile-layers.json", '[' + kOwnEntry + ']');
      WriteFile(kLayerList, '[' + kLowEntry + ',' + kTopEntry + ']');
    };
    const std::string run = "/run/containers/storage";
    for (const std::string& directory : {kGraph, run}) {
      MakeStorage();
      move(directory);
      std::filesystem::remove(kContainerList);
      EXPECT_EQ(IdentifyPodman().config_digest, "sha256:" + kImage)
          << directory << ": " << IdentifyPodman().unknown_because;
      WriteFile(kContainerList, "[]");
      EXPECT_TRUE(IdentifyPodman().is_known()) << directory;
      const std::string list = directory + "/overlay-containers/volatile-containers.json";
      ASSERT_EQ(::chmod(list.c_str(), 0666), 0);
      ExpectUnknown(IdentifyPodman(), "volatile-containers.json");
      ASSERT_EQ(::chmod(list.c_str(), 0600), 0);
      ASSERT_TRUE(IdentifyPodman().is_known());
      ASSERT_EQ(::chown((directory + "/overlay-layers").c_str(), 1000, 0), 0);
      ExpectUnknown(IdentifyPodman(), "overlay-layers");
      std::filesystem::remove_all(directory);
    }
    MakeStorage();
    move(run);
    std::filesystem::remove(kContainerList);
    ASSERT_EQ(::chmod(run.c_str(), 0777), 0);
    ExpectUnknown(IdentifyPodman(), "containers.json has no container " + kId);
  });
}

TEST(StorageIdentity, FindsALayerShiftedForAUserNamespace) {
  InPrivateMounts([] {
    MakeStorage();
    WriteFile(kLayerList, '[' + kLowEntry + ',' + kTopEntry + ',' +
                              Layer(kMapped, std::string(64, '1'), kHigh) + ',' +
                              Layer(kOwnLayer, kMapped, "") + ']');
    ExpectUnknown(IdentifyPodman(), "a layer of another image");
    WriteFile(kImageList, '[' + Image(kNames, R"(,"mapped-layers":[")" + kMapped + "\"]") + ']');
    EXPECT_TRUE(IdentifyPodman().is_known()) << IdentifyPodman().unknown_because;
  });
}

// podman 5, where the container has a user namespace.
TEST(StorageIdentity, RefusesALayerMountedElsewhere) {
  InPrivateMounts([] {
    MakeStorage();
    const std::string point = "/srv/tmp/intermediate-mountpoint-0.0";
    runclad::testing::BindMount(kRootfs, point);
    Layout layout;
    layout.engine = Engine::kPodman;
    layout.id = kId;
    layout.data_root = kGraph;
    layout.storage_driver = "overlay";
    const Identity identity = Identify(layout, {kId, "", "", point});
    EXPECT_TRUE(identity.is_known()) << identity.unknown_because;
    EXPECT_EQ(identity.own_layer, point);
    runclad::testing::BindMount("/etc", "/srv/tmp/another");
    ExpectUnknown(Identify(layout, {kId, "", "", "/srv/tmp/another"}), "is not the layer");
    EXPECT_EQ(Identify(layout, {kId, "", "", "/srv/tmp/another"}).own_layer, "");
  });
}

TEST(StorageIdentity, ReportsTheClaimedNameOfAnUnverifiedImage) {
  InPrivateMounts([] {
    TmpfsMount("/run");
    const std::string pulled = "localhost:5000/team/app@" + kManifest;
    for (const std::string& file : {ConfigFile(), kLayerList}) {
      for (const Tampering& tampering : Tamperings()) {
        SCOPED_TRACE(file + " is " + tampering.name);
        MakeStorage();
        tampering.apply(file);
        EXPECT_THAT(Claims(IdentifyPodman()),
                    ElementsAre("localhost/app:1", "localhost/app:latest", pulled));
        EXPECT_EQ(IdentifyPodman().own_layer, kRootfs);
      }
    }
    MakeStorage();
    std::filesystem::remove(kImageList);
    EXPECT_THAT(Claims(IdentifyPodman()), ElementsAre("localhost/app:1", "?"));
    MakeStorage();
    std::filesystem::remove(kContainerList);
    EXPECT_THAT(Claims(IdentifyPodman()), ElementsAre("?"));
  });
}

TEST(StorageIdentity, ReadsThePodOfCrio) {
  InPrivateMounts([] {
    TmpfsMount("/run");
    const std::string sandbox =
        Container(kOther, kImage, kTop,
                  CrioMetadata(kOther, R"(,"namespace":"shop","uid":"5f0e","pod":true)"));
    MakeStorage();
    WriteFile(
        kContainerList,
        '[' + sandbox + ',' + Container(kId, kImage, kOwnLayer, CrioMetadata(kOther, "")) + ']');
    Pod pod;
    Identity identity = IdentifyCrio(&pod);
    EXPECT_TRUE(identity.is_known()) << identity.unknown_because;
    EXPECT_EQ(identity.pod_namespace, "shop");
    EXPECT_EQ(pod.sandbox, kOther);
    EXPECT_EQ(pod.uid, "5f0e");
    EXPECT_FALSE(identity.is_sandbox);
    EXPECT_EQ(identity.asked_for->text(), "localhost/app:1");
    // The namespace is known even when the image is not.
    std::filesystem::remove(kImageList);
    identity = IdentifyCrio();
    ExpectUnknown(identity, "images.json");
    EXPECT_EQ(identity.pod_namespace, "shop");

    MakeStorage();
    const std::string own =
        Container(kId, kImage, kOwnLayer,
                  CrioMetadata(kId, R"(,"namespace":"shop","uid":"5f0e","pod":true)"));
    WriteFile(kContainerList, '[' + own + ']');
    EXPECT_TRUE(IdentifyCrio(&pod).is_sandbox);
    EXPECT_EQ(pod.sandbox, kId);
    EXPECT_EQ(pod.uid, "5f0e");
    EXPECT_EQ(IdentifyCrio().pod_namespace, "shop");
    // podman knows no namespaces.
    EXPECT_EQ(IdentifyPodman().pod_namespace, "");
    EXPECT_FALSE(IdentifyPodman().is_sandbox);

    // A container that is no sandbox says nothing of the namespace, its own or another's.
    const std::string liar =
        Container(kOther, kImage, kTop, CrioMetadata(kOther, R"(,"namespace":"kube-system")"));
    WriteFile(kContainerList, '[' + liar + ',' +
                                  Container(kId, kImage, kOwnLayer,
                                            CrioMetadata(kOther, R"(,"namespace":"kube-system")")) +
                                  ']');
    EXPECT_TRUE(IdentifyCrio(&pod).is_known());
    EXPECT_EQ(IdentifyCrio().pod_namespace, "");
    EXPECT_EQ(pod.sandbox, "");
  });
}

TEST(StorageIdentity, RejectsAChangedFile) {
  InPrivateMounts([] {
    TmpfsMount("/run");
    TamperWithEach({kContainerList, kImageList, kLayerList, ConfigFile()}, Tamperings(),
                   MakeStorage, IdentifyPodman);
  });
}

TEST(StorageIdentity, RejectsAChangedDirectory) {
  InPrivateMounts([] {
    const auto rebuild = [] {
      std::filesystem::remove_all(kGraph + ".moved");
      MakeStorage();
    };
    TamperWithEach({kGraph, kGraph + "/overlay-containers", kGraph + "/overlay-images",
                    kGraph + "/overlay-images/" + kImage, kGraph + "/overlay-layers"},
                   DirectoryTamperings(), rebuild, IdentifyPodman);
  });
}

TEST(StorageIdentity, RejectsAMemberOfAnotherType) {
  InPrivateMounts([] {
    for (const char* member : {"", "/0", "/1", "/1/id", "/1/image", "/1/layer", "/1/metadata"}) {
      TamperWithType(kContainerList, member, MakeStorage, IdentifyPodman);
    }
    for (const char* member : {"", "/0", "/1", "/1/id", "/1/layer", "/1/names", "/1/names/0",
                               "/1/big-data-names", "/1/big-data-names/0"}) {
      TamperWithType(kImageList, member, MakeStorage, IdentifyPodman);
    }
    for (const char* member : {"", "/0", "/0/id", "/0/diff-digest", "/1/id", "/1/parent",
                               "/1/diff-digest", "/2/id", "/2/parent"}) {
      TamperWithType(kLayerList, member, MakeStorage, IdentifyPodman);
    }
    for (const char* metadata :
         {"x", "[]", R"({"image-name":7})", R"({"pod":"true"})", R"({"pod-id":null})", "{} {}"}) {
      MakeStorage();
      WriteFile(kContainerList, '[' + Container(kId, kImage, kOwnLayer, metadata) + ']');
      ExpectUnknown(IdentifyPodman(), "containers.json");
    }
  });
}

TEST(StorageIdentity, RejectsInconsistentState) {
  struct Case {
    const char* name;
    std::string file;
    std::string text;
    std::string reason;
  };
  const std::string own = Container(kId, kImage, kOwnLayer, "");
  const auto layers = [](const Strings& entries) {
    std::string text;
    for (const std::string& entry : entries) text += (text.empty() ? "[" : ",") + entry;
    return text + ']';
  };
  const std::string low(64, '1');
  const Case cases[] = {
      {"no container of this id", kContainerList, "[]", "containers.json has no container"},
      {"an image that is a path", kContainerList,
       '[' + Container(kId, "../../etc", kOwnLayer, "") + ']', "is not an image id"},
      {"another layer", kContainerList, '[' + Container(kId, kImage, kTop, "") + ']',
       "is not the layer given by overlay-containers/containers.json"},
      {"no layer", kContainerList, '[' + Container(kId, kImage, "", "") + ']', "containers.json"},
      {"no config", kContainerList, '[' + Container(kId, kIndex.substr(7), kOwnLayer, "") + ']',
       kIndex.substr(7)},
      {"another config", ConfigFile(), kConfig + ' ', "does not match its digest"},
      {"no image of this id", kImageList, "[]", "images.json has no image"},
      {"a name that is none", kImageList, '[' + Image(R"("localhost/app:1 ")") + ']',
       "images.json: \"localhost/app:1 \" is not an image reference"},
      {"a name without a tag", kImageList, '[' + Image(R"("localhost/app")") + ']', "images.json"},
      {"a digest that was never pulled", kImageList, '[' + Image(R"("a.b/c@)" + kLow + '"') + ']',
       "no such manifest"},
      {"no layer of the container's", kLayerList, layers({kLowEntry, kTopEntry}),
       "layers.json has no layer"},
      {"no layer below", kLayerList, layers({kTopEntry, kOwnEntry}), "layers.json has no layer"},
      {"a circle", kLayerList, layers({Layer(low, kTop, kLow), kTopEntry, kOwnEntry}),
       "without a base layer"},
      {"a layer of another image", kLayerList,
       layers({kLowEntry, kTopEntry, Layer(kMapped, low, kHigh), Layer(kOwnLayer, kMapped, "")}),
       "a layer of another image"},
      {"other content", kLayerList, layers({kLowEntry, Layer(kTop, low, kLow), kOwnEntry}),
       "does not match the layers of the image's config"},
      {"unknown content", kLayerList, layers({kLowEntry, Layer(kTop, low, ""), kOwnEntry}),
       "does not match the layers of the image's config"},
      {"a layer less", kLayerList, layers({Layer(kTop, "", kHigh), kOwnEntry}),
       "does not match the layers of the image's config"},
      {"a layer more", kLayerList,
       layers({Layer(kMapped, "", kLow), Layer(low, kMapped, kLow), kTopEntry, kOwnEntry}),
       "does not match the layers of the image's config"},
      {"nothing below the container's own", kLayerList, layers({Layer(kOwnLayer, "", "")}),
       "does not match the layers of the image's config"},
  };
  InPrivateMounts([&] {
    TmpfsMount("/run");
    for (const Case& one : cases) {
      SCOPED_TRACE(one.name);
      MakeStorage();
      WriteFile(one.file, one.text);
      ExpectUnknown(IdentifyPodman(), one.reason);
    }
    Layout layout;
    layout.engine = Engine::kPodman;
    layout.id = kId;
    layout.data_root = kGraph;
    layout.storage_driver = "overlay";
    MakeStorage();
    for (const std::string& rootfs : {kGraph, kRootfs + "/x", std::string("/srv")}) {
      MakeDirectories(rootfs);
      ExpectUnknown(Identify(layout, {kId, "", "", rootfs}), "is not the layer");
    }
  });
}

}  // namespace
}  // namespace runclad::engine::storage_identity_test
