// Images as volumes: which mounts show one, and which image it is.
#include "runclad/engine/image_volumes.hpp"

#include <sys/stat.h>

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "image_volumes_fixture.hpp"
#include "tampering.hpp"

namespace runclad::engine::image_volumes_test {
namespace {

using runclad::testing::BindMount;
using runclad::testing::InPrivateMounts;
using runclad::testing::MakeDirectories;
using runclad::testing::TmpfsMount;
using runclad::testing::WriteFile;
using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

std::optional<ImageVolume> VolumeAt(const Layout& layout, const std::string& path,
                                    bool is_lower_layer, const Pod& pod = {}) {
  const auto located = sys::Locate(path);
  EXPECT_TRUE(located) << path;
  if (!located) return std::nullopt;
  const Claim claim = OwnFiles(layout, {}, pod).Of(*located);
  return ImageVolumes(layout, pod).Of(*located, claim, is_lower_layer);
}

// The only image that is shown there.
Identity ImageAt(const Layout& layout, const std::string& path, bool is_lower_layer,
                 const Pod& pod = {}) {
  auto volume = VolumeAt(layout, path, is_lower_layer, pod);
  EXPECT_TRUE(volume) << path;
  if (!volume) return {};
  EXPECT_EQ(volume->images.size(), 1U);
  return volume->images.front();
}

// --- podman and CRI-O ---

TEST(ImageVolumes, OfStorageMatchTheTopLayerOfTheImage) {
  InPrivateMounts([] {
    MakeStorage();
    MakeDirectories(kMounted + "/below");
    for (const Engine engine : {Engine::kPodman, Engine::kCrio}) {
      const Identity image = ImageAt(Storage(engine), kMounted, true);
      EXPECT_EQ(image.engine, engine);
      EXPECT_EQ(image.config_digest, "sha256:" + kImage) << image.unknown_because;
      EXPECT_THAT(image.manifest_digests, ElementsAre(kManifest, kIndex));
      EXPECT_EQ(image.names.size(), 3U);
      EXPECT_FALSE(image.asked_for) << "nothing says by which name it was asked for";
    }
    EXPECT_FALSE(VolumeAt(Storage(), kMounted, false)) << "a bind of the engine's directory";
    // The container's own layer, a layer in the middle, something in the image, the store itself.
    MakeDirectories(kGraph + "/overlay/" + std::string(64, '1') + "/merged");
    for (const std::string& path :
         {kRootfs, kGraph + "/overlay/" + std::string(64, '1') + "/merged", kMounted + "/below",
          kGraph + "/overlay/" + kTop, kGraph + "/overlay", kGraph}) {
      EXPECT_FALSE(VolumeAt(Storage(), path, true)) << path;
    }
    Layout vfs = Storage();
    vfs.storage_driver = "vfs";
    EXPECT_FALSE(VolumeAt(vfs, kMounted, true)) << "another driver's place";
  });
}

TEST(ImageVolumes, OfStorageMatchALayerShiftedForAUserNamespace) {
  InPrivateMounts([] {
    MakeStorage();
    const std::string mapped = kGraph + "/overlay/" + kMapped + "/merged";
    MakeDirectories(mapped);
    EXPECT_FALSE(VolumeAt(Storage(), mapped, true));
    WriteFile(kImageList, '[' + Image(kNames, R"(,"mapped-layers":[")" + kMapped + "\"]") + ']');
    WriteFile(kLayerList, '[' + kLowEntry + ',' + kTopEntry + ',' +
                              Layer(kMapped, std::string(64, '1'), kHigh) + ']');
    const Identity image = ImageAt(Storage(), mapped, true);
    EXPECT_TRUE(image.is_known()) << image.unknown_because;
  });
}

// Two images that differ in their config alone: nothing says which one was asked for.
TEST(ImageVolumes, OfStorageListAllImagesWithTheSameLayer) {
  InPrivateMounts([] {
    MakeStorage();
    MakeDirectories(kMounted);
    const std::string config = kConfig + ' ';
    const std::string twin = Sha256(config).substr(7);
    WriteFile(ConfigFile(twin), config);
    WriteFile(kImageList, '[' + Image(kNames) + R"(,{"id":")" + twin +
                              R"(","names":["localhost/twin:1"],"layer":")" + kTop + "\"}]");
    const auto volume = VolumeAt(Storage(), kMounted, true);
    ASSERT_TRUE(volume);
    ASSERT_EQ(volume->images.size(), 2U);
    EXPECT_EQ(volume->images[0].config_digest, "sha256:" + kImage);
    EXPECT_EQ(volume->images[1].config_digest, "sha256:" + twin);
    EXPECT_EQ(volume->images[1].names.at(0).reference.text(), "localhost/twin:1");
  });
}

