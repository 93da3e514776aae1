// What an image's files, found by its names and digests, make of the host's policy. Long: each case
// has whole files.
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../parameter_values.hpp"
#include "test_rules.hpp"

namespace runclad::policy::image_layers_test {
namespace {

namespace fs = std::filesystem;
using engine::Tier;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

const std::string kConfig = "sha256:" + std::string(64, 'c');
const std::string kManifest = "sha256:" + std::string(64, 'd');
const std::string kOther = "sha256:" + std::string(64, 'e');
constexpr std::int64_t kToday = 20779;  // 2026-11-22

engine::Reference Ref(const std::string& text) {
  const auto reference = engine::ParseReference(text);
  EXPECT_TRUE(reference) << text;
  return reference ? *reference : engine::Reference();
}

class ImageLayers : public ::testing::Test {
 protected:
  ImageLayers() {
    std::string name = fs::canonical(::testing::TempDir()) / "runclad-images-XXXXXX";
    base_ = mkdtemp(name.data());
    fs::create_directories(base_ / "etc");
    fs::create_directories(base_ / "shipped");
    identity_.config_digest = kConfig;
    identity_.manifest_digests = {kManifest};
  }
  ~ImageLayers() override { fs::remove_all(base_); }
  ImageLayers(const ImageLayers&) = delete;
  ImageLayers& operator=(const ImageLayers&) = delete;
  ImageLayers(ImageLayers&&) = delete;
  ImageLayers& operator=(ImageLayers&&) = delete;

  // `path` below etc/ or shipped/.
  void Write(const std::string& path, const std::string& text) const {
    const fs::path file = base_ / path;
    fs::create_directories(file.parent_path());
    std::ofstream(file) << text;
    ASSERT_EQ(chmod(file.c_str(), 0644), 0);
  }
  void Named(const std::string& text, Tier tier = Tier::kTag) {
    identity_.names.push_back({Ref(text), tier});
  }
  [[nodiscard]] Result<Effective> LoadIt(bool origins = false) const {
    const std::string shipped = base_ / "shipped";
    return Load(base_ / "etc", kRules,
                {.identity = &identity_,
                 .today = kToday,
                 .shipped_directory = shipped,
                 .origins = origins,
                 .profile = TestProfile});
  }
  [[nodiscard]] Effective Loaded(bool origins = false) const {
    auto policy = LoadIt(origins);
    EXPECT_TRUE(policy) << policy.error().message;
    return policy ? *std::move(policy) : Effective();
  }
  [[nodiscard]] std::vector<std::string> Capabilities() const {
    return StringsOf(Loaded().rule("capabilities").parameters, "allow");
  }

