// Documents of real engines with an image as a volume, and state of their layout, as a whole: what
// becomes of the mount under each profile, and whose policy counts.
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "runclad/enforce/decision.hpp"
#include "runclad/enforce/facts.hpp"
#include "runclad/enforce/promise.hpp"
#include "runclad/enforce/subject.hpp"
#include "runclad/rules/rule.hpp"

#include "../engine/image_volumes_fixture.hpp"
#include "test_paths.hpp"

namespace runclad::enforce::image_volume_facts_test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using namespace runclad::testing;  // NOLINT(google-build-using-namespace): mounts, files

// The document with nothing but the mount at /img, `from` being written `to` in it.
oci::Spec DocumentOf(const std::string& engine,
                     const std::vector<std::pair<std::string, std::string>>& replaced) {
  std::ifstream file(std::string(RUNCLAD_TEST_DATA) + "/data/image_volumes/" + engine + ".json");
  std::string text(std::istreambuf_iterator<char>(file), {});
  for (const auto& [from, to] : replaced) {
    for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at)) {
      text.replace(at, from.size(), to);
      at += to.size();
    }
  }
  json::Document document = json::Document::parse(text);
  json::Document mounts = json::Document::array();
  for (const json::Document& mount : document["mounts"]) {
    if (mount["destination"] == "/img") mounts.push_back(mount);
  }
  document["mounts"] = mounts;
  auto spec = oci::Spec::Parse(document.dump());
  EXPECT_TRUE(spec) << spec.error().message;
  return *std::move(spec);
}

struct Made {
  std::string engine;
  Subject subject;
  oci::Spec spec;
};

Subject SubjectOf(engine::Layout layout, engine::Pod pod = {}) {
  Subject subject;
  subject.identity.engine = layout.engine;
  subject.layout = std::move(layout);
  subject.pod = std::move(pod);
  return subject;
}

// Each with an image docker.io/library/data:1 or localhost/app:1.
std::vector<Made> MakeAll() {
  std::vector<Made> all;
  const std::string id = "2534d306aa149b96cbbe65c54ce8a936910edffac45daa50ea31165a6220a48a";
  engine::MakeStorage();
  engine::Layout storage = engine::Storage();
  storage.id = id;
  MakeDirectories(engine::kMounted);
  const std::string overlay =
      engine::kGraph + "/overlay-containers/" + id + "/userdata/overlay/1377518333/";
  for (const char* directory : {"upper", "work", "lower"}) MakeDirectories(overlay + directory);
  all.push_back(
      {"podman", SubjectOf(storage),
       DocumentOf("podman", {{"/var/lib/containers/storage", engine::kGraph},
                             {"052a16b7ba368dd7baf68f10a495a241f210a1f64934024cc838d115bdf2b15b",
                              engine::kTop}})});
  const std::string other = "0d81e1bf8acc743d9b51d230901a4afba7d4eb7fa3f78e3a6df3b8ba3eaf9215";
  storage.id = other;
  storage.data_directories = {engine::kGraph};
  TmpfsMount(engine::kMounted);
  MakeDirectories(engine::kMounted + "/data");
  MakeDirectories(engine::kGraph + "/overlay-containers/" + other +
                  "/userdata/overlay/4260157697/lower");
  BindMount(engine::kMounted + "/data",
            "/srv/run/overlay-containers/" + other + "/userdata/subpath476889492");
  all.push_back({"podman-part", SubjectOf(storage),
                 DocumentOf("podman-part", {{"/var/lib/containers/storage", engine::kGraph},
                                            {"/run/containers/storage", "/srv/run"}})});
  const engine::Plugin plugin = engine::MakePlugin();
  TmpfsMount(plugin.point);
  all.push_back(
      {"cri", SubjectOf(plugin.layout, plugin.pod),
       DocumentOf("cri", {{"/run/containerd", "/srv/run/containerd"},
                          {"f99421580da11d0276205a8a8c8db2ed4a87b5e0a5d2c706fa6f4c04fef37f1a",
                           engine::kPeer},
                          {"f774e377805d9664dabbba8ae68536beed38214dcf95475241e123c4eb83210c",
                           plugin.manifest.substr(7)}})});
  const std::string source = engine::MakeClassic(engine::kId + "-data:1");
  TmpfsMount(source);
  MakeDirectories(source + "/data");
  BindMount(source + "/data", engine::kDocker + "/tmp/safe-mount482391396");
  all.push_back({"docker", SubjectOf(engine::Docker()),
                 DocumentOf("docker", {{"/var/lib/docker", engine::kDocker}})});
  return all;
}

policy::Effective Parsed(const std::string& text) {
  auto policy = policy::Parse(text, "policy.json", rules::Schemas());
  EXPECT_TRUE(policy) << policy.error().message;
  return *std::move(policy);
}

rules::Facts Gathered(const Made& made, const policy::Effective& policy,
                      const std::string& volumes_policy = "{}") {
  Request request{.id = made.subject.layout.id, .bundle = "/srv/bundle", .runtime_root = {}};
  request.policy_of = [&](const engine::Identity& image) -> Result<policy::Effective> {
    EXPECT_EQ(image.pod_namespace, made.subject.identity.pod_namespace);
    return Parsed(volumes_policy);
  };
  auto facts = GatherFacts(made.spec, policy, request, made.subject);
  EXPECT_TRUE(facts) << facts.error().message;
  return *std::move(facts);
}

