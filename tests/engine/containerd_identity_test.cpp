#include "engine/containerd_identity.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <iterator>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "containerd_fixture.hpp"

namespace runclad::engine {
namespace {

using runclad::testing::InPrivateMounts;
using runclad::testing::WriteFile;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
using ::testing::UnorderedElementsAreArray;

// Of the images in tests/data/containerd.
const std::string kIndex =
    "sha256:c3837fa5d0cf3bb6d547b6a0dff4f2860e3aea06b69334a71ebe3009fa0594d5";
const std::string kManifest =
    "sha256:d519ae489d364f3ff79a2b68a4b4386991abc6a6c14f974567814aab5c2a83b5";
const std::string kConfig =
    "sha256:98bfd0d68d93e01c675a04ef7a19ecf04683f963bf9e8a469732a1d240485ddc";
const std::string kTwinConfig =
    "sha256:9a707067ac7aa37bc6b97ed25740723978943c80cef02f5495d353e727b5ae2d";
const std::string kTwinManifest =
    "sha256:0550e6431edb21026f4d4215491af3ae70c214c984df1dcc8f35161449150cef";
const std::string kPauseConfig =
    "sha256:c414275908f24326a285fe23fe8bbf3bf64593b5e763bf4b73dddce88a26887a";

const std::string kSandbox = "fff07854bb4f99abbb9ac4f26c03555418e6faefa453050953356074940f3b79";
const std::string kPodUid = "11111111-1111-1111-1111-111111111111";
const std::string kByName = "f5e096bd9055f41ddf3d7f966446ca6fd086b9ce6d1dee7a3c3357c7dfe7dcb9";
const std::string kById = "359e846bf474e339afe56b4ba1ab1a93f4ed203ce03d54b6a4a624ae6e9780c8";
const std::string kTwin = "d842263262ee5b5092a88384e6b08a30fa97a12347d40c99ced1c4c41740d1ba";

// "tag docker.io/library/app:1" …
std::vector<std::string> Names(const Identity& identity) {
  std::vector<std::string> names;
  for (const ImageName& name : identity.names) {
    names.push_back(std::string(Name(name.tier)) + " " + name.reference.text());
  }
  return names;
}

std::string AskedFor(const Identity& identity) {
  return identity.asked_for ? identity.asked_for->text() : "nothing";
}

void ExpectUnknown(const Identity& identity, const std::string& because) {
  EXPECT_FALSE(identity.is_known()) << because;
  EXPECT_THAT(identity.unknown_because, HasSubstr(because));
  EXPECT_THAT(identity.manifest_digests, IsEmpty()) << because;
  EXPECT_THAT(identity.names, IsEmpty()) << because;
  EXPECT_EQ(AskedFor(identity), "nothing") << because;
}

TEST(ContainerdIdentity, OfCtr) {
  InPrivateMounts([] {
    MakeRealContainerd();
    const Identity identity = IdentifyIn("default", "plain");
    EXPECT_EQ(identity.unknown_because, "");
    EXPECT_EQ(identity.engine, Engine::kContainerd);
    EXPECT_EQ(identity.config_digest, kConfig);
    EXPECT_THAT(identity.manifest_digests, UnorderedElementsAre(kIndex, kManifest));
    // Not the name with another's digest, not the short one, not the one that went elsewhere.
    EXPECT_THAT(Names(identity),
                ElementsAre("tag docker.io/library/app:1", "tag docker.io/library/app:latest",
                            "tag docker.io/library/app@" + kIndex, "tag docker.io/me/alias:7"));
    EXPECT_EQ(AskedFor(identity), "docker.io/library/app:1");
    EXPECT_EQ(identity.pod_namespace, "");
    EXPECT_FALSE(identity.is_sandbox);
  });
}

TEST(ContainerdIdentity, TheSameLayersUnderAnotherConfigAreAnotherImage) {
  InPrivateMounts([] {
    MakeRealContainerd();
    const Identity identity = IdentifyIn("default", "twin");
    EXPECT_EQ(identity.config_digest, kTwinConfig);
    EXPECT_THAT(identity.manifest_digests, ElementsAre(kTwinManifest));
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
    ExpectUnknown(IdentifyIn("default", "moved"), "leads to no image of the container's layers");
    ExpectUnknown(IdentifyIn("default", "lost"), R"(no image "docker.io/library/gone:1" any more)");
  });
}

TEST(ContainerdIdentity, OfNoImage) {
  InPrivateMounts([] {
    MakeRealContainerd();
    ExpectUnknown(IdentifyIn("default", "directory"), "a directory and not of an image");
    ExpectUnknown(IdentifyIn("default", "absent"), "no record");
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
    ExpectUnknown(Identify(layout, call), "a directory and not of an image");
    layout.containerd_root.clear();
    ExpectUnknown(Identify(layout, {"plain", layout.bundle, "", layout.bundle + "/rootfs"}),
                  "not found");
  });
}

TEST(ContainerdIdentity, OfKubernetes) {
  InPrivateMounts([] {
    MakeRealContainerd();
    const auto names = ElementsAre(
        "tag docker.io/library/aaa:latest", "tag docker.io/library/app:1",
        "repository-digest docker.io/library/app@" + kIndex, "tag docker.io/me/alias:7");
    const Identity by_name = IdentifyIn("k8s.io", kByName);
    EXPECT_EQ(by_name.unknown_because, "");
    EXPECT_EQ(by_name.config_digest, kConfig);
    EXPECT_THAT(by_name.manifest_digests, UnorderedElementsAre(kIndex, kManifest));
    EXPECT_THAT(Names(by_name), names);
    EXPECT_EQ(AskedFor(by_name), "docker.io/library/app:1") << "not the record's aaa:latest";
    EXPECT_EQ(by_name.pod_namespace, "shop");
    EXPECT_FALSE(by_name.is_sandbox);

    const Identity by_id = IdentifyIn("k8s.io", kById);
    EXPECT_EQ(by_id.config_digest, kConfig);
    EXPECT_THAT(Names(by_id), names);
    EXPECT_EQ(AskedFor(by_id), "nothing") << "a kubelet asks for the id";
    EXPECT_EQ(by_id.pod_namespace, "shop");

    const Identity twin = IdentifyIn("k8s.io", kTwin);
    EXPECT_EQ(twin.config_digest, kTwinConfig);
    EXPECT_EQ(AskedFor(twin), "docker.io/library/twin:1");
  });
}

TEST(ContainerdIdentity, OfAPodsSandbox) {
  InPrivateMounts([] {
    MakeRealContainerd();
    const Identity identity = IdentifyIn("k8s.io", kSandbox);
    EXPECT_EQ(identity.config_digest, kPauseConfig);
    EXPECT_THAT(Names(identity), ElementsAre("tag registry.k8s.io/pause:3.9"));
    EXPECT_EQ(identity.pod_namespace, "shop") << "not the annotation's";
    EXPECT_TRUE(identity.is_sandbox);
  });
}

TEST(ContainerdIdentity, WhichPodIsTheSandboxsAndItsContainers) {
  InPrivateMounts([] {
    MakeRealContainerd();
    for (const std::string& id : {kSandbox, kByName, kById, kTwin}) {
      Pod pod;
      IdentifyIn("k8s.io", id, &pod);
      EXPECT_EQ(pod.sandbox, kSandbox) << id;
      EXPECT_EQ(pod.uid, kPodUid) << id;
    }
    Pod none{"left from", "before"};
    IdentifyIn("default", "plain", &none);
    EXPECT_EQ(none.sandbox, "");
    EXPECT_EQ(none.uid, "");
  });
}

TEST(ContainerdIdentity, StateThatIsNotRootsAloneProvesNothing) {
  InPrivateMounts([] {
    MakeRealContainerd();
    constexpr uid_t kSomeone = 1000;
    for (const std::string& path :
         {kContainerdRoot, std::string("/srv/lib"), kDatabase,
          kDatabase.substr(0, kDatabase.rfind('/')), kBlobs, kBlobs.substr(0, kBlobs.rfind('/')),
          BlobPath(kIndex), BlobPath(kConfig)}) {
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

TEST(ContainerdIdentity, DocumentsThatAreNotTheirDigest) {
  InPrivateMounts([] {
    for (const std::string& digest : {kIndex, kManifest, kConfig}) {
      MakeRealContainerd();
      ASSERT_TRUE(IdentifyIn("default", "plain").is_known());
      std::ofstream(BlobPath(digest), std::ios::app) << ' ';
      ExpectUnknown(IdentifyIn("default", "plain"),
                    digest == kIndex ? "other content" : "leads to");
    }
    MakeRealContainerd();
    std::filesystem::resize_file(BlobPath(kIndex), (std::size_t{4} << 20) + 1);
    ExpectUnknown(IdentifyIn("default", "plain"), "");
  });
}

TEST(ContainerdIdentity, ADamagedDatabaseIsNeverHalfBelieved) {
  InPrivateMounts([] {
    MakeRealContainerd();
    std::ifstream file(kDatabase, std::ios::binary);
    const std::string database{std::istreambuf_iterator<char>(file), {}};
    const Identity whole = IdentifyIn("k8s.io", kByName);
    constexpr std::size_t kPageSize = 4096;
    int unknown = 0;
    const auto expect_all_or_nothing = [&](const std::string& damaged, const std::string& what) {
      WriteFile(kDatabase, damaged);
      const Identity identity = IdentifyIn("k8s.io", kByName);
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

// --- made up
// --------------------------------------------------------------------------------------

std::string PodJson(const std::string& id, const std::string& rest) {
  return R"({"Version":"v1","Metadata":{"ID":")" + id + "\"," + rest + "}}";
}

std::string SandboxJson(const std::string& id, const std::string& name_space) {
  return PodJson(id, R"("Config":{"labels":{"namespace":"a","uid":"a"},)"
                     R"("metadata":{"name":"\"namespace\":\"b\"","uid":"5f0e","namespace":")" +
                         name_space + R"("},"annotations":{"x":"\\"}})");
}

const char* const kContainerExtension = "io.cri-containerd.container.metadata";
const char* const kSandboxExtension = "io.cri-containerd.sandbox.metadata";

struct MadePod {
  MadeContainerd containerd;
  std::string config;
  Tree* container = nullptr;
  Tree* sandbox = nullptr;

  MadePod() {
    containerd.SetNamespace("k8s.io");
    config = containerd.AddConfig({"base", "top"});
    const std::string target = containerd.AddIndex({containerd.AddManifest(config)});
    for (const std::string& name : {std::string("docker.io/library/app:latest"),
                                    std::string("docker.io/library/app:1"), config}) {
      containerd.AddName(name, target);
    }
    container = &containerd.AddContainer("one", "docker.io/library/app:1", {"base", "top"});
    sandbox = &containerd.AddContainer("box", "pause", {"base"});
    SetSandbox(SandboxJson("box", "shop"));
  }

  void SetSandbox(const std::string& json) const {
    MadeContainerd::AddExtension(*sandbox, kSandboxExtension, json);
  }

  Identity Identify(const std::string& image, const std::string& image_id,
                    const std::string& sandbox_id) {
    MadeContainerd::AddExtension(
        *container, kContainerExtension,
        PodJson("one", R"("SandboxID":")" + sandbox_id + R"(","Config":{"image":)" + image +
                           R"(},"ImageRef":")" + image_id + "\""));
    containerd.Write();
    return IdentifyIn("k8s.io", "one");
  }
};

TEST(ContainerdIdentity, WhatThePodsAuthorWrote) {
  InPrivateMounts([] {
    MadePod pod;
    const std::pair<const char*, const char*> cases[] = {
        {R"({"image":"ID","user_specified_image":"app"})", "docker.io/library/app:latest"},
        {R"({"image":"ID","user_specified_image":"app:1"})", "docker.io/library/app:1"},
        {R"({"image":"ID","user_specified_image":"app:2"})", "nothing"},
        {R"({"image":"docker.io/library/app:1"})", "docker.io/library/app:1"},
        {R"({"image":"ID"})", "nothing"},
        {R"({})", "nothing"},
    };
    for (const auto& [image, expected] : cases) {
      const Identity identity = pod.Identify(image, pod.config, "box");
      EXPECT_EQ(identity.config_digest, pod.config) << image;
      EXPECT_EQ(AskedFor(identity), expected) << image;
    }
    const Identity identity = pod.Identify("{}", Sha256("another"), "box");
    ExpectUnknown(identity, "is not sha256:");
    EXPECT_EQ(identity.pod_namespace, "shop") << "whose pod it is does not hang on the image";
  });
}

TEST(ContainerdIdentity, ThePodsNamespaceIsTheSandboxs) {
  InPrivateMounts([] {
    MadePod pod;
    const Identity identity = pod.Identify("{}", pod.config, "box");
    EXPECT_EQ(identity.pod_namespace, "shop") << identity.unknown_because;
    EXPECT_TRUE(identity.is_known());
    ExpectUnknown(pod.Identify("{}", pod.config, "absent"), R"(no record of its sandbox "absent")");
    // containerd 2 with a sandbox that is no container.
    MadeContainerd::AddExtension(pod.containerd.Bucket().At("sandboxes").At("vm"), "metadata",
                                 SandboxJson("vm", "shop"));
    EXPECT_EQ(pod.Identify("{}", pod.config, "vm").pod_namespace, "shop");
    Pod found;
    IdentifyIn("k8s.io", "one", &found);
    EXPECT_EQ(found.sandbox, "vm");
    EXPECT_EQ(found.uid, "5f0e");
    // A sandbox that does not say: no directory is the pod's.
    pod.SetSandbox(PodJson("box", R"("Config":{"metadata":{"namespace":"shop"}})"));
    pod.Identify("{}", pod.config, "box");
    IdentifyIn("k8s.io", "one", &found);
    EXPECT_EQ(found.sandbox, "box");
    EXPECT_EQ(found.uid, "");
  });
}

TEST(ContainerdIdentity, RecordsOfPodsThatMakeNoSense) {
  InPrivateMounts([] {
    MadePod pod;
    for (const char* json :
         {"", "{", "{}", R"({"Version":"v2","Metadata":{"ID":"box"}})", R"({"Version":"v1"})",
          R"({"Version":"v1","Metadata":"ID"})", R"({"Version":"v1","Metadata":{"ID":"one"}})",
          R"({"Version":"v1","Metadata":{"ID":"box","ID":"box"}})"}) {
      pod.SetSandbox(json);
      ExpectUnknown(pod.Identify("{}", pod.config, "box"), "record of \"box\"");
    }
    for (const std::string& any : {std::string(), std::string("\x12"), std::string("\x12\xFF"),
                                   std::string("\x12\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F"),
                                   std::string("\x0A\x05x"), std::string("\x08\x01")}) {
      pod.sandbox->At("extensions").values[kSandboxExtension] = any;
      ExpectUnknown(pod.Identify("{}", pod.config, "box"), "record of \"box\"");
    }
    pod.SetSandbox(SandboxJson("box", "shop"));
    EXPECT_TRUE(pod.Identify("{}", pod.config, "box").is_known());
    ExpectUnknown(pod.Identify("[]", pod.config, "box"), "record of \"one\"");
  });
}

TEST(ContainerdIdentity, RecordsOfPodsCountInTheirNamespaceOnly) {
  InPrivateMounts([] {
    MadeContainerd containerd;
    const std::string config = containerd.AddConfig({"base"});
    const std::string target = containerd.AddManifest(config);
    containerd.AddName("docker.io/library/app:1", target);
    containerd.AddName("docker.io/library/app@" + target, target);
    Tree& container = containerd.AddContainer("one", "docker.io/library/app:1", {"base"});
    MadeContainerd::AddExtension(container, kSandboxExtension, SandboxJson("one", "kube-system"));
    containerd.Write();
    const Identity identity = IdentifyIn("default", "one");
    EXPECT_EQ(identity.config_digest, config);
    EXPECT_EQ(identity.pod_namespace, "");
    EXPECT_FALSE(identity.is_sandbox);
    EXPECT_THAT(Names(identity),
                ElementsAre("tag docker.io/library/app:1", "tag docker.io/library/app@" + target));
  });
}

TEST(ContainerdIdentity, TheManifestWhoseLayersTheSnapshotHas) {
  InPrivateMounts([] {
    MadeContainerd containerd;
    const std::string config = containerd.AddConfig({"base", "top"});
    const std::string manifest = containerd.AddManifest(config);
    const std::string other = containerd.AddManifest(containerd.AddConfig({"base", "arm"}));
    const std::string twin = containerd.AddManifest(containerd.AddConfig({"base", "top"}, "twin"));
    const std::string strange =
        containerd.AddBlob(R"({"manifests":[{"digest":"x"}],"config":{"digest":"x"}})");
    const std::string absent = Sha256("absent");
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
         containerd.AddIndex({other, absent, manifest, strange, "x"}),
         {"", manifest},
         ""},
        {"twice", containerd.AddIndex({manifest, manifest}), {"", manifest}, ""},
        {"nested", containerd.AddIndex({nested, other}), {"", nested, manifest}, ""},
        {"nested too deep", deep, {}, "leads to no image"},
        {"another's", other, {}, "leads to no image"},
        {"two", containerd.AddIndex({manifest, twin}), {}, "two images"},
        {"too many", containerd.AddIndex(many), {}, "too many manifests"},
        {"none", containerd.AddIndex({}), {}, "neither an index nor a manifest"},
        {"both kinds", strange, {}, "neither an index nor a manifest"},
        {"a config", config, {}, "neither an index nor a manifest"},
        {"absent", absent, {}, "cannot be opened"},
        {"no digest", "../../x", {}, "unknown kind of digest"},
        {"no layers", containerd.AddManifest(containerd.AddConfig({})), {}, "no layers"},
        {"strange layers",
         containerd.AddManifest(containerd.AddBlob(R"({"rootfs":{"diff_ids":["x"]}})")),
         {},
         "named by no sha256 digest"},
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

TEST(ContainerdIdentity, OfASnapshotOfDockers) {
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
    ExpectUnknown(identify(), "leads to no image");
    snapshot.key = "absent";
    ExpectUnknown(identify(), "not made of an image");
  });
}

TEST(ContainerdIdentity, ManyImages) {
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
}  // namespace runclad::engine