  fs::path base_;
  engine::Identity identity_;
};

std::string Allow(const std::string& names) {
  return R"({"rules": {"capabilities": {"allow": [)" + names + "]}}}";
}

TEST_F(ImageLayers, AnImageWithoutAFileGetsTheHostsPolicy) {
  Named("nginx:1.27");
  const Effective policy = Loaded();
  EXPECT_THAT(StringsOf(policy.rule("capabilities").parameters, "allow"),
              ElementsAre("CAP_NET_BIND_SERVICE"));
  EXPECT_EQ(policy.image.tier, Tier::kNone);
  EXPECT_THAT(policy.image.files, IsEmpty());
}

TEST_F(ImageLayers, AreMergedFromTheRegistryToTheTag) {
  Named("nginx:1.27");
  Write("etc/images/_default.json", R"({"rules": {"pids-limit": {"default": 1}}})");
  Write("etc/images/docker.io/_default.json", R"({"rules": {"pids-limit": {"default": 2}}})");
  Write("etc/images/docker.io/library/_default.json", Allow("\"CHOWN\""));
  Write("etc/images/docker.io/library/nginx.json",
        R"({"rules": {"pids-limit": {"default": 3}},
            "tags": {"1.27": {"rules": {"pids-limit": {"default": 4}}},
                     "1.28": {"rules": {"pids-limit": {"default": 5}}}}})");
  const Effective policy = Loaded(/*origins=*/true);
  EXPECT_EQ(IntegerOf(policy.rule("pids-limit").parameters, "default"), 4);
  EXPECT_THAT(StringsOf(policy.rule("capabilities").parameters, "allow"), ElementsAre("CAP_CHOWN"));
  EXPECT_THAT(
      policy.image.files,
      ElementsAre("images/_default.json", "images/docker.io/_default.json",
                  "images/docker.io/library/_default.json", "images/docker.io/library/nginx.json"));
  EXPECT_EQ(ToText(policy.origins.at("pids-limit/default")),
            "images/docker.io/library/nginx.json:2");
  EXPECT_EQ(ToText(policy.origins.at("capabilities/allow")),
            "images/docker.io/library/_default.json:1");
  EXPECT_THAT(policy.image.names, ElementsAre("docker.io/library/nginx:1.27"));
}

TEST_F(ImageLayers, TheShippedFileAppliesIfThePolicyHasNone) {
  Named("nginx:1.27");
  Write("shipped/images/docker.io/library/nginx.json", Allow("\"KILL\""));
  EXPECT_THAT(Capabilities(), ElementsAre("CAP_KILL"));
  Write("etc/images/docker.io/library/nginx.json", Allow("\"CHOWN\""));
  EXPECT_THAT(Capabilities(), ElementsAre("CAP_CHOWN"));
}

TEST_F(ImageLayers, ATagIsTrustedUpToDockersDefault) {
  Named("nginx:1.27");
  Write("etc/images/docker.io/library/nginx.json",
        R"({"rules": {"capabilities": {"allow": ["CHOWN", "NET_ADMIN", "SYS_ADMIN"],
                                       "unlisted": "fix"},
                      "host-mounts": {"allow": ["/srv/shared", "/srv/data"]},
                      "pids-limit": {"default": 60000, "maximum": 60000}}})");
  const Effective policy = Loaded();
  EXPECT_EQ(policy.image.tier, Tier::kTag);
  EXPECT_THAT(StringsOf(policy.rule("capabilities").parameters, "allow"), ElementsAre("CAP_CHOWN"));
  // The host itself says fix, so that a tag may.
  EXPECT_EQ(TextOf(policy.rule("capabilities").parameters, "unlisted"), "fix");
  EXPECT_THAT(StringsOf(policy.rule("host-mounts").parameters, "allow"),
              ElementsAre("/srv/shared"));
  EXPECT_EQ(IntegerOf(policy.rule("pids-limit").parameters, "default"), 60000);  // Docker: no limit
  EXPECT_EQ(IntegerOf(policy.rule("pids-limit").parameters, "maximum"), 4096);
  std::vector<std::string> cuts;
  for (const Cut& cut : policy.cuts) cuts.push_back(cut.parameter + " " + cut.value);
  EXPECT_THAT(cuts,
              ElementsAre("capabilities/allow CAP_NET_ADMIN", "capabilities/allow CAP_SYS_ADMIN",
                          "host-mounts/allow /srv/data", "pids-limit/maximum 60000"));
}

TEST_F(ImageLayers, ATagMayHaveWhatTheHostHas) {
  Named("nginx:1.27");
  Write("etc/policy.json", Allow("\"NET_ADMIN\""));
  Write("etc/images/docker.io/library/nginx.json", Allow("\"NET_ADMIN\", \"SYS_ADMIN\""));
  EXPECT_THAT(Capabilities(), ElementsAre("CAP_NET_ADMIN"));
}

