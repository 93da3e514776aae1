// What containerd's CRI plugin has of a pod's containers.
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "containerd_fixture.hpp"
#include "tampering.hpp"

namespace runclad::engine::containerd_pod_test {
namespace {

using runclad::testing::InPrivateMounts;
using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

TEST(ContainerdPod, ReadsAPodOfKubernetes) {
  InPrivateMounts([] {
    MakeRealContainerd();
    const auto names = ElementsAre(
        "tag docker.io/library/aaa:latest", "tag docker.io/library/app:1",
        "repository-digest docker.io/library/app@" + real::kIndex, "tag docker.io/me/alias:7",
        "none docker.io/me/alias@sha256:" + std::string(64, 'a'));
    const Identity by_name = IdentifyIn("k8s.io", real::kByName);
    EXPECT_EQ(by_name.unknown_because, "");
    EXPECT_EQ(by_name.config_digest, real::kConfig);
    EXPECT_THAT(by_name.manifest_digests, UnorderedElementsAre(real::kIndex, real::kManifest));
    EXPECT_THAT(Names(by_name), names);
    EXPECT_EQ(AskedFor(by_name), "docker.io/library/app:1") << "not the record's aaa:latest";
    EXPECT_EQ(by_name.pod_namespace, "shop");
    EXPECT_FALSE(by_name.is_sandbox);

    const Identity by_id = IdentifyIn("k8s.io", real::kById);
    EXPECT_EQ(by_id.config_digest, real::kConfig);
    EXPECT_THAT(Names(by_id), names);
    EXPECT_EQ(AskedFor(by_id), "nothing") << "a kubelet asks for the id";
    EXPECT_EQ(by_id.pod_namespace, "shop");

    const Identity twin = IdentifyIn("k8s.io", real::kTwin);
    EXPECT_EQ(twin.config_digest, real::kTwinConfig);
    EXPECT_EQ(AskedFor(twin), "docker.io/library/twin:1");
  });
}

TEST(ContainerdPod, ReadsASandbox) {
  InPrivateMounts([] {
    MakeRealContainerd();
    const Identity identity = IdentifyIn("k8s.io", real::kSandbox);
    EXPECT_EQ(identity.config_digest, real::kPauseConfig);
    EXPECT_THAT(Names(identity), ElementsAre("tag registry.k8s.io/pause:3.9"));
    EXPECT_EQ(identity.pod_namespace, "shop") << "not the annotation's";
    EXPECT_TRUE(identity.is_sandbox);
  });
}

TEST(ContainerdPod, SandboxAndContainersShareThePod) {
  InPrivateMounts([] {
    MakeRealContainerd();
    for (const std::string& id : {real::kSandbox, real::kByName, real::kById, real::kTwin}) {
      Pod pod;
      IdentifyIn("k8s.io", id, &pod);
      EXPECT_EQ(pod.sandbox, real::kSandbox) << id;
      EXPECT_EQ(pod.uid, real::kPodUid) << id;
    }
    Pod none{"left from", "before"};
    IdentifyIn("default", "plain", &none);
    EXPECT_EQ(none.sandbox, "");
    EXPECT_EQ(none.uid, "");
  });
}

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

TEST(ContainerdPod, IgnoresWhatThePodsAuthorCanWrite) {
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

TEST(ContainerdPod, TakesTheNamespaceFromTheSandbox) {
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
    EXPECT_EQ(found.network_namespace, "");
    // Where its network namespace is pinned, for the container and for itself.
    pod.SetSandbox(PodJson("box", R"("NetNSPath":"/var/run/netns/cni-1","Config":{})"));
    pod.Identify("{}", pod.config, "box");
    for (const char* id : {"one", "box"}) {
      IdentifyIn("k8s.io", id, &found);
      EXPECT_EQ(found.network_namespace, "/var/run/netns/cni-1") << id;
    }
  });
}

TEST(ContainerdPod, RejectsInconsistentRecords) {
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

TEST(ContainerdPod, UsesRecordsOfTheSameNamespaceOnly) {
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

}  // namespace
}  // namespace runclad::engine::containerd_pod_test
