// Docker's classic store below its data root. Long: each file of it, whole, wrong and missing.
// Long: every case builds such a store.
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runclad/base/sha256.hpp"
#include "runclad/engine/identify.hpp"

#include "fixture.hpp"
#include "tampering.hpp"

namespace runclad::engine::docker_identity_test {
namespace {

using runclad::testing::InPrivateMounts;
using runclad::testing::MakeDirectories;
using runclad::testing::WriteFile;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Strings = std::vector<std::string>;

const std::string kRoot = "/srv/docker";
const std::string kImages = kRoot + "/image/overlay2";
const std::string kLayer(64, '9');
const std::string kManifest = "sha256:" + std::string(64, 'd');
const Strings kDiffIds = {"sha256:" + std::string(64, '1'), "sha256:" + std::string(64, '2'),
                          "sha256:" + std::string(64, '3')};

// A config as the classic builder writes it.
std::string ImageConfig(const Strings& diff_ids) {
  std::string list;
  for (const std::string& id : diff_ids) list += (list.empty() ? "\"" : ",\"") + id + '"';
  return R"({"architecture":"amd64","config":{"Env":["PATH=/bin"],"Cmd":["sh"],"Volumes":{"/data":{}},"Labels":{)"
         R"("rootfs":"{\"diff_ids\":[]}"}},"created":"2026-11-22T05:40:18.2Z","history":[{)"
         R"("created_by":"/bin/sh -c #(nop)  CMD [\"sh\"]","empty_layer":true}],"os":"linux",)"
         R"("rootfs":{"type":"layers")" +
         (diff_ids.empty() ? std::string() : R"(,"diff_ids":[)" + list + ']') + "}}";
}

const std::string kConfig = ImageConfig(kDiffIds);
const std::string kImage = Sha256(kConfig);
const std::string kOtherImage = Sha256("another");
const std::string kMount = kImages + "/layerdb/mounts/" + kId;
const std::string kRecord = kRoot + "/containers/" + kId + "/config.v2.json";
const std::string kRepositories = kImages + "/repositories.json";

std::string ContentOf(const std::string& image) {
  return kImages + "/imagedb/content/sha256/" + image.substr(7);
}

// As dockerd 20.10 writes it, members of no interest left out.
std::string RecordText(const std::string& typed, const std::string& image = kImage,
                       const std::string& driver = "overlay2") {
  return R"({"StreamConfig":{},"State":{"Running":false,"Pid":0},"ID":")" + kId +
         R"(","Created":"2026-11-22T05:40:20.5Z","Managed":false,"Path":"sh","Args":[],"Config":{)"
         R"("Hostname":"aaaaaaaaaaaa","Env":["Image=evil:1","PATH=/bin"],"Cmd":["sh"],"Image":")" +
         typed + R"(","Volumes":null,"Labels":{"Image":"evil:1"}},"Image":")" + image +
         R"(","Name":"/one","Driver":")" + driver +
         R"(","OS":"linux","MountPoints":{},"LocalLogCacheMeta":{"HaveNotifyEnabled":false}})";
}

// Rebuilds the whole state: one container of an image with four names.
Call MakeStore() {
  std::filesystem::remove_all(kRoot + "/image");
  std::filesystem::remove_all(kRecord);
  std::filesystem::remove_all(kRoot + "/overlay2");
  Call call = MakeDocker();
  WriteFile(kRecord, RecordText("app:1"));
  call.rootfs = kRoot + "/overlay2/" + kLayer + "/merged";
  MakeDirectories(call.rootfs);
  WriteFile(kMount + "/mount-id", kLayer);
  WriteFile(kMount + "/init-id", kLayer + "-init");
  WriteFile(kMount + "/parent",
            Sha256(Sha256(kDiffIds[0] + ' ' + kDiffIds[1]) + ' ' + kDiffIds[2]));
  WriteFile(ContentOf(kImage), kConfig);
  WriteFile(kRepositories, R"({"Repositories":{"app":{"app:1":")" + kImage + R"(","app:gone":")" +
                               kOtherImage + R"(","app:latest":")" + kImage +
                               R"("},"localhost:5000/team/app":{)" +
                               R"("localhost:5000/team/app:v1":")" + kImage +
                               R"(","localhost:5000/team/app@)" + kManifest + R"(":")" + kImage +
                               R"("},"other":{"other:1":")" + kOtherImage + R"("}}})");
  return call;
}

Identity IdentifyStore() {
  const Call call = {kId, "", "", kRoot + "/overlay2/" + kLayer + "/merged"};
  Layout layout;
  layout.engine = Engine::kDocker;
  layout.id = kId;
  layout.data_root = kRoot;
  return Identify(layout, call);
}