TEST_F(ImageLayers, TrustLimitsEachTier) {
  struct Case {
    Tier tier;
    const char* trust;
    std::vector<std::string> capabilities;
  };
  const Case cases[] = {
      {Tier::kTag, R"({})", {"CAP_CHOWN"}},
      {Tier::kTag, R"({"trust": {"tag": "nothing"}})", {}},
      {Tier::kTag, R"({"trust": {"tag": "unlimited"}})", {"CAP_CHOWN", "CAP_NET_ADMIN"}},
      {Tier::kRepositoryDigest, R"({})", {"CAP_CHOWN", "CAP_NET_ADMIN"}},
      {Tier::kRepositoryDigest,
       R"({"trust": {"repository-digest": "docker-default"}})",
       {"CAP_CHOWN"}},
      {Tier::kRepositoryDigest, R"({"trust": {"repository-digest": "nothing"}})", {}},
  };
  for (const auto& [tier, trust, capabilities] : cases) {
    identity_.names.clear();
    Named("nginx:1.27");
    if (tier == Tier::kRepositoryDigest) Named("nginx@" + kManifest, tier);
    Write("etc/policy.json", trust);
    Write("etc/images/docker.io/library/nginx.json", Allow("\"CHOWN\", \"NET_ADMIN\""));
    EXPECT_EQ(Capabilities(), capabilities) << trust;
    EXPECT_EQ(Loaded().image.tier, tier);
  }
}

TEST_F(ImageLayers, APullVerifiesTheRepositoryButNotTheTag) {
  Named("nginx:1.27");
  Named("nginx@" + kManifest, Tier::kRepositoryDigest);
  Write("etc/images/docker.io/library/nginx.json",
        R"({"tags": {"1.27": {"rules": {"capabilities": {"allow": ["NET_ADMIN"]}}}}})");
  EXPECT_THAT(Capabilities(), IsEmpty());
}

TEST_F(ImageLayers, DenyListsOnlyGrow) {
  Named("nginx:1.27");
  Write("etc/policy.json", R"({"trust": {"tag": "unlimited"}})");
  Write("etc/images/docker.io/library/nginx.json",
        R"({"rules": {"host-mounts": {"deny": ["/srv/secrets"]}}})");
  EXPECT_THAT(StringsOf(Loaded().rule("host-mounts").parameters, "deny"),
              ElementsAre("/etc", "/run", "/srv/secrets"));
}

TEST_F(ImageLayers, AWeakerActionNeedsAWaiver) {
  Named("nginx:1.27");
  Write("etc/policy.json", R"({"trust": {"tag": "unlimited"}})");
  Write("etc/images/docker.io/library/nginx.json",
        "{\"rules\": {\n\"capabilities\": {\"action\": \"warn\"},\n"
        "\"pids-limit\": {\"action\": \"refuse\"}}}");
  const Effective policy = Loaded(/*origins=*/true);
  EXPECT_EQ(policy.rule("capabilities").action, Action::kFix);
  EXPECT_EQ(policy.rule("pids-limit").action, Action::kRefuse);  // a stronger one is welcome
  ASSERT_EQ(policy.cuts.size(), 1U);
  EXPECT_EQ(policy.cuts[0].source, "images/docker.io/library/nginx.json:2");
  EXPECT_EQ(policy.cuts[0].parameter, "capabilities/action");
  EXPECT_EQ(policy.cuts[0].value, "warn");
  EXPECT_EQ(policy.cuts[0].because, "is weaker and needs a waiver");
}

class ImageWaivers : public ImageLayers {
 protected:
  ImageWaivers() { Named("nginx:1.27"); }
  // An image's file with one waiver, whose further members are `members`.
  void Waive(const std::string& members) const {
    Write("etc/images/docker.io/library/nginx.json",
          R"({"waivers": [{"reason": "exporter", )" + members + "}]}");
  }
};

TEST_F(ImageWaivers, NeedTheHostsTrust) {
  Waive(R"("rule": "capabilities", "allow": ["NET_ADMIN"])");
  const Effective policy = Loaded();
  EXPECT_THAT(StringsOf(policy.rule("capabilities").parameters, "allow"),
              ElementsAre("CAP_NET_BIND_SERVICE"));
  ASSERT_EQ(policy.waivers.size(), 1U);
  EXPECT_EQ(policy.waivers[0].void_because,
            "the host's trust setting does not cover waivers for this name");
}

