#include "engine/containerd_identity.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <iterator>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "containerd_fixture.hpp"
#include "tampering.hpp"

namespace runclad::engine::containerd_identity_test {
namespace {

using runclad::testing::InPrivateMounts;
using runclad::testing::WriteFile;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;
using ::testing::UnorderedElementsAreArray;

TEST(ContainerdIdentity, IdentifiesAContainerOfCtr) {
  InPrivateMounts([] {
    MakeRealContainerd();
    const Identity identity = IdentifyIn("default", "plain");
    EXPECT_EQ(identity.unknown_because, "");
    EXPECT_EQ(identity.engine, Engine::kContainerd);
    EXPECT_EQ(identity.config_digest, real::kConfig);
    EXPECT_THAT(identity.manifest_digests, UnorderedElementsAre(real::kIndex, real::kManifest));
    // The short one and that with another's digest grant nothing; one that went elsewhere is none.
    EXPECT_THAT(Names(identity),
                ElementsAre("tag docker.io/library/app:1", "tag docker.io/library/app:latest",
                            "tag docker.io/library/app@" + real::kIndex,
                            "none docker.io/library/short:1", "tag docker.io/me/alias:7",
                            "none registry.example:5000/fake@sha256:" + std::string(64, 'a')));
    EXPECT_EQ(AskedFor(identity), "docker.io/library/app:1");
    EXPECT_EQ(identity.pod_namespace, "");
    EXPECT_FALSE(identity.is_sandbox);
  });
}

TEST(ContainerdIdentity, TheSameLayersWithAnotherConfigAreAnotherImage) {
  InPrivateMounts([] {
    MakeRealContainerd();
    const Identity identity = IdentifyIn("default", "twin");
    EXPECT_EQ(identity.config_digest, real::kTwinConfig);
    EXPECT_THAT(identity.manifest_digests, ElementsAre(real::kTwinManifest));
    EXPECT_THAT(Names(identity), ElementsAre("tag docker.io/library/twin:1"));
    EXPECT_EQ(AskedFor(identity), "docker.io/library/twin:1");
  });
}

TEST(ContainerdIdentity, AManifestNeedsNoIndexAndANameMayHaveTwoImagesInItsLife) {
  InPrivateMounts([] {
    MakeRealContainerd();
    const Identity identity = IdentifyIn("default", "other");
    EXPECT_TRUE(identity.is_known());
    EXPECT_THAT(Names(identity), ElementsAre("tag docker.io/library/moving:1",
                                             "tag registry.example:5000/team/other:2.0"));
    ExpectUnknown(IdentifyIn("default", "moved"),
                  "does not lead to an image with the container's layers");
    EXPECT_THAT(Claims(IdentifyIn("default", "moved")), Contains("docker.io/library/moving:1"));
    ExpectUnknown(IdentifyIn("default", "lost"),
                  R"(no longer has the image "docker.io/library/gone:1")");
    EXPECT_THAT(Claims(IdentifyIn("default", "lost")), ElementsAre("docker.io/library/gone:1"));
  });
}

TEST(ContainerdIdentity, AContainerWithoutAnImageIsUnidentified) {
  InPrivateMounts([] {
    MakeRealContainerd();
    ExpectUnknown(IdentifyIn("default", "directory"), "a directory, not of an image");
    EXPECT_FALSE(IdentifyIn("default", "directory").unverified)
        << "the record does not name an image";
    ExpectUnknown(IdentifyIn("default", "absent"), "no record");
    EXPECT_THAT(Claims(IdentifyIn("default", "absent")), ElementsAre("?"));
    ExpectUnknown(IdentifyIn("elsewhere", "plain"), "no record");
    ExpectUnknown(IdentifyIn("k8s.io", "plain"), "no record");
    ExpectUnknown(IdentifyIn("version", "plain"), "no record");
    ExpectUnknown(IdentifyIn("", ""), "no record");
    // The record is true, and the files are others.
    Layout layout;
    layout.containerd_root = kContainerdRoot;
    layout.engine = Engine::kContainerd;
    layout.id = "plain";
    layout.bundle = "/srv/run/containerd/io.containerd.runtime.v2.task/default/plain";
    const Call call{"plain", layout.bundle, "", "/srv/elsewhere"};
    const Identity elsewhere = Identify(layout, call);
    ExpectUnknown(elsewhere, "is not the one where containerd mounts its image");
    EXPECT_THAT(Claims(elsewhere), Contains("docker.io/library/app:1"));
    layout.containerd_root.clear();
    ExpectUnknown(Identify(layout, {"plain", layout.bundle, "", layout.bundle + "/rootfs"}),
                  "not found");
  });
}

TEST(ContainerdIdentity, RejectsStateThatOthersCanWrite) {
  InPrivateMounts([] {
    MakeRealContainerd();
    constexpr uid_t kSomeone = 1000;
    for (const std::string& path :
         {kContainerdRoot, std::string("/srv/lib"), kDatabase,
          kDatabase.substr(0, kDatabase.rfind('/')), kBlobs, kBlobs.substr(0, kBlobs.rfind('/')),
          BlobPath(real::kIndex), BlobPath(real::kConfig)}) {
      ASSERT_TRUE(IdentifyIn("default", "plain").is_known());
      ASSERT_EQ(::chown(path.c_str(), kSomeone, 0), 0);
      ExpectUnknown(IdentifyIn("default", "plain"), "");
      ASSERT_EQ(::chown(path.c_str(), 0, 0), 0);
      struct stat status {};
      ASSERT_EQ(::stat(path.c_str(), &status), 0);
      ASSERT_EQ(::chmod(path.c_str(), status.st_mode | S_IWOTH), 0);
      ExpectUnknown(IdentifyIn("default", "plain"), "");
      ASSERT_EQ(::chmod(path.c_str(), status.st_mode), 0);
      ASSERT_EQ(::rename(path.c_str(), "/srv/elsewhere"), 0);
      ExpectUnknown(IdentifyIn("default", "plain"), "");
      ASSERT_EQ(::symlink("/srv/elsewhere", path.c_str()), 0);
      ExpectUnknown(IdentifyIn("default", "plain"), "");
      ASSERT_EQ(::unlink(path.c_str()), 0);
      ASSERT_EQ(::rename("/srv/elsewhere", path.c_str()), 0);
    }
  });
}

TEST(ContainerdIdentity, RejectsDocumentsThatDoNotMatchTheirDigest) {
  InPrivateMounts([] {
    for (const std::string& digest : {real::kIndex, real::kManifest, real::kConfig}) {
      MakeRealContainerd();
      ASSERT_TRUE(IdentifyIn("default", "plain").is_known());
      std::ofstream(BlobPath(digest), std::ios::app) << ' ';
      ExpectUnknown(IdentifyIn("default", "plain"), digest + " does not match its content");
    }
    MakeRealContainerd();
    std::filesystem::resize_file(BlobPath(real::kIndex), (std::size_t{4} << 20) + 1);
    ExpectUnknown(IdentifyIn("default", "plain"), "");
  });
}

TEST(ContainerdIdentity, RejectsADamagedDatabase) {
  InPrivateMounts([] {
    MakeRealContainerd();
    std::ifstream file(kDatabase, std::ios::binary);
    const std::string database{std::istreambuf_iterator<char>(file), {}};
    const Identity whole = IdentifyIn("k8s.io", real::kByName);
    constexpr std::size_t kPageSize = 4096;
    int unknown = 0;
    const auto expect_all_or_nothing = [&](const std::string& damaged, const std::string& what) {
      WriteFile(kDatabase, damaged);
      const Identity identity = IdentifyIn("k8s.io", real::kByName);
      if (!identity.is_known()) {
        ++unknown;
        EXPECT_NE(identity.unknown_because, "") << what;
        ExpectUnknown(identity, "");
      } else {
        EXPECT_EQ(identity.config_digest, whole.config_digest) << what;
      }
    };
    for (std::size_t size = 0; size < database.size(); size += kPageSize) {
      expect_all_or_nothing(database.substr(0, size), "cut at " + std::to_string(size));
    }
    EXPECT_GT(unknown, 10);
    std::mt19937 random(20261122);  // NOLINT: the same every time
    for (int round = 0; round < 300; ++round) {
      std::string damaged = database;
      for (int change = 0; change < 40; ++change) {
        const std::size_t page = 2 + random() % (database.size() / kPageSize - 2);
        damaged[page * kPageSize + random() % 256] = static_cast<char>(random());
      }
      expect_all_or_nothing(damaged, "round " + std::to_string(round));
    }
    EXPECT_GT(unknown, 50);
  });
}
TEST(ContainerdIdentity, SelectsTheManifestThatMatchesTheSnapshot) {
  InPrivateMounts([] {
    MadeContainerd containerd;
    const std::string config = containerd.AddConfig({"base", "top"});
    const std::string manifest = containerd.AddManifest(config);
    const std::string other = containerd.AddManifest(containerd.AddConfig({"base", "arm"}));
    const std::string twin = containerd.AddManifest(containerd.AddConfig({"base", "top"}, "twin"));
    const std::string strange =
        containerd.AddBlob(R"({"manifests":[{"digest":"x"}],"config":{"digest":"x"}})");
    const std::string absent = Sha256("absent");
    const std::string artifact = containerd.AddManifest(containerd.AddBlob("{}"));
    // An image that Docker runs and whose config has its layers twice.
    const std::string rootfs = R"("rootfs":{"diff_ids":[")" + Sha256("base") + R"("]})";
    const std::string twice =
        containerd.AddManifest(containerd.AddBlob('{' + rootfs + ",\"RootFS\":{}}"));
    const std::string two = containerd.AddBlob(R"({"config":{"digest":")" + config +
                                               R"("},"Config":{"digest":")" + config + R"("}})");
    const std::string nested = containerd.AddIndex({manifest});
    const std::string deep =
        containerd.AddIndex({containerd.AddIndex({containerd.AddIndex({nested})})});
    const std::vector<std::string> many(60, twin);  // two documents each
    const struct {
      const char* name;
      std::string target;
      std::vector<std::string> manifests;  // empty: unknown
      const char* because;
    } cases[] = {
        {"itself", manifest, {manifest}, ""},
        {"among others",
         containerd.AddIndex({other, absent, manifest, artifact}),
         {"", manifest},
         ""},
        {"twice", containerd.AddIndex({manifest, manifest}), {"", manifest}, ""},
        {"nested", containerd.AddIndex({nested, other}), {"", nested, manifest}, ""},
        {"nested too deep", deep, {}, "nested too deep"},
        // Which of them an engine took cannot be said.
        {"beside what cannot be read", containerd.AddIndex({manifest, twice}), {}, "twice"},
        {"beside a manifest of two configs", containerd.AddIndex({manifest, two}), {}, "twice"},
        {"beside both kinds",
         containerd.AddIndex({manifest, strange}),
         {},
         "both an index and a manifest"},
        {"beside another kind of digest",
         containerd.AddIndex({manifest, "sha512:" + std::string(128, 'a')}),
         {},
         "digest of an unknown kind"},
        {"another's", other, {}, "does not lead to an image"},
        {"two", containerd.AddIndex({manifest, twin}), {}, "two images"},
        {"too many", containerd.AddIndex(many), {}, "too many manifests"},
        {"none", containerd.AddIndex({}), {}, "does not lead to an image"},
        {"both kinds", strange, {}, "both an index and a manifest"},
        {"a config", config, {}, "does not lead to an image"},
        {"absent", absent, {}, "is not in the content store"},
        {"no digest", "../../x", {}, "digest of an unknown kind"},
        {"no layers",
         containerd.AddManifest(containerd.AddConfig({})),
         {},
         "does not lead to an image"},
        {"strange layers",
         containerd.AddManifest(containerd.AddBlob(R"({"rootfs":{"diff_ids":["x"]}})")),
         {},
         "does not lead to an image"},
    };
    for (const auto& test : cases) {
      containerd.AddName("docker.io/library/app:1", test.target);
      containerd.AddContainer("one", "docker.io/library/app:1", {"base", "top"});
      containerd.Write();
      const Identity identity = IdentifyIn("default", "one");
      if (test.manifests.empty()) {
        ExpectUnknown(identity, test.because);
        continue;
      }
      EXPECT_EQ(identity.config_digest, config) << test.name << identity.unknown_because;
      std::vector<std::string> manifests = test.manifests;
      if (manifests.front().empty()) manifests.front() = test.target;
      EXPECT_THAT(identity.manifest_digests, UnorderedElementsAreArray(manifests)) << test.name;
      EXPECT_EQ(AskedFor(identity), "docker.io/library/app:1");
    }
  });
}