// The sentences of what is refused about the mount.
std::string RefusalOf(const Decision& decision) {
  std::string refused;
  for (const Applied& applied : decision.findings) {
    const bool is_mounts = applied.finding.path.starts_with("/mounts");
    if (!is_mounts || applied.disposition != Disposition::kRefused) continue;
    refused += std::string(applied.rule->id()) + ": " + applied.finding.why + '\n';
  }
  return refused;
}

TEST(ImageVolumeFacts, MountAnImageAsDataInBothProfiles) {
  InPrivateMounts([] {
    for (const Made& made : MakeAll()) {
      for (const char* profile : {R"({"extends": "restricted"})", R"({"extends": "baseline"})"}) {
        SCOPED_TRACE(made.engine + profile);
        const policy::Effective policy = Parsed(profile);
        const rules::Facts facts = Gathered(made, policy);
        ASSERT_EQ(facts.Get<rules::ImageFacts>().volumes.size(), 1U);
        EXPECT_EQ(facts.Get<rules::ImageFacts>().volumes[0].destination, "/img");
        EXPECT_TRUE(facts.Get<rules::ImageFacts>().volumes[0].identity.is_known())
            << facts.Get<rules::ImageFacts>().volumes[0].identity.unknown_because;
        const Decision decision = Decide(made.spec, policy, facts, rules::Scope::kContainer);
        EXPECT_EQ(RefusalOf(decision), "");
        const std::vector<std::string> options = decision.spec.mounts().front().options;
        EXPECT_THAT(options, IsSupersetOf({"nosuid", "nodev", "noexec"}));
        const PromisedMount promised = PromiseOf(decision.spec, policy, facts).mounts.front();
        EXPECT_EQ(promised.point, "/img");
        const unsigned flags = kNoSuid | kNoDev | kNoExec;
        const unsigned read_only = made.engine == "podman" ? 0U : unsigned{kReadOnly};  // rw=true
        EXPECT_EQ(promised.flags, flags | read_only);
        // start can tell whether it is this one.
        EXPECT_TRUE(promised.inode != 0 || !promised.layers.empty());
      }
    }
  });
}

TEST(ImageVolumeFacts, UseThePolicyOfTheImage) {
  InPrivateMounts([] {
    const std::string denied =
        R"({"rules": {"image": {"deny": ["localhost/app", "docker.io/library/data"]}}})";
    for (const Made& made : MakeAll()) {
      SCOPED_TRACE(made.engine);
      const policy::Effective usual = Parsed("{}");
      const rules::Facts facts = Gathered(made, usual, denied);
      EXPECT_THAT(RefusalOf(Decide(made.spec, usual, facts, rules::Scope::kContainer)),
                  HasSubstr("image: as the volume at /img is listed in image.deny"));
      const policy::Effective own = Parsed(denied);
      EXPECT_EQ(RefusalOf(Decide(made.spec, own, Gathered(made, own), rules::Scope::kContainer)),
                "");
    }
  });
}

TEST(ImageVolumeFacts, AreHostPathsWithoutState) {
  InPrivateMounts([] {
    for (const Made& made : MakeAll()) {
      SCOPED_TRACE(made.engine);
      Made other = made;
      other.subject.layout.id = engine::kOther;
      if (made.engine.starts_with("podman")) WriteFile(engine::kImageList, "[]");
      other.subject.pod.sandbox = engine::kOther;
      const policy::Effective policy = Parsed("{}");
      const rules::Facts facts = Gathered(other, policy);
      EXPECT_TRUE(facts.Get<rules::ImageFacts>().volumes.empty());
      EXPECT_THAT(RefusalOf(Decide(other.spec, policy, facts, rules::Scope::kContainer)),
                  HasSubstr("host-mounts: "));
    }
  });
}

// A bind of such a place that asks for a writable one.
TEST(ImageVolumeFacts, NeverMakeAnImageWritable) {
  InPrivateMounts([] {
    for (const Made& made : MakeAll()) {
      if (made.engine.starts_with("podman")) continue;
      SCOPED_TRACE(made.engine);
      json::Document document = made.spec.document();
      document["mounts"][0]["options"] = {"rbind", "rw"};
      const Made writable{made.engine, made.subject, *oci::Spec::Parse(document.dump())};
      for (const char* profile : {R"({"extends": "restricted"})", R"({"extends": "baseline"})"}) {
        const policy::Effective policy = Parsed(profile);
        const Decision decision =
            Decide(writable.spec, policy, Gathered(writable, policy), rules::Scope::kContainer);
        EXPECT_EQ(RefusalOf(decision), "");
        EXPECT_THAT(decision.spec.mounts().front().options,
                    IsSupersetOf({"ro", "nosuid", "nodev", "noexec"}));
      }
    }
  });
}

}  // namespace
}  // namespace runclad::enforce::image_volume_facts_test