TEST_F(ImageWaivers, ExtendAllowListsAndReduceDenyLists) {
  Write("etc/policy.json", R"({"trust": {"tag": "unlimited"}})");
  Write("etc/images/docker.io/library/nginx.json",
        R"({"waivers": [
             {"rule": "capabilities", "allow": ["NET_ADMIN"], "reason": "a"},
             {"rule": "host-mounts", "deny": ["/run"], "action": "off", "reason": "b"},
             {"rule": "pids-limit", "default": 9, "reason": "c", "expires": "2026-11-22"}]})");
  const Effective policy = Loaded();
  EXPECT_THAT(StringsOf(policy.rule("capabilities").parameters, "allow"),
              ElementsAre("CAP_NET_BIND_SERVICE", "CAP_NET_ADMIN"));
  EXPECT_THAT(StringsOf(policy.rule("host-mounts").parameters, "deny"), ElementsAre("/etc"));
  EXPECT_EQ(policy.rule("host-mounts").action, Action::kOff);
  EXPECT_EQ(IntegerOf(policy.rule("pids-limit").parameters, "default"),
            9);  // until the day is over
  EXPECT_EQ(policy.waivers.size(), 3U);
  for (const WaiverUse& waiver : policy.waivers) EXPECT_EQ(waiver.void_because, "");
}

TEST_F(ImageWaivers, ExpireAfterTheirLastDay) {
  Write("etc/policy.json", R"({"trust": {"tag": "unlimited"}})");
  Waive(R"("rule": "capabilities", "allow": ["NET_ADMIN"], "expires": "2026-11-21")");
  const Effective policy = Loaded();
  EXPECT_THAT(StringsOf(policy.rule("capabilities").parameters, "allow"),
              ElementsAre("CAP_NET_BIND_SERVICE"));
  ASSERT_EQ(policy.waivers.size(), 1U);
  EXPECT_EQ(policy.waivers[0].void_because, "expired");
  EXPECT_EQ(policy.waivers[0].expires, "2026-11-21");
}

TEST_F(ImageWaivers, MustExpireIfThePolicyRequiresIt) {
  Write("etc/policy.json", R"({"trust": {"tag": "unlimited"}, "waiver-expiry": "required"})");
  Waive(R"("rule": "capabilities", "allow": ["NET_ADMIN"])");
  const Effective policy = Loaded();
  EXPECT_THAT(StringsOf(policy.rule("capabilities").parameters, "allow"),
              ElementsAre("CAP_NET_BIND_SERVICE"));
  ASSERT_EQ(policy.waivers.size(), 1U);
  EXPECT_EQ(policy.waivers[0].void_because, "has no expires, which the policy requires");
}

TEST_F(ImageWaivers, OfEveryRuleAreAuditModeForTheImage) {
  Write("etc/policy.json", R"({"trust": {"tag": "unlimited"}})");
  Waive(R"("rule": "*", "expires": "2026-12-31")");
  EXPECT_EQ(Loaded().mode, Mode::kAudit);
  Waive(R"("rule": "*", "expires": "2026-11-01")");
  EXPECT_EQ(Loaded().mode, Mode::kEnforce);
}

TEST_F(ImageWaivers, OfTheHostApplyToEveryImage) {
  Write("etc/policy.json",
        R"({"waivers": [{"rule": "capabilities", "allow": ["KILL"], "reason": "ours"}]})");
  Write("etc/images/docker.io/library/nginx.json", Allow("\"CHOWN\""));
  EXPECT_THAT(Capabilities(), ElementsAre("CAP_CHOWN", "CAP_KILL"));
}

TEST_F(ImageLayers, OnlyTheRequestedNameApplies) {
  Named("me/app:1");
  Named("nginx:1.27");
  Write("etc/images/docker.io/library/nginx.json", Allow("\"CHOWN\""));
  identity_.asked_for = Ref("me/app:1");
  EXPECT_THAT(Capabilities(), ElementsAre("CAP_NET_BIND_SERVICE"));
  identity_.asked_for = Ref("nginx:1.27");
  EXPECT_THAT(Capabilities(), ElementsAre("CAP_CHOWN"));
}