TEST(ContainerdIdentity, IdentifiesASnapshotOfDocker) {
  InPrivateMounts([] {
    MadeContainerd containerd;
    containerd.SetNamespace("moby");
    const std::string config = containerd.AddConfig({"base"});
    const std::string manifest = containerd.AddManifest(config);
    const std::string target = containerd.AddIndex({manifest});
    containerd.AddName("docker.io/library/app:1", target);
    containerd.AddName("moby-dangling@" + target, target);
    containerd.AddSnapshot("one-init", Sha256("base"));
    containerd.AddSnapshot("one", "one-init");
    containerd.AddSnapshot("two", "one-init");
    containerd.AddSnapshot("three", Sha256("base"));
    containerd.Write();
    Snapshot snapshot{kContainerdRoot, "moby", "overlayfs", "one", target};
    const auto identify = [&] {
      Identity identity;
      const Status status = IdentifySnapshot(snapshot, "app:1", identity);
      if (status) return identity;
      Identity unknown;
      unknown.unknown_because = status.error().message;
      return unknown;
    };
    const Identity identity = identify();
    EXPECT_EQ(identity.config_digest, config) << identity.unknown_because;
    EXPECT_THAT(identity.manifest_digests, UnorderedElementsAre(target, manifest));
    EXPECT_THAT(Names(identity), ElementsAre("tag docker.io/library/app:1"));
    EXPECT_EQ(AskedFor(identity), "docker.io/library/app:1");
    snapshot.key = "three";
    EXPECT_EQ(identify().config_digest, config) << "without files of Docker's own";
    snapshot.key = "two";
    ExpectUnknown(identify(), "does not lead to an image");
    snapshot.key = "absent";
    ExpectUnknown(identify(), "not based on an image");
  });
}

TEST(ContainerdIdentity, HandlesManyImages) {
  InPrivateMounts([] {
    MadeContainerd containerd;
    const std::string config = containerd.AddConfig({"base"});
    const std::string target = containerd.AddManifest(config);
    containerd.AddContainer("one", "docker.io/library/app:1", {"base"});
    containerd.AddName("docker.io/library/app:1", target);
    constexpr int kMany = 20'000;
    const auto add = [&](int index) {
      containerd.AddName("docker.io/library/n:" + std::to_string(index), Sha256("another"));
    };
    for (int index = 1; index < kMany; ++index) add(index);
    containerd.Write();
    EXPECT_THAT(Names(IdentifyIn("default", "one")), ElementsAre("tag docker.io/library/app:1"));
    add(kMany);
    containerd.Write();
    ExpectUnknown(IdentifyIn("default", "one"), "too many images");
  });
}

}  // namespace
}  // namespace runclad::engine::containerd_identity_test