Strings Texts(const Identity& identity) {
  Strings texts;
  for (const ImageName& name : identity.names) {
    texts.push_back(name.reference.text() + ' ' + std::string(Name(name.tier)));
  }
  return texts;
}

TEST(DockerIdentity, FindsTheNameOfTheContainer) {
  InPrivateMounts([] {
    MakeStore();
    EXPECT_EQ(IdentifyStore().container_name, "one");
    WriteFile(kRepositories, "not JSON");
    const Identity unknown = IdentifyStore();
    EXPECT_FALSE(unknown.is_known());
    EXPECT_EQ(unknown.container_name, "one") << "whatever is wrong with its image";
  });
}

TEST(DockerIdentity, FindsTheImageAndItsNames) {
  InPrivateMounts([] {
    const Call call = MakeStore();
    const Identity identity = Identify(Discover(call), call);
    EXPECT_EQ(identity.engine, Engine::kDocker);
    EXPECT_EQ(identity.config_digest, kImage) << identity.unknown_because;
    EXPECT_THAT(identity.manifest_digests, ElementsAre(kManifest));
    EXPECT_THAT(Texts(identity),
                ElementsAre("docker.io/library/app:1 tag", "docker.io/library/app:latest tag",
                            "localhost:5000/team/app:v1 tag",
                            "localhost:5000/team/app@" + kManifest + " repository-digest"));
    ASSERT_TRUE(identity.asked_for);
    EXPECT_EQ(identity.asked_for->text(), "docker.io/library/app:1");
    EXPECT_THAT(identity.volumes, ElementsAre("/data"));
    EXPECT_EQ(identity.unknown_because, "");
    EXPECT_EQ(identity.pod_namespace, "");
  });
}

TEST(DockerIdentity, UsesTheTypedNameWhileItRefersToThisImage) {
  struct Case {
    std::string typed;
    std::string asked_for;  // empty: none
  };
  const Case cases[] = {
      {"app:1", "docker.io/library/app:1"},
      {"app", "docker.io/library/app:latest"},
      {"docker.io/library/app", "docker.io/library/app:latest"},
      {"localhost:5000/team/app:v1", "localhost:5000/team/app:v1"},
      {"localhost:5000/team/app@" + kManifest, "localhost:5000/team/app@" + kManifest},
      {"localhost:5000/team/app:old@" + kManifest, "localhost:5000/team/app@" + kManifest},
      {"app@" + kManifest, ""},         // not pulled from there
      {"localhost:5000/team/app", ""},  // :latest
      {"app:gone", ""},                 // retagged
      {"other:1", ""},                  // another image's
      {"nginx:1", ""},                  // no image's
      {kImage, ""},                     // by digest
      {kImage.substr(7), ""},           // by id
      {kImage.substr(7, 12), ""},       // by the beginning of it
      {"NOT a name", ""},
      {"", ""},
  };
  InPrivateMounts([&] {
    MakeStore();
    for (const Case& one : cases) {
      WriteFile(kRecord, RecordText(one.typed));
      const Identity identity = IdentifyStore();
      EXPECT_EQ(identity.config_digest, kImage) << one.typed;
      EXPECT_EQ(identity.names.size(), 4U) << one.typed;
      EXPECT_EQ(identity.asked_for ? identity.asked_for->text() : "", one.asked_for) << one.typed;
    }
  });
}

TEST(DockerIdentity, IdentifiesAnImageWithoutNames) {
  InPrivateMounts([] {
    MakeStore();
    WriteFile(kRepositories, R"({"Repositories":{}})");
    const Identity identity = IdentifyStore();
    EXPECT_EQ(identity.config_digest, kImage);
    EXPECT_THAT(identity.names, IsEmpty());
    EXPECT_THAT(identity.manifest_digests, IsEmpty());
    EXPECT_FALSE(identity.asked_for);
  });
}

TEST(DockerIdentity, IdentifiesAnImageWithoutLayers) {
  InPrivateMounts([] {
    MakeStore();
    for (const std::string& config : {ImageConfig({}), std::string(R"({"rootfs":{}})"),
                                      std::string(R"({"rootfs":{"diff_ids":null}})")}) {
      const std::string image = Sha256(config);
      WriteFile(ContentOf(image), config);
      WriteFile(kRecord, RecordText("app:1", image));
      WriteFile(kMount + "/parent", kDiffIds[0]);
      ExpectUnknown(IdentifyStore(), "parent does not match the layers");
      std::filesystem::remove(kMount + "/parent");
      EXPECT_EQ(IdentifyStore().config_digest, image) << IdentifyStore().unknown_because;
      std::filesystem::create_symlink(kMount + "/none", kMount + "/parent");
      ExpectUnknown(IdentifyStore(), "parent");
      std::filesystem::remove(kMount + "/parent");
    }
    const std::string config = R"({"os":"linux"})";
    WriteFile(ContentOf(Sha256(config)), config);
    WriteFile(kRecord, RecordText("app:1", Sha256(config)));
    ExpectUnknown(IdentifyStore(), Sha256(config).substr(7) + ": has no rootfs");
  });
}