TEST_F(ImageLayers, SeveralNamesGrantOnlyWhatAllGrant) {
  Named("me/app:1");
  Named("me/other:1");
  Named("nginx:1.27");
  Write("etc/images/docker.io/library/nginx.json",
        R"({"rules": {"capabilities": {"allow": ["CHOWN", "KILL"]}, "pids-limit": {"default": 9},
                      "host-mounts": {"deny": ["/a"]}}})");
  Write("etc/images/docker.io/me/app.json",
        R"({"rules": {"capabilities": {"allow": ["KILL"]}, "host-mounts": {"deny": ["/b"]},
                      "pids-limit": {"default": 10, "action": "refuse"}}})");
  const Effective policy = Loaded();
  EXPECT_THAT(StringsOf(policy.rule("capabilities").parameters, "allow"), ElementsAre("CAP_KILL"));
  EXPECT_THAT(StringsOf(policy.rule("host-mounts").parameters, "deny"),
              UnorderedElementsAre("/etc", "/run", "/a", "/b"));
  EXPECT_EQ(IntegerOf(policy.rule("pids-limit").parameters, "default"), 9);
  EXPECT_EQ(policy.rule("pids-limit").action, Action::kRefuse);
  // me/other has no file, and so no say.
  EXPECT_THAT(policy.image.names,
              UnorderedElementsAre("docker.io/me/app:1", "docker.io/library/nginx:1.27"));
}

TEST_F(ImageLayers, APinnedDigestIsTrustedAsADigest) {
  Named("nginx:1.27");
  for (const std::string& pinned : {kConfig, kManifest}) {
    Write("etc/images/docker.io/library/nginx.json",
          R"({"rules": {"capabilities": {"allow": ["NET_ADMIN"]}}, "digests": [")" + kOther +
              "\", \"" + pinned + "\"]}");
    const Effective policy = Loaded();
    EXPECT_THAT(StringsOf(policy.rule("capabilities").parameters, "allow"),
                ElementsAre("CAP_NET_ADMIN"));
    EXPECT_EQ(policy.image.tier, Tier::kDigest);
    EXPECT_EQ(policy.image.pin, pinned);
    EXPECT_EQ(policy.image.mispinned_name, "");
  }
}

TEST_F(ImageLayers, ReportAnotherImageUnderAPinnedName) {
  Named("nginx:1.27");
  Write("etc/images/docker.io/library/nginx.json",
        R"({"rules": {"capabilities": {"allow": ["NET_ADMIN"]}}, "digests": [")" + kOther + "\"]}");
  const Effective policy = Loaded();
  EXPECT_THAT(StringsOf(policy.rule("capabilities").parameters, "allow"), IsEmpty());
  EXPECT_EQ(policy.image.mispinned_name, "docker.io/library/nginx:1.27");
  EXPECT_THAT(policy.image.pinned, ElementsAre(kOther));
}

// Another spelling of a name, say, which an engine does not give to images.
TEST_F(ImageLayers, ANameThatProvesNothingCanOnlyDeny) {
  Write("etc/images/docker.io/library/nginx.json",
        R"({"rules": {"capabilities": {"allow": ["NET_ADMIN"]}}, "digests": [")" + kOther + "\"]}");
  Write("etc/images/docker.io/me/free.json", Allow("\"CHOWN\""));
  Write("etc/images/docker.io/me/app.json", Allow("\"CHOWN\""));
  Named("me/free:1", Tier::kNone);
  EXPECT_THAT(Capabilities(), IsEmpty()) << "the file can only take away";
  Named("me/app:1");
  identity_.asked_for = Ref("me/app:1");
  EXPECT_THAT(Capabilities(), ElementsAre("CAP_CHOWN")) << "another name was asked for";
  identity_.asked_for.reset();
  Named("me/unlisted:1", Tier::kNone);
  Named("nginx:1.27", Tier::kNone);
  EXPECT_EQ(Loaded().image.mispinned_name, "docker.io/library/nginx:1.27");
  identity_.asked_for = Ref("me/app:1");
  EXPECT_EQ(Loaded().image.mispinned_name, "");
}

