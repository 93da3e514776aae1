// What a kubelet mounts for a pod, as the host's mount table has it.
#include <sys/mount.h>
#include <unistd.h>

#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "runclad/host/sources.hpp"
#include "runclad/policy/effective.hpp"
#include "runclad/rules/parameters.hpp"
#include "runclad/rules/rule.hpp"

#include "../mount_namespace.hpp"

namespace runclad::host::pod_volumes_test {
namespace {

using Access = SourceFacts::Access;
using namespace runclad::testing;  // NOLINT(google-build-using-namespace): mounts, files

const std::string kKubelet = "/var/lib/kubelet";
const std::string kOwn = kKubelet + "/pods/own";
const std::string kOther = kKubelet + "/pods/other";
const std::string kEmpty = "/volumes/kubernetes.io~empty-dir/cache";
const std::string kPart = "/volume-subpaths/data/app/0";

SourceFacts FactsOf(const std::string& source, const std::string& policy_text = "{}") {
  const json::Document config = {
      {"mounts",
       {{{"destination", "/x"}, {"type", "bind"}, {"source", source}, {"options", {"rbind"}}}}}};
  const auto spec = oci::Spec::Parse(config.dump());
  EXPECT_TRUE(spec) << spec.error().message;
  const auto policy = policy::Parse(policy_text, "policy.json", rules::Schemas());
  EXPECT_TRUE(policy) << policy.error().message;
  engine::Layout layout;
  layout.engine = engine::Engine::kContainerd;
  layout.id = "id";
  engine::OwnFiles own(layout, {}, {"sandbox", "own"});
  std::map<std::string, SourceFacts> sources;
  GatherSources(*spec, rules::PathListsOf(policy->rule("host-mounts")), {}, "/srv/bundle", own,
                sources);
  return sources[source];
}

// On one tmpfs with everything else of /var/lib, as a kubelet's directory is on the host's disk.
void InKubeletsHost(const std::function<void()>& body) {
  InPrivateMounts([&] {
    TmpfsMount("/var/lib");
    for (const std::string& pod : {kOwn, kOther}) {
      WriteFile(pod + "/etc-hosts");
      WriteFile(pod + "/containers/app/1a2b");
      MakeDirectories(pod + kEmpty + "/part");
    }
    body();
  });
}

void ExpectAccess(Access access, const std::string& source, const std::string& policy = "{}") {
  const SourceFacts facts = FactsOf(source, policy);
  EXPECT_EQ(facts.access, access) << source << " " << facts.because;
}

constexpr const char* kAllowOnly =
    R"({"rules":{"host-mounts":{"allow-only":true,"data-directories":[]}}})";

TEST(PodVolumes, AcceptOnlyTheContainersPod) {
  InKubeletsHost([] {
    for (const char* policy : {"{}", kAllowOnly}) {
      for (const std::string& leaf :
           {std::string("/etc-hosts"), std::string("/containers/app/1a2b"), kEmpty}) {
        ExpectAccess(Access::kEngineOwn, kOwn + leaf, policy);
        ExpectAccess(Access::kDenied, kOther + leaf, policy);
      }
      for (const std::string& path : {kOwn, kOwn + "/volumes", kOwn + kEmpty + "/part",
                                      kKubelet + "/pods", kKubelet, std::string("/var/lib")}) {
        ExpectAccess(Access::kDenied, path, policy);
      }
    }
  });
}

TEST(PodVolumes, AcceptMemoryBackedVolumes) {
  InKubeletsHost([] {
    const std::string secret = kOwn + "/volumes/kubernetes.io~secret/token";
    TmpfsMount(secret);
    MakeDirectories(secret + "/part");
    BindMount(secret + "/part", kOwn + kPart);
    ExpectAccess(Access::kEngineOwn, secret, kAllowOnly);
    ExpectAccess(Access::kEngineOwn, kOwn + kPart, kAllowOnly);
  });
}

TEST(PodVolumes, AcceptSubpathsOfAVolumeOnTheHostsDisk) {
  InKubeletsHost([] {
    BindMount(kOwn + kEmpty + "/part", kOwn + kPart);
    BindMount(kOwn + kEmpty + "/part", kOwn + "/volume-subpaths/data/app/1");
    ExpectAccess(Access::kEngineOwn, kOwn + kEmpty, kAllowOnly);
    ExpectAccess(Access::kEngineOwn, kOwn + kPart, kAllowOnly);
  });
}

TEST(PodVolumes, AcceptAStagedClaimSharedByAnotherPod) {
  InKubeletsHost([] {
    const std::string staged = kKubelet + "/plugins/kubernetes.io/csi/driver/1/globalmount";
    const std::string volume = "/volumes/kubernetes.io~csi/pv/mount";
    TmpfsMount(staged);
    MakeDirectories(staged + "/part");
    for (const std::string& pod : {kOwn, kOther}) {
      BindMount(staged, pod + volume);
      BindMount(staged + "/part", pod + kPart);
    }
    ExpectAccess(Access::kEngineOwn, kOwn + volume);
    ExpectAccess(Access::kEngineOwn, kOwn + kPart);
    ExpectAccess(Access::kDenied, staged);
    ExpectAccess(Access::kDenied, kOther + volume);
  });
}

// A hostPath volume with a subPath is bound where parts of volumes are.
TEST(PodVolumes, JudgeASubpathOfAHostPathAsAHostPath) {
  struct Case {
    std::string directory;
    Access access;
    Access when_allow_only;
  };
  const std::string secret = kOther + "/volumes/kubernetes.io~secret/token";
  for (const Case& test : std::vector<Case>{
           {"/srv/data", Access::kEngineOwn, Access::kDenied},
           {"/", Access::kHostRoot, Access::kHostRoot},
           {"/etc", Access::kDenied, Access::kDenied},
           {"/usr/share/zoneinfo", Access::kReadOnly, Access::kReadOnly},
           {kOther + kEmpty, Access::kDenied, Access::kDenied},
           {kOther, Access::kDenied, Access::kDenied},
           {kOwn, Access::kDenied, Access::kDenied},
           {secret, Access::kDenied, Access::kDenied},
           {kKubelet + "/plugins/staged", Access::kDenied, Access::kDenied},
           {"/var/lib", Access::kDenied, Access::kDenied},
       }) {
    InKubeletsHost([&] {
      MakeDirectories("/srv/data");
      TmpfsMount(secret);
      TmpfsMount(kKubelet + "/plugins/staged");
      BindMount(test.directory, kOwn + kPart);
      ExpectAccess(test.access, kOwn + kPart);
      ExpectAccess(test.when_allow_only, kOwn + kPart, kAllowOnly);
    });
  }
}

// What the kubelet alone fills (scripts of a ConfigMap, say) is not a place that containers write
// to.
TEST(PodVolumes, AreContainerWritableUnlessTheKubeletFillsThem) {
  for (const auto& [plugin, is_volume] :
       std::vector<std::pair<std::string, bool>>{{"empty-dir", true},
                                                 {"local-volume", true},
                                                 {"csi", true},
                                                 {"configmap", false},
                                                 {"secret", false},
                                                 {"projected", false},
                                                 {"downward-api", false}}) {
    for (const bool is_in_memory : {false, true}) {
      InKubeletsHost([&, expected = is_volume, name = plugin] {
        const std::string volume =
            kOwn + "/volumes/kubernetes.io~" + name + "/data" + (name == "csi" ? "/mount" : "");
        MakeDirectories(volume);
        if (is_in_memory) TmpfsMount(volume);
        MakeDirectories(volume + "/part");
        BindMount(volume + "/part", kOwn + kPart);
        EXPECT_EQ(FactsOf(volume).is_volume, expected) << name;
        EXPECT_EQ(FactsOf(kOwn + kPart).is_volume, expected) << name;
      });
    }
  }
  InKubeletsHost([] {
    MakeDirectories("/srv/data");
    BindMount("/srv/data", kOwn + kPart);
    EXPECT_FALSE(FactsOf(kOwn + kPart).is_volume) << "a part of a hostPath";
  });
}

// A local persistent volume is a directory of the host by leave of the cluster's administrator,
// who does not give the host away by that.
TEST(PodVolumes, JudgeALocalVolumeAsAHostPath) {
  const std::string local = kOwn + "/volumes/kubernetes.io~local-volume/disk";
  for (const auto& [directory, access] :
       std::vector<std::pair<std::string, Access>>{{"/srv/disk", Access::kEngineOwn},
                                                   {"/etc", Access::kDenied},
                                                   {"/", Access::kHostRoot}}) {
    InKubeletsHost([&, where = directory, expected = access] {
      MakeDirectories("/srv/disk");
      BindMount(where, local);
      ExpectAccess(expected, local);
    });
  }
}

TEST(PodVolumes, AreNotResolvedThroughLinks) {
  InKubeletsHost([] {
    ASSERT_EQ(::symlink("/etc", (kOwn + "/volumes/kubernetes.io~empty-dir/link").c_str()), 0);
    ExpectAccess(Access::kDenied, kOwn + "/volumes/kubernetes.io~empty-dir/link");
  });
}

}  // namespace
}  // namespace runclad::host::pod_volumes_test