TEST(DockerIdentity, IdentifiesAnImageOfOneLayer) {
  InPrivateMounts([] {
    MakeStore();
    const std::string config = ImageConfig({kDiffIds[0]});
    WriteFile(ContentOf(Sha256(config)), config);
    WriteFile(kRecord, RecordText("app:1", Sha256(config)));
    WriteFile(kMount + "/parent", kDiffIds[0]);
    EXPECT_EQ(IdentifyStore().config_digest, Sha256(config)) << IdentifyStore().unknown_because;
  });
}

TEST(DockerIdentity, FindsTheLayerOfEveryStorageDriver) {
  struct Case {
    std::string driver;
    std::string rootfs;
  };
  const Case cases[] = {
      {"overlay2", "overlay2/" + kLayer + "/merged"},
      {"fuse-overlayfs", "fuse-overlayfs/" + kLayer + "/merged"},
      {"vfs", "vfs/dir/" + kLayer},
      {"btrfs", "btrfs/subvolumes/" + kLayer},
      {"zfs", "zfs/graph/" + kLayer},
  };
  InPrivateMounts([&] {
    // The data root of a dockerd that maps users.
    const std::string root = kRoot + "/100000.100000";
    Layout layout;
    layout.engine = Engine::kDocker;
    layout.id = kId;
    layout.data_root = root;
    for (const Case& one : cases) {
      MakeStore();
      MakeDirectories(root);
      std::filesystem::remove_all(root + "/image");
      MakeDirectories(root + "/image");
      std::filesystem::rename(kImages, root + "/image/" + one.driver);
      const std::string record = root + "/containers/" + kId + "/config.v2.json";
      WriteFile(record, RecordText("app:1", kImage, one.driver));
      MakeDirectories(root + '/' + one.rootfs);
      const Call call = {kId, "", "", root + '/' + one.rootfs};
      EXPECT_EQ(Identify(layout, call).config_digest, kImage)
          << one.driver << ": " << Identify(layout, call).unknown_because;
      for (const std::string& other : {root, root + '/' + one.rootfs + "/x", std::string("/srv")}) {
        MakeDirectories(other);
        ExpectUnknown(Identify(layout, {kId, "", "", other}), "mount-id");
      }
      WriteFile(record, RecordText("app:1", kImage, "../" + one.driver));
      ExpectUnknown(Identify(layout, call), "storage driver");
    }
  });
}

TEST(DockerIdentity, RejectsAChangedFile) {
  InPrivateMounts([] {
    const auto rebuild = [] { MakeStore(); };
    const Strings files = {kRecord, kMount + "/mount-id", kMount + "/parent", ContentOf(kImage),
                           kRepositories};
    TamperWithEach(files, Tamperings(), rebuild, IdentifyStore);
  });
}

TEST(DockerIdentity, RejectsAChangedDirectory) {
  InPrivateMounts([] {
    const auto rebuild = [] {
      for (const std::string& path : {kRoot, std::string("/srv/docker.moved")}) {
        std::filesystem::remove_all(path);
      }
      MakeStore();
    };
    const Strings directories = {
        kRoot,   kRoot + "/containers",      kRoot + "/containers/" + kId, kRoot + "/image",
        kImages, kImages + "/imagedb",       kImages + "/imagedb/content", kImages + "/layerdb",
        kMount,  kImages + "/layerdb/mounts"};
    TamperWithEach(directories, DirectoryTamperings(), rebuild, IdentifyStore);
  });
}

TEST(DockerIdentity, RejectsAMemberOfAnotherType) {
  InPrivateMounts([] {
    const auto rebuild = [] { MakeStore(); };
    for (const char* member : {"/ID", "/Driver", "/Image", "/Config", "/Config/Image", ""}) {
      TamperWithType(kRecord, member, rebuild, IdentifyStore);
    }
    for (const std::string& member :
         {std::string("/Repositories"), std::string("/Repositories/app"),
          std::string("/Repositories/app/app:1"), std::string()}) {
      TamperWithType(kRepositories, member, rebuild, IdentifyStore);
    }
  });
}