TEST_F(ImageLayers, ReportAPinnedNameOfAnUnverifiedImage) {
  struct Case {
    const char* name;
    const char* pinned;  // empty: no name of the image is
  };
  const std::string other = "\"" + kOther + "\"";
  Write("etc/images/docker.io/library/nginx.json",
        R"({"rules": {"capabilities": {"allow": ["NET_ADMIN"]}}, "digests": [)" + other + "]}");
  Write("etc/images/docker.io/me/tagged.json", R"({"tags": {"1": {"digests": [)" + other + "]}}}");
  Write("etc/images/docker.io/me/free.json",
        R"({"rules": {"capabilities": {"allow": ["NET_ADMIN"]}}})");
  Write("shipped/images/docker.io/me/shipped.json", R"({"digests": [)" + other + "]}");
  identity_ = {};
  for (const Case& one :
       {Case{"nginx:1", "docker.io/library/nginx:1"}, Case{"me/tagged:1", "docker.io/me/tagged:1"},
        Case{"me/tagged:2", ""}, Case{"me/free:1", ""}, Case{"me/none:1", ""},
        Case{"me/shipped:1", "docker.io/me/shipped:1"}}) {
    SCOPED_TRACE(one.name);
    identity_.unverified = {.names = {Ref("me/none:2"), Ref(one.name)}, .digests = {}};
    const Effective policy = Loaded();
    EXPECT_EQ(policy.image.mispinned_name, one.pinned);
    EXPECT_THAT(StringsOf(policy.rule("capabilities").parameters, "allow"),
                ElementsAre("CAP_NET_BIND_SERVICE"));
    EXPECT_THAT(policy.image.files, IsEmpty());
  }
  // A name with a digest may be any of its tags.
  identity_.unverified->names = {Ref("me/tagged@" + kManifest)};
  EXPECT_EQ(Loaded().image.mispinned_name, "docker.io/me/tagged");
  // Names that nobody could read may be any.
  identity_.unverified = {.names = {}, .digests = {}, .may_have_other_names = true};
  EXPECT_NE(Loaded().image.mispinned_name, "");
  fs::remove_all(base_ / "etc/images/docker.io/library");
  fs::remove(base_ / "etc/images/docker.io/me/tagged.json");
  EXPECT_EQ(Loaded().image.mispinned_name, "docker.io/me/shipped");
  fs::remove_all(base_ / "shipped/images");
  EXPECT_EQ(Loaded().image.mispinned_name, "");
}

TEST_F(ImageLayers, TheDigestsOfATagReplaceThoseOfTheRepository) {
  Named("nginx:1.27");
  Write(
      "etc/images/docker.io/library/nginx.json",
      R"({"digests": [")" + kOther + R"("], "tags": {"1.27": {"digests": [")" + kConfig + "\"]}}}");
  const Effective policy = Loaded();
  EXPECT_EQ(policy.image.pin, kConfig);
  EXPECT_EQ(policy.image.mispinned_name, "");
}

TEST_F(ImageLayers, ADigestFileOverridesNames) {
  Named("nginx:1.27");
  Write("etc/images/docker.io/library/nginx.json",
        R"({"rules": {"capabilities": {"allow": ["CHOWN"]}, "pids-limit": {"default": 9}}})");
  const std::string hex = kConfig.substr(kConfig.find(':') + 1);
  Write("etc/digests/sha256/" + hex + ".json", Allow("\"SYS_ADMIN\""));
  const Effective policy = Loaded();
  EXPECT_THAT(StringsOf(policy.rule("capabilities").parameters, "allow"),
              ElementsAre("CAP_SYS_ADMIN"));
  EXPECT_EQ(IntegerOf(policy.rule("pids-limit").parameters, "default"), 9);
}

TEST_F(ImageLayers, APodFileNeedsAVerifiedPod) {
  Write("etc/pods/monitoring.json",
        R"({"waivers": [{"rule": "capabilities", "allow": ["SYS_PTRACE"], "reason": "tracing"}]})");
  EXPECT_THAT(Capabilities(), ElementsAre("CAP_NET_BIND_SERVICE"));
  identity_.pod_namespace = "monitoring";
  EXPECT_THAT(Capabilities(), ElementsAre("CAP_NET_BIND_SERVICE", "CAP_SYS_PTRACE"));
  identity_.pod_namespace = "../pods/monitoring";
  EXPECT_THAT(Capabilities(), ElementsAre("CAP_NET_BIND_SERVICE"));
}