// --mount type=image,subpath=…: the engine binds the directory to a place of the container's.
TEST(ImageVolumes, OfStorageRecogniseAMountedSubpath) {
  InPrivateMounts([] {
    MakeStorage();
    TmpfsMount(kMounted);
    MakeDirectories(kMounted + "/sub/deep");
    const std::string userdata = kGraph + "/overlay-containers/" + kId + "/userdata/";
    const std::string part = userdata + "subpath2782717146";
    BindMount(kMounted + "/sub", part);
    MakeDirectories(part + "/deep");
    for (const Engine engine : {Engine::kPodman, Engine::kCrio}) {
      const Identity image = ImageAt(Storage(engine), part, true);
      EXPECT_EQ(image.config_digest, "sha256:" + kImage) << image.unknown_because;
    }
    EXPECT_FALSE(VolumeAt(Storage(), part, false)) << "as a bind's source";
    EXPECT_FALSE(VolumeAt(Storage(), part + "/deep", true)) << "what is in the part";
    // Places that are not the container's own.
    for (const std::string& place :
         {kGraph + "/overlay-containers/" + kOther + "/userdata/subpath1", std::string("/srv/x")}) {
      BindMount(kMounted + "/sub", place);
      EXPECT_FALSE(VolumeAt(Storage(), place, true)) << place;
    }
    // What else may be mounted at such a place.
    MakeDirectories("/srv/data");
    BindMount("/srv/data", userdata + "subpath2");
    TmpfsMount(userdata + "subpath3");
    MakeDirectories(userdata + "subpath4");
    const std::string middle = kGraph + "/overlay/" + std::string(64, '1') + "/merged";
    TmpfsMount(middle);
    BindMount(middle, userdata + "subpath5");
    for (const char* name : {"subpath2", "subpath3", "subpath4", "subpath5"}) {
      EXPECT_FALSE(VolumeAt(Storage(), userdata + name, true)) << name;
    }
    // Nothing shows any more that it was the image's.
    TmpfsMount(kMounted);
    EXPECT_FALSE(VolumeAt(Storage(), part, true));
  });
}

TEST(ImageVolumes, OfStorageRecogniseASubpathOfTheVfsDriver) {
  InPrivateMounts([] {
    MakeStorage();
    std::filesystem::rename(kGraph + "/overlay-images", kGraph + "/vfs-images");
    std::filesystem::rename(kGraph + "/overlay-layers", kGraph + "/vfs-layers");
    Layout vfs = Storage();
    vfs.storage_driver = "vfs";
    const std::string files = kGraph + "/vfs/dir/" + kTop;
    MakeDirectories(files + "/sub");
    const std::string part = kGraph + "/vfs-containers/" + kId + "/userdata/subpath1";
    BindMount(files + "/sub", part);
    EXPECT_EQ(ImageAt(vfs, part, true).config_digest, "sha256:" + kImage);
    EXPECT_FALSE(VolumeAt(vfs, files + "/sub", true)) << "not where the engine mounts parts";
    BindMount(kGraph + "/vfs/dir", kGraph + "/vfs-containers/" + kId + "/userdata/subpath2");
    EXPECT_FALSE(VolumeAt(vfs, kGraph + "/vfs-containers/" + kId + "/userdata/subpath2", true));
  });
}

