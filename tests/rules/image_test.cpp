#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rule_test.hpp"

namespace runclad::rules {
namespace {

using engine::Tier;
using testing::HasSubstr;

const std::string kConfig = "sha256:" + std::string(64, 'c');
const std::string kManifest = "sha256:" + std::string(64, 'd');
const std::string kOther = "sha256:" + std::string(64, 'e');

engine::Reference Ref(const std::string& text) { return *engine::ParseReference(text); }

Facts ImageFacts(const std::vector<std::string>& names) {
  Facts facts;
  facts.identity.config_digest = kConfig;
  facts.identity.manifest_digests = {kManifest};
  for (const std::string& name : names) facts.identity.names.push_back({Ref(name), Tier::kTag});
  return facts;
}

policy::Parameters Lists(std::vector<std::string> allow, std::vector<std::string> deny = {},
                         bool only_listed = true) {
  policy::Parameters parameters;
  parameters.Set("allow", std::move(allow));
  parameters.Set("deny", std::move(deny));
  parameters.Set("only-listed", only_listed);
  return parameters;
}

// The refusal's sentence, "" when the image may run.
std::string Judge(const Facts& facts, const policy::Parameters& parameters) {
  const auto decision = DecideBy("image", "{}", parameters, facts);
  EXPECT_NE(decision.outcome, enforce::Outcome::kRewritten);
  return enforce::RefusalSentence(decision);
}

TEST(Image, WithoutListsAnythingRuns) {
  EXPECT_EQ(Judge(ImageFacts({"nginx:1"}), {}), "");
  EXPECT_EQ(Judge({}, {}), "");
}

TEST(Image, OnlyWhatIsListedRuns) {
  struct Case {
    const char* name;
    std::vector<std::string> allow;
    bool runs;
  };
  const Case cases[] = {
      {"the repository", {"docker.io/library/nginx"}, true},
      {"the name with its tag", {"docker.io/library/nginx:1"}, true},
      {"everything below a folder", {"docker.io/library/*"}, true},
      {"everything of a registry", {"docker.io/*"}, true},
      {"the config digest", {kConfig}, true},
      {"the manifest digest", {kManifest}, true},
      {"nothing", {}, false},
      {"another tag", {"docker.io/library/nginx:2"}, false},
      {"a repository that begins alike", {"docker.io/library/ngin"}, false},
      {"a folder that begins alike", {"docker.io/lib/*"}, false},
      {"another digest", {kOther}, false},
  };
  for (const auto& [name, allow, runs] : cases) {
    EXPECT_EQ(Judge(ImageFacts({"nginx:1"}), Lists(allow)).empty(), runs) << name;
  }
}

TEST(Image, EveryNameMustBeListedUnlessOneWasAskedFor) {
  Facts facts = ImageFacts({"nginx:1", "me/app:2"});
  const auto lists = Lists({"docker.io/library/nginx"});
  EXPECT_NE(Judge(facts, lists), "");
  facts.identity.asked_for = Ref("nginx:1");
  EXPECT_EQ(Judge(facts, lists), "");
  facts.identity.asked_for = Ref("me/app:2");
  EXPECT_THAT(Judge(facts, lists),
              HasSubstr("refused by image: image \"docker.io/me/app:2\" is not listed in "
                        "image.allow"));
}

TEST(Image, ADeniedNameOrDigestDeniesTheImageUnderEveryOther) {
  Facts facts = ImageFacts({"nginx:1", "me/app:2"});
  facts.identity.asked_for = Ref("nginx:1");
  for (const std::string& denied :
       {std::string("docker.io/me/app"), std::string("docker.io/me/*"), kConfig, kManifest}) {
    EXPECT_NE(Judge(facts, Lists({"docker.io/library/nginx"}, {denied})), "") << denied;
    EXPECT_NE(Judge(facts, Lists({}, {denied}, /*only_listed=*/false)), "") << denied;
  }
  EXPECT_EQ(Judge(facts, Lists({}, {"docker.io/me/other", kOther}, /*only_listed=*/false)), "");
}

TEST(Image, AnUnknownImageIsNotListed) {
  Facts facts;
  facts.identity.unknown_because = "containers/abc/config.v2.json cannot be opened (ENOENT)";
  EXPECT_THAT(Judge(facts, Lists({"docker.io/*"})),
              HasSubstr("image (absent) is unknown: containers/abc/config.v2.json cannot be"));
  policy::Parameters known_only;
  known_only.Set("known-only", true);
  EXPECT_NE(Judge(facts, known_only), "");
  EXPECT_EQ(Judge(ImageFacts({}), known_only), "");
}

TEST(Image, APinnedNameMeansItsDigests) {
  Facts facts = ImageFacts({"nginx:1"});
  facts.mispinned_name = "docker.io/library/nginx:1";
  facts.pinned_digests = {kOther};
  EXPECT_THAT(Judge(facts, {}),
              HasSubstr("refused by image: image \"docker.io/library/nginx:1\" is made of " +
                        kConfig + ", and the name is pinned to " + kOther));
}

}  // namespace
}  // namespace runclad::rules