TEST_F(ImageLayers, DropInsOverrideThePolicy) {
  Write("etc/policy.json", R"({"mode": "audit", "rules": {"pids-limit": {"default": 1}}})");
  Write("etc/policy.d/20-b.json", R"({"rules": {"pids-limit": {"default": 3}}})");
  Write("etc/policy.d/10-a.json",
        R"({"mode": "enforce", "rules": {"pids-limit": {"default": 2}}})");
  Write("etc/policy.d/.hidden.json", "not JSON");
  Write("etc/policy.d/notes.txt", "not JSON");
  const Effective policy = Loaded(/*origins=*/true);
  EXPECT_EQ(policy.mode, Mode::kEnforce);
  EXPECT_EQ(IntegerOf(policy.rule("pids-limit").parameters, "default"), 3);
  EXPECT_EQ(ToText(policy.origins.at("pids-limit/default")), "policy.d/20-b.json:1");
}

TEST_F(ImageLayers, AFaultInAnyFileIsAnErrorThatNamesTheFile) {
  Named("nginx:1.27");
  const std::string hex = kManifest.substr(kManifest.find(':') + 1);
  for (const std::string path :
       {"policy.d/10-a.json", "images/_default.json", "images/docker.io/library/_default.json",
        "images/docker.io/library/nginx.json"}) {
    Write("etc/" + path, "{\n\"rule\": {}}");
    const auto policy = LoadIt();
    ASSERT_FALSE(policy) << path;
    EXPECT_EQ(policy.error().message, "policy " + (base_ / "etc" / path).string() +
                                          " line 2: unknown key \"rule\"; did you mean \"rules\"?");
    fs::remove(base_ / "etc" / path);
  }
  Write("etc/digests/sha256/" + hex + ".json", "{");
  const auto policy = LoadIt();
  ASSERT_FALSE(policy);
  EXPECT_THAT(policy.error().message, HasSubstr("digests/sha256/" + hex + ".json line 1"));
}

TEST_F(ImageLayers, RejectFilesThatOthersCanWrite) {
  Named("nginx:1.27");
  const std::string file = "images/docker.io/library/nginx.json";
  Write("etc/" + file, "{}");
  ASSERT_TRUE(LoadIt());
  for (const std::string part : {"images", "images/docker.io", "images/docker.io/library",
                                 "images/docker.io/library/nginx.json"}) {
    const fs::path path = base_ / "etc" / part;
    const auto mode = fs::status(path).permissions();
    fs::permissions(path, fs::perms::group_write, fs::perm_options::add);
    const auto policy = LoadIt();
    ASSERT_FALSE(policy) << part;
    EXPECT_EQ(policy.error().message, "policy " + (base_ / "etc").string() + ": " + part +
                                          " is writable by others than its owner");
    fs::permissions(path, mode);
  }
  fs::rename(base_ / "etc/images/docker.io", base_ / "elsewhere");
  fs::create_directory_symlink(base_ / "elsewhere", base_ / "etc/images/docker.io");
  EXPECT_FALSE(LoadIt());
}

// The repository docker.io/library/nginx.json/exporter has one, and a user of dockerd can have one
// made at any path.
TEST_F(ImageLayers, ADirectoryIsNoImagesFile) {
  Named("nginx:1.27");
  for (const char* path : {"docker.io/_default.json", "docker.io/library/nginx.json"}) {
    fs::create_directories(base_ / "etc/images" / path / "exporter");
  }
  EXPECT_THAT(Capabilities(), ElementsAre("CAP_NET_BIND_SERVICE"));
}

TEST_F(ImageLayers, AnUnknownIdentityGetsTheHostsPolicy) {
  identity_ = {};
  Write("etc/images/_default.json", Allow("\"CHOWN\""));
  EXPECT_THAT(Capabilities(), ElementsAre("CAP_NET_BIND_SERVICE"));
}

}  // namespace
}  // namespace runclad::policy::image_layers_test