// The config's digest is checked first; a config of another kind needs a digest of its own.
TEST(DockerIdentity, RejectsAConfigOfAnotherType) {
  InPrivateMounts([] {
    for (const char* config :
         {"[]", "7", R"({"rootfs":[]})", R"({"rootfs":null})", R"({"rootfs":{"diff_ids":{}}})",
          R"({"rootfs":{"diff_ids":"x"}})", R"({"rootfs":{"diff_ids":[7]}})",
          R"({"rootfs":{"diff_ids":[null]}})", R"({"rootfs":{"diff_ids":["sha256:1"]}})",
          R"({"rootfs":{},"rootfs":{}})", "", "{"}) {
      MakeStore();
      const std::string image = Sha256(config);
      WriteFile(ContentOf(image), config);
      WriteFile(kRecord, RecordText("app:1", image));
      ExpectUnknown(IdentifyStore(), image.substr(7) + ": ");
    }
  });
}

TEST(DockerIdentity, RejectsInconsistentState) {
  struct Case {
    const char* name;
    std::string file;
    std::string text;
    std::string reason;
  };
  std::string another_container = RecordText("app:1");
  another_container.replace(another_container.find(kId), kId.size(), kOther);
  std::string twice = RecordText("app:1");
  twice.insert(1, R"("Image":"x",)");
  const Case cases[] = {
      {"another container's record", kRecord, another_container, "another container"},
      {"the image twice", kRecord, twice, "twice"},
      {"no image", kRecord, RecordText("app:1", ""),
       "config.v2.json does not give the digest of the image"},
      {"an image that is a path", kRecord, RecordText("app:1", "sha256:../../../../etc/passwd"),
       "config.v2.json does not give the digest of the image"},
      {"an image that is not here", kRecord, RecordText("app:1", kOtherImage),
       kOtherImage.substr(7)},
      {"another image's config", ContentOf(kImage), ImageConfig({}), "does not match its digest"},
      {"another container's layer", kMount + "/mount-id", std::string(64, '8'), "mount-id"},
      {"a way out of the directory", kMount + "/mount-id", "../overlay2/" + kLayer, "mount-id"},
      {"another image's layers", kMount + "/parent", kDiffIds[0],
       "parent does not match the layers"},
      {"a name that is none", kRepositories,
       R"({"Repositories":{"x":{"x:1 ":")" + kImage + R"("}}})", "repositories.json"},
      {"a name without a tag", kRepositories, R"({"Repositories":{"x":{"x":")" + kImage + R"("}}})",
       "repositories.json"},
      {"no names at all", kRepositories, "{}", "repositories.json has no Repositories"},
  };
  InPrivateMounts([&] {
    for (const Case& one : cases) {
      SCOPED_TRACE(one.name);
      MakeStore();
      WriteFile(one.file, one.text);
      ExpectUnknown(IdentifyStore(), one.reason);
    }
    // Another image with the same layers is another image all the same.
    MakeStore();
    const std::string twin = kConfig + ' ';
    WriteFile(ContentOf(Sha256(twin)), twin);
    WriteFile(kRecord, RecordText("app:1", Sha256(twin)));
    EXPECT_EQ(IdentifyStore().config_digest, Sha256(twin));
    EXPECT_THAT(IdentifyStore().names, IsEmpty());
    EXPECT_FALSE(IdentifyStore().asked_for);
  });
}

// An image's author writes its config; all of these are images to Docker.
TEST(DockerIdentity, RejectsAnAmbiguousConfig) {
  InPrivateMounts([] {
    const std::string rootfs =
        R"("rootfs":{"type":"layers","diff_ids":[")" + kDiffIds[0] + R"("]})";
    for (const std::string& config :
         {'{' + rootfs + ',' + rootfs + '}', '{' + rootfs + R"(,"RootFS":{}})",
          R"({"rootfs":{"diff_ids":[")" + kDiffIds[0] + R"("],"Diff_IDs":[]}})",
          R"({"rootfs":{"diff_ids":[")" + kDiffIds[0] + "\"],\"diff_id\xC5\xBF\":[]}}"}) {
      MakeStore();
      const std::string image = Sha256(config);
      WriteFile(ContentOf(image), config);
      WriteFile(kRecord, RecordText("app:1", image));
      WriteFile(kMount + "/parent", kDiffIds[0]);
      WriteFile(kRepositories, R"({"Repositories":{"nginx":{"nginx:1":")" + image + R"("}}})");
      ExpectUnknown(IdentifyStore(), "twice");
      EXPECT_THAT(Claims(IdentifyStore()),
                  ElementsAre("docker.io/library/app:1", "docker.io/library/nginx:1"));
      EXPECT_EQ(IdentifyStore().unverified->digests, Strings{image});
      EXPECT_EQ(IdentifyStore().own_layer, kRoot + "/overlay2/" + kLayer + "/merged");
    }
  });
}