TEST(ImageVolumes, OfStorageAreUnverifiedIfTheStateIsInconsistent) {
  InPrivateMounts([] {
    for (const std::string& file : {ConfigFile(), kLayerList}) {
      for (const Tampering& tampering : Tamperings()) {
        SCOPED_TRACE(file + " is " + tampering.name);
        MakeStorage();
        MakeDirectories(kMounted);
        tampering.apply(file);
        const Identity image = ImageAt(Storage(), kMounted, true);
        ExpectUnknown(image, "");
        EXPECT_THAT(Claims(image), ::testing::Contains("localhost/app:1"));
      }
    }
    // Nothing says that it is an image, and it may be any.
    for (const Tampering& tampering : Tamperings()) {
      SCOPED_TRACE(kImageList + " is " + tampering.name);
      MakeStorage();
      MakeDirectories(kMounted);
      tampering.apply(kImageList);
      const auto volume = VolumeAt(Storage(), kMounted, true);
      if (!volume) continue;  // well-formed, and without the image
      EXPECT_FALSE(volume->is_known);
      EXPECT_THAT(Claims(volume->images.at(0)), ElementsAre("?"));
    }
  });
}

TEST(ImageVolumes, OfCrioIgnoreTheEmptyLowerDirectory) {
  InPrivateMounts([] {
    TmpfsMount("/run");
    MakeDirectories("/run/crio/image-volumes");
    const auto is_empty_layer = [](Engine engine) {
      return ImageVolumes(Storage(engine), {})
          .IsEmptyLayer(*sys::Locate("/run/crio/image-volumes"));
    };
    EXPECT_TRUE(is_empty_layer(Engine::kCrio));
    EXPECT_FALSE(is_empty_layer(Engine::kPodman));
    EXPECT_FALSE(ImageVolumes(Storage(Engine::kCrio), {}).IsEmptyLayer(*sys::Locate("/run/crio")));
    ASSERT_EQ(::chmod("/run/crio/image-volumes", 0777), 0);
    EXPECT_FALSE(is_empty_layer(Engine::kCrio)) << "others could fill it";
    ASSERT_EQ(::chmod("/run/crio/image-volumes", 0755), 0);
    WriteFile("/run/crio/image-volumes/file");
    EXPECT_FALSE(is_empty_layer(Engine::kCrio));
  });
}

// --- containerd's CRI plugin ---

TEST(ImageVolumes, OfCriMatchTheSnapshotByItsPath) {
  InPrivateMounts([] {
    const Plugin plugin = MakePlugin();
    TmpfsMount(plugin.point);
    MakeDirectories(plugin.point + "/below");
    for (const std::string& path : {plugin.point, plugin.point + "/below"}) {
      const Identity image = ImageAt(plugin.layout, path, false, plugin.pod);
      EXPECT_EQ(image.config_digest, plugin.config) << image.unknown_because;
      EXPECT_THAT(image.manifest_digests, ElementsAre(plugin.manifest));
      EXPECT_THAT(Names(image), ElementsAre("tag docker.io/library/data:1"));
    }
    const std::string above = plugin.point.substr(0, plugin.point.rfind('/'));
    EXPECT_FALSE(VolumeAt(plugin.layout, above, false, plugin.pod));
    EXPECT_FALSE(VolumeAt(plugin.layout, plugin.point, false, {})) << "of no pod";
    EXPECT_FALSE(VolumeAt(plugin.layout, plugin.point, false, {kOther, ""})) << "another pod's";
  });
}

TEST(ImageVolumes, OfCriAreUnverifiedIfTheStateIsInconsistent) {
  InPrivateMounts([] {
    const Plugin plugin = MakePlugin();
    MakeDirectories(plugin.point);
    const auto image = [&] { return ImageAt(plugin.layout, plugin.point, false, plugin.pod); };
    ExpectUnknown(image(), "nothing is mounted at");
    EXPECT_THAT(Claims(image()), ElementsAre("docker.io/library/data:1"));
    TmpfsMount(plugin.point);
    ASSERT_TRUE(image().is_known());
    // Another image's snapshot, an image that is gone, a name that is no digest.
    MadeContainerd containerd;
    containerd.SetNamespace("k8s.io");
    containerd.AddName("docker.io/library/data:1", plugin.manifest);
    containerd.AddContainer(kId, "docker.io/library/app:1", {"other"});
    containerd.AddSnapshot(plugin.point, Sha256("other"));
    containerd.Write();
    ExpectUnknown(image(), "");
    EXPECT_THAT(Claims(image()), ElementsAre("docker.io/library/data:1"));
    std::filesystem::remove(kDatabase);
    ExpectUnknown(image(), "");
    EXPECT_THAT(Claims(image()), ElementsAre("?"));
  });
}