TEST(DockerIdentity, AcceptsAnUnusualButValidConfig) {
  InPrivateMounts([] {
    const std::string rootfs =
        R"("RootFS":{"type":"layers","Diff_IDs":[")" + kDiffIds[0] + R"("]})";
    const std::string large(std::size_t{5} << 20, 'x');
    const std::string deep = std::string(1000, '[') + std::string(1000, ']');
    for (const std::string& config :
         {'{' + rootfs + '}', R"({"history":[{"created_by":")" + large + "\"}]," + rootfs + '}',
          "{\"history\":[{\"created_by\":\"\xFF\"}]," + rootfs + '}',
          R"({"x":1,"x":2,"\ud800":3,"container_config":null,)" + rootfs + '}',
          R"({"x":)" + deep + ',' + rootfs + '}'}) {
      MakeStore();
      const std::string image = Sha256(config);
      WriteFile(ContentOf(image), config);
      WriteFile(kRecord, RecordText("app:1", image));
      WriteFile(kMount + "/parent", kDiffIds[0]);
      const Identity identity = IdentifyStore();
      EXPECT_EQ(identity.config_digest, image) << identity.unknown_because;
      EXPECT_FALSE(identity.unverified);
    }
  });
}

TEST(DockerIdentity, ReportsTheClaimedNameOfAnUnverifiedImage) {
  InPrivateMounts([] {
    const std::string typed = "docker.io/library/app:1";
    const std::string pulled = "localhost:5000/team/app@" + kManifest;
    for (const std::string& file : {ContentOf(kImage), kMount + "/mount-id", kMount + "/parent"}) {
      for (const Tampering& tampering : Tamperings()) {
        SCOPED_TRACE(file + " is " + tampering.name);
        MakeStore();
        tampering.apply(file);
        EXPECT_THAT(Claims(IdentifyStore()), ElementsAre(typed, "docker.io/library/app:latest",
                                                         "localhost:5000/team/app:v1", pulled));
      }
    }
    for (const Tampering& tampering : Tamperings()) {
      SCOPED_TRACE(tampering.name);
      MakeStore();
      tampering.apply(kRepositories);
      EXPECT_THAT(Claims(IdentifyStore()), AllOf(Contains(typed), Contains("?")));
      EXPECT_EQ(IdentifyStore().own_layer, kRoot + "/overlay2/" + kLayer + "/merged");
      MakeStore();
      tampering.apply(kRecord);
      EXPECT_THAT(Claims(IdentifyStore()), ElementsAre("?"));
      EXPECT_EQ(IdentifyStore().own_layer, kRoot + "/overlay2/" + kLayer + "/merged");
    }
    MakeStore();
    WriteFile(kRecord, RecordText("", ""));
    ExpectUnknown(IdentifyStore(), "does not name an image");
    EXPECT_FALSE(IdentifyStore().unverified);
    // A record that others could have written is nobody's word, and still there.
    Call call = MakeStore();
    ASSERT_EQ(::chmod(kRecord.c_str(), 0666), 0);
    ExpectUnknown(Identify(Discover(call), call),
                  "config.v2.json can be modified by users other than root");
    EXPECT_THAT(Claims(Identify(Discover(call), call)), ElementsAre("?"));
  });
}

TEST(DockerIdentity, IgnoresTheNamesOfOtherImages) {
  InPrivateMounts([] {
    MakeStore();
    WriteFile(kRepositories, R"({"Repositories":{"UP":{"UP x":")" + kOtherImage +
                                 R"("},"app":{"app:1":")" + kImage + R"("}}})");
    EXPECT_THAT(Texts(IdentifyStore()), ElementsAre("docker.io/library/app:1 tag"));
  });
}

TEST(Identity, IsUnknownForOtherEngines) {
  Layout layout;
  const Identity unknown = Identify(layout, {});
  EXPECT_EQ(unknown.engine, Engine::kUnknown);
  EXPECT_FALSE(unknown.is_known());
  EXPECT_EQ(unknown.unknown_because, "no engine's state was found for the bundle");
  layout.engine = Engine::kBuildkit;
  EXPECT_EQ(Identify(layout, {}).unknown_because, "it is a build step");
}

}  // namespace
}  // namespace runclad::engine::docker_identity_test