// --- Docker ---

TEST(ImageVolumes, OfDockerComeFromTheContainersState) {
  InPrivateMounts([] {
    std::string hex;
    for (const char byte : kId + ",src=data:1,dst=/img") {
      constexpr std::string_view kDigits = "0123456789abcdef";
      hex += kDigits[static_cast<unsigned char>(byte) / 16];
      hex += kDigits[static_cast<unsigned char>(byte) % 16];
    }
    for (const std::string& name : {kId + "-data:1", kId + '-' + kDockerImage, hex}) {
      const std::string source = MakeClassic(name);
      const Identity image = ImageAt(Docker(), source, false);
      EXPECT_EQ(image.config_digest, kDockerImage) << image.unknown_because;
      ASSERT_TRUE(image.asked_for);
      EXPECT_EQ(image.asked_for->text(), "docker.io/library/data:1");
      EXPECT_FALSE(VolumeAt(Docker(), kDocker + "/overlay2/layer/merged", false));
      EXPECT_FALSE(VolumeAt(Docker(), kDocker + "/volumes/mine/_data", false));
    }
    const std::string source = MakeClassic(kPeer + "-data:1");
    ExpectUnknown(ImageAt(Docker(), source, false), "has no layer mounted at");
    EXPECT_THAT(Claims(ImageAt(Docker(), source, false)), ElementsAre("docker.io/library/data:1"));
    ASSERT_EQ(::chmod(kDockerRecord.c_str(), 0666), 0);
    EXPECT_FALSE(VolumeAt(Docker(), source, false)) << "others could have written the record";
  });
}

TEST(ImageVolumes, OfDockerAreUnverifiedIfTheLayersDiffer) {
  InPrivateMounts([] {
    const std::string source = MakeClassic(kId + "-data:1");
    ASSERT_TRUE(ImageAt(Docker(), source, false).is_known());
    WriteFile(kDocker + "/image/overlay2/layerdb/mounts/" + kId + "-data:1/parent", kLow);
    ExpectUnknown(ImageAt(Docker(), source, false), "does not match the layers");
  });
}

// --mount type=image,image-subpath=…
TEST(ImageVolumes, OfDockerRecogniseAMountedSubpath) {
  InPrivateMounts([] {
    const std::string source = MakeClassic(kId + "-data:1");
    TmpfsMount(source);
    MakeDirectories(source + "/part");
    const std::string part = kDocker + "/tmp/safe-mount123";
    BindMount(source + "/part", part);
    EXPECT_EQ(ImageAt(Docker(), part, false).config_digest, kDockerImage);
    const std::string other = kDocker + "/tmp/safe-mount124";
    TmpfsMount(other);
    EXPECT_FALSE(VolumeAt(Docker(), other, false)) << "another file system";
    MakeDirectories(kDocker + "/tmp/safe-mount125");
    EXPECT_FALSE(VolumeAt(Docker(), kDocker + "/tmp/safe-mount125", false));
  });
}

TEST(ImageVolumes, OfDockerWorkWithTheContainerdStore) {
  InPrivateMounts([] {
    std::filesystem::remove_all(kContainerdRoot);
    MakeDocker();
    MadeContainerd containerd;
    containerd.SetNamespace("moby");
    const std::string config = containerd.AddConfig({"base"});
    const std::string index = containerd.AddIndex({containerd.AddManifest(config)});
    containerd.AddName("docker.io/library/data:1", index);
    containerd.AddSnapshot(kId + "-data:1", Sha256("base"));
    containerd.Write();
    const std::string source = kDocker + "/rootfs/overlayfs/" + kId + "-data:1";
    MakeDirectories(source);
    WriteFile(kDockerRecord, RecordText("overlayfs", source, index,
                                        R"("ImageManifest":{"digest":")" + index + R"("},)"));
    const Identity image = ImageAt(Docker(), source, false);
    EXPECT_EQ(image.config_digest, config) << image.unknown_because;
    ASSERT_TRUE(image.asked_for);
    EXPECT_EQ(image.asked_for->text(), "docker.io/library/data:1");
  });
}

}  // namespace
}  // namespace runclad::engine::image_volumes_test
