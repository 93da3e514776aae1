// The rule image. Long: lists, pins, scans and volumes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rule_test.hpp"

namespace runclad::rules::image_test {
namespace {

using engine::Tier;
using ::testing::HasSubstr;

const std::string kConfig = "sha256:" + std::string(64, 'c');
const std::string kManifest = "sha256:" + std::string(64, 'd');
const std::string kOther = "sha256:" + std::string(64, 'e');

engine::Reference Ref(const std::string& text) { return *engine::ParseReference(text); }

Facts NamedFacts(const std::vector<std::string>& names) {
  Facts facts;
  facts.Get<engine::Identity>().config_digest = kConfig;
  facts.Get<engine::Identity>().manifest_digests = {kManifest};
  for (const std::string& name : names)
    facts.Get<engine::Identity>().names.push_back({Ref(name), Tier::kTag});
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
  if (facts.Get<ImageFacts>().volumes.empty())
    ExpectRemediesHelp("image", SpecOf("{}"), parameters, facts);
  const auto decision = DecideBy("image", "{}", parameters, facts);
  EXPECT_NE(decision.outcome, enforce::Outcome::kRewritten);
  return enforce::RefusalSentence(decision);
}

TEST(Image, WithoutListsEveryImageRuns) {
  EXPECT_EQ(Judge(NamedFacts({"nginx:1"}), {}), "");
  EXPECT_EQ(Judge({}, {}), "");
}

TEST(Image, OnlyListedImagesRun) {
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
    EXPECT_EQ(Judge(NamedFacts({"nginx:1"}), Lists(allow)).empty(), runs) << name;
  }
}

TEST(Image, EveryNameMustBeListedUnlessOneWasRequested) {
  Facts facts = NamedFacts({"nginx:1", "me/app:2"});
  const auto lists = Lists({"docker.io/library/nginx"});
  EXPECT_NE(Judge(facts, lists), "");
  facts.Get<engine::Identity>().asked_for = Ref("nginx:1");
  EXPECT_EQ(Judge(facts, lists), "");
  facts.Get<engine::Identity>().asked_for = Ref("me/app:2");
  EXPECT_THAT(Judge(facts, lists),
              HasSubstr("refused by image: image \"docker.io/me/app:2\" is not listed in "
                        "image.allow"));
}

TEST(Image, ADeniedNameOrDigestDeniesAllNames) {
  Facts facts = NamedFacts({"nginx:1", "me/app:2"});
  facts.Get<engine::Identity>().asked_for = Ref("nginx:1");
  for (const std::string& denied :
       {std::string("docker.io/me/app"), std::string("docker.io/me/*"), kConfig, kManifest}) {
    EXPECT_NE(Judge(facts, Lists({"docker.io/library/nginx"}, {denied})), "") << denied;
    EXPECT_NE(Judge(facts, Lists({}, {denied}, /*only_listed=*/false)), "") << denied;
  }
  EXPECT_EQ(Judge(facts, Lists({}, {"docker.io/me/other", kOther}, /*only_listed=*/false)), "");
}

TEST(Image, AnUnknownImageIsUnlisted) {
  Facts facts;
  facts.Get<engine::Identity>().unknown_because =
      "containers/abc/config.v2.json cannot be opened (ENOENT)";
  EXPECT_THAT(Judge(facts, Lists({"docker.io/*"})),
              HasSubstr("image (absent) is unknown: containers/abc/config.v2.json cannot be"));
  policy::Parameters known_only;
  known_only.Set("known-only", true);
  EXPECT_NE(Judge(facts, known_only), "");
  EXPECT_EQ(Judge(NamedFacts({}), known_only), "");
}

TEST(Image, APinnedNameRequiresItsDigests) {
  Facts facts = NamedFacts({"nginx:1"});
  facts.Get<ImageFacts>().mispinned_name = "docker.io/library/nginx:1";
  facts.Get<ImageFacts>().pinned_digests = {kOther};
  EXPECT_THAT(Judge(facts, {}),
              HasSubstr("refused by image: image \"docker.io/library/nginx:1\" is made of " +
                        kConfig + ", and the name is pinned to " + kOther));
}

TEST(Image, AnUnverifiedImageIsRefusedUnderAPinnedName) {
  Facts facts;
  facts.Get<engine::Identity>().unverified = {.names = {Ref("nginx:1"), Ref("docker.io/me/app:2")},
                                              .digests = {kConfig},
                                              .may_have_other_names = false};
  facts.Get<engine::Identity>().unknown_because = "its config has a member twice";
  EXPECT_EQ(Judge(facts, {}), "");
  EXPECT_THAT(Judge(facts, Lists({"docker.io/*"})),
              HasSubstr("image (absent) cannot be verified: its config has a member twice"));
  for (const std::string& denied :
       {std::string("docker.io/me/app"), std::string("docker.io/me/*"), kConfig}) {
    EXPECT_THAT(Judge(facts, Lists({}, {denied}, /*only_listed=*/false)),
                HasSubstr("is listed in image.deny and cannot be verified"));
  }
  facts.Get<ImageFacts>().mispinned_name = "docker.io/library/nginx:1";
  facts.Get<ImageFacts>().pinned_digests = {kOther};
  EXPECT_THAT(Judge(facts, {}),
              HasSubstr("image \"docker.io/library/nginx:1\" is pinned to " + kOther +
                        ", and the container's image cannot be verified: its config has a member"));
  facts.Get<engine::Identity>().unverified->names.clear();
  facts.Get<engine::Identity>().unverified->may_have_other_names = true;
  EXPECT_THAT(Judge(facts, {}), HasSubstr("and may be a name of the container's image, which"));
}

struct Scan {
  const char* refuse = "off";
  const char* warn = "off";
  bool fixable_only = false;
  std::int64_t max_age_days = 36500;
  const char* missing = "allow";
};

policy::Parameters Parameters(const Scan& scan) {
  policy::Parameters parameters;
  parameters.Set("scan-refuse", std::string(scan.refuse));
  parameters.Set("scan-warn", std::string(scan.warn));
  parameters.Set("scan-fixable-only", scan.fixable_only);
  parameters.Set("scan-max-age-days", scan.max_age_days);
  parameters.Set("scan-missing", std::string(scan.missing));
  return parameters;
}

// Of each severity: fixable, without a fix; from negligible on.
Facts Scanned(const VulnerabilityCounts& counts, std::int64_t age_days = 3) {
  Facts facts = NamedFacts({"nginx:1"});
  facts.Get<ImageFacts>().scan = ScanFacts{"trivy 0.68.1", counts, age_days};
  return facts;
}

// "refused", "warned", both in the order of the findings, or "".
std::string Outcome(const Facts& facts, const Scan& scan) {
  ExpectRemediesHelp("image", SpecOf("{}"), Parameters(scan), facts);
  std::string outcome;
  const auto decision =
      enforce::Decide(SpecOf("{}"), PolicyWith("image", Parameters(scan), policy::Action::kRefuse),
                      facts, Scope::kContainer);
  for (const enforce::Applied& applied : decision.findings) {
    EXPECT_EQ(applied.finding.path, "image");
    outcome += (outcome.empty() ? "" : " ") + std::string(enforce::Name(applied.disposition));
  }
  EXPECT_EQ(decision.outcome == enforce::Outcome::kRefused,
            outcome.find("refused") != std::string::npos);
  return outcome;
}

TEST(ImageScan, AppliesSeverityThresholdAndFixState) {
  constexpr std::size_t kChoices = 6;
  const char* const thresholds[kChoices] = {"any", "low", "medium", "high", "critical", "off"};
  for (std::size_t severity = 0; severity < kSeverityNames.size(); ++severity) {
    for (const bool has_fix : {true, false}) {
      VulnerabilityCounts counts{};
      (has_fix ? counts.at(severity).fixable : counts.at(severity).unfixable) = 1;
      for (std::size_t threshold = 0; threshold < kChoices; ++threshold) {
        for (const bool fixable_only : {true, false}) {
          const bool counts_here = threshold <= severity && (has_fix || !fixable_only);
          const std::string name = std::string(kSeverityNames.at(severity)) + " against " +
                                   thresholds[threshold] + (has_fix ? ", with a fix" : "") +
                                   (fixable_only ? ", fixable only" : "");
          EXPECT_EQ(Outcome(Scanned(counts),
                            {.refuse = thresholds[threshold], .fixable_only = fixable_only}),
                    counts_here ? "refused" : "")
              << name;
          EXPECT_EQ(Outcome(Scanned(counts),
                            {.warn = thresholds[threshold], .fixable_only = fixable_only}),
                    counts_here ? "warned" : "")
              << name;
        }
      }
    }
  }
}

TEST(ImageScan, AppliesAgeAndAbsence) {
  constexpr VulnerabilityCounts kClean{};
  constexpr VulnerabilityCounts kHigh = {{{}, {}, {}, {1, 0}, {}}};
  const Facts none = NamedFacts({"nginx:1"});
  struct Case {
    const char* name;
    Facts facts;
    Scan scan;
    const char* outcome;
  };
  const Case cases[] = {
      {"nothing is asked", none, {}, ""},
      {"absent, allowed", none, {.refuse = "any", .warn = "any"}, ""},
      {"absent, warned", none, {.missing = "warn"}, "warned"},
      {"absent, refused", none, {.missing = "refuse"}, "refused"},
      {"an unknown image", {}, {.missing = "refuse"}, "refused"},
      {"clean", Scanned(kClean), {.refuse = "any", .missing = "refuse"}, ""},
      {"as old as may be", Scanned(kClean, 7), {.max_age_days = 7, .missing = "refuse"}, ""},
      {"too old", Scanned(kClean, 8), {.max_age_days = 7, .missing = "refuse"}, "refused"},
      {"too old, warned", Scanned(kClean, 8), {.max_age_days = 7, .missing = "warn"}, "warned"},
      {"too old, allowed", Scanned(kClean, 8), {.max_age_days = 7}, ""},
      {"yesterday's, today's wanted",
       Scanned(kClean, 1),
       {.max_age_days = 0, .missing = "refuse"},
       "refused"},
      {"no limit", Scanned(kClean, 50000), {.missing = "refuse"}, ""},
      {"too old and bad", Scanned(kHigh, 8), {.refuse = "high", .max_age_days = 7}, "refused"},
      {"too old and bad, warned for both",
       Scanned(kHigh, 8),
       {.warn = "high", .max_age_days = 7, .missing = "warn"},
       "warned warned"},
      {"bad enough to refuse is not warned of as well",
       Scanned(kHigh),
       {.refuse = "high", .warn = "low"},
       "refused"},
      {"bad enough to warn", Scanned(kHigh), {.refuse = "critical", .warn = "low"}, "warned"},
  };
  for (const auto& [name, facts, scan, outcome] : cases) {
    EXPECT_EQ(Outcome(facts, scan), outcome) << name;
  }
}

TEST(ImageScan, ReasonsNameCountsScannerAgeAndRemedy) {
  const VulnerabilityCounts counts = {{{9, 9}, {}, {0, 4}, {2, 3}, {1, 0}}};
  EXPECT_EQ(
      Judge(Scanned(counts), Parameters({.refuse = "medium"})),
      "refused by image: image \"docker.io/library/nginx:1\" has vulnerabilities that trivy "
      "0.68.1 found 3 days ago: 1 critical (1 fixable), 5 high (2 fixable) and 4 medium (0 "
      "fixable), and image.scan-refuse is medium (CIS 4.2, CIS 4.4); to allow exactly this, set "
      "image.scan-refuse to \"off\" in /etc/runclad/policy.json or in the image's file with its "
      "digest, "
      "see runcladctl explain image");
  EXPECT_THAT(Judge(Scanned(counts, 1), Parameters({.refuse = "medium", .fixable_only = true})),
              HasSubstr(" has vulnerabilities with a fix that trivy 0.68.1 found 1 day ago: 1 "
                        "critical and 2 high, and"));
  EXPECT_THAT(Judge(Scanned({}, 31), Parameters({.max_age_days = 30, .missing = "refuse"})),
              HasSubstr(" was last scanned 31 days ago, by trivy 0.68.1, and "
                        "image.scan-max-age-days is 30 (CIS"));
  Facts none;
  none.Get<ImageFacts>().no_scan_because = "none of its digests is known";
  EXPECT_THAT(Judge(none, Parameters({.missing = "refuse"})),
              HasSubstr("image (absent) has no valid scan: none of its digests is known (CIS"));
}

TEST(ImageScan, AppliesInAdditionToTheLists) {
  Facts facts = Scanned({{{}, {}, {}, {}, {1, 0}}});
  policy::Parameters parameters = Parameters({.refuse = "high"});
  parameters.Set("deny", std::vector<std::string>{"docker.io/library/nginx"});
  EXPECT_EQ(DecideBy("image", "{}", parameters, facts).findings.size(), 2U);
}

using Strings = std::vector<std::string>;

Strings Said(const Facts& facts, const policy::Parameters& parameters) {
  return CodesAndRemedies(DecideBy("image", "{}", parameters, facts));
}

TEST(ImageRemedies, NameTheApplicableNames) {
  Facts facts = NamedFacts({"nginx:1", "me/app:2", "me/app:3"});
  EXPECT_EQ(Said(facts, Lists({"docker.io/library/*"})),
            Strings{"unlisted: allow += docker.io/me/app:2 docker.io/me/app:3"});
  facts.Get<engine::Identity>().asked_for = Ref("me/app:2");
  EXPECT_EQ(Said(facts, Lists({})), Strings{"unlisted: allow += docker.io/me/app:2"});
  EXPECT_EQ(Said(NamedFacts({}), Lists({})), Strings{"unlisted: allow += " + kConfig});
}

TEST(ImageRemedies, RemoveTheDenyingEntries) {
  const Facts facts = NamedFacts({"nginx:1"});
  EXPECT_EQ(Said(facts, Lists({}, {"docker.io/library/*", kOther, "docker.io/library/nginx:1"})),
            Strings{"denied: waiver deny -= docker.io/library/* docker.io/library/nginx:1"});
  EXPECT_EQ(Said(facts, Lists({}, {kConfig, kManifest, kOther})),
            Strings{"denied: waiver deny -= " + kConfig + " " + kManifest});
}

TEST(ImageRemedies, AreEmptyForTheWrongImage) {
  policy::Parameters known_only;
  known_only.Set("known-only", true);
  EXPECT_EQ(Said({}, known_only), Strings{"unknown: ask: pull or build the image again"});
  Facts facts = NamedFacts({"nginx:1"});
  facts.Get<ImageFacts>().mispinned_name = "docker.io/library/nginx:1";
  facts.Get<ImageFacts>().pinned_digests = {kOther};
  EXPECT_EQ(Said(facts, {}), Strings{"pinned: ask: pull the intended image, or add this image's "
                                     "digest to the file of the name (runcladctl policy pin)"});
  facts.Get<engine::Identity>() = {};
  facts.Get<engine::Identity>().unverified = {.names = {Ref("nginx:1")}, .digests = {kConfig}};
  EXPECT_EQ(Said(facts, {}), Strings{"unverified: ask: pull or build the image again"});
  facts.Get<ImageFacts>().mispinned_name.clear();
  EXPECT_EQ(Said(facts, Lists({}, {kConfig}, false)), Strings{"denied: waiver deny -= " + kConfig});
}

TEST(ImageRemedies, OfAScanAreAThresholdOrANewerScan) {
  const Facts high = Scanned({{{9, 9}, {}, {}, {0, 3}, {}}});
  EXPECT_EQ(Said(high, Parameters({.refuse = "any"})),
            Strings{"vulnerable: scan-refuse = \"critical\""});
  EXPECT_EQ(Said(high, Parameters({.warn = "medium"})),
            Strings{"vulnerable: scan-warn = \"critical\""});
  EXPECT_EQ(Said(high, Parameters({.refuse = "any", .fixable_only = true})),
            Strings{"vulnerable: scan-refuse = \"low\""});
  EXPECT_EQ(Said(NamedFacts({"nginx:1"}), Parameters({.missing = "refuse"})),
            Strings{"not-scanned: ask: import a scan of it with runcladctl scan import"});
  EXPECT_EQ(Said(Scanned({}, 8), Parameters({.max_age_days = 7, .missing = "refuse"})),
            Strings{"old-scan: ask: import a newer scan of it with runcladctl scan import"});
}

// An image that is mounted at /v by the eighth mount, and its own policy.
Facts WithVolume(const std::vector<std::string>& names, policy::Parameters parameters,
                 policy::Action action = policy::Action::kRefuse) {
  Facts facts = NamedFacts({"nginx:1"});
  ImageVolumeFacts volume{.path = "/mounts/7", .destination = "/v", .identity = {}};
  volume.identity = NamedFacts(names).Get<engine::Identity>();
  volume.identity.config_digest = kOther;
  volume.action = action;
  volume.parameters = std::move(parameters);
  facts.Get<ImageFacts>().volumes.push_back(std::move(volume));
  return facts;
}

TEST(ImageVolume, UsesThePolicyOfItsImage) {
  const auto denied = Lists({}, {"docker.io/library/data"}, false);
  EXPECT_EQ(Judge(WithVolume({"data:1"}, {}), denied), "") << "the container's own policy";
  EXPECT_THAT(
      Judge(WithVolume({"data:1"}, denied), {}),
      HasSubstr("refused by image: /mounts/7 \"docker.io/library/data:1\" as the volume at "
                "/v is listed in image.deny (CIS 4.2, CIS 4.4); to allow exactly this, remove "
                "\"docker.io/library/data\" from image.deny with a waiver"));
  EXPECT_NE(Judge(WithVolume({"data:1"}, Lists({"docker.io/library/nginx"})), {}), "");
  EXPECT_EQ(Judge(WithVolume({"data:1"}, Lists({"docker.io/library/data"})), {}), "");
}

TEST(ImageVolume, IsRefusedForAnotherDigestOfAPinnedName) {
  Facts facts = WithVolume({"data:1"}, {});
  facts.Get<ImageFacts>().volumes[0].mispinned_name = "docker.io/library/data:1";
  facts.Get<ImageFacts>().volumes[0].pinned_digests = {kConfig};
  EXPECT_THAT(Judge(facts, {}), HasSubstr("as the volume at /v is made of " + kOther +
                                          ", and the name is pinned to " + kConfig));
}

TEST(ImageVolume, IsRefusedIfUnverifiedLikeAContainersImage) {
  policy::Parameters known_only;
  known_only.Set("known-only", true);
  const auto unverified = [](policy::Parameters parameters) {
    Facts facts = WithVolume({}, std::move(parameters));
    engine::Identity& identity = facts.Get<ImageFacts>().volumes[0].identity;
    identity = {};
    identity.unverified = {.names = {Ref("data:1")}, .digests = {kOther}};
    identity.unknown_because = "its config does not match its digest";
    return facts;
  };
  EXPECT_EQ(Judge(unverified({}), {}), "");
  EXPECT_THAT(Judge(unverified(known_only), {}),
              HasSubstr("/mounts/7 (absent) as the volume at /v cannot be verified: its config"));
  EXPECT_THAT(Judge(unverified(Lists({}, {kOther}, false)), {}),
              HasSubstr("is listed in image.deny and cannot be verified"));
  Facts pinned = unverified({});
  pinned.Get<ImageFacts>().volumes[0].mispinned_name = "docker.io/library/data:1";
  EXPECT_THAT(Judge(pinned, {}), HasSubstr("and the volume's image cannot be verified"));
}

TEST(ImageVolume, UsesTheScanOfItsImage) {
  Facts facts = WithVolume({"data:1"}, Parameters({.refuse = "high"}));
  facts.Get<ImageFacts>().volumes[0].scan =
      ScanFacts{"trivy 0.68.1", {{{}, {}, {}, {2, 0}, {}}}, 3};
  EXPECT_THAT(Judge(facts, {}), HasSubstr("as the volume at /v has vulnerabilities that trivy"));
}

TEST(ImageVolume, IgnoresWaiversOfTheContainersImage) {
  const auto outcome = [](policy::Action containers, policy::Action volumes) {
    const auto denied = Lists({}, {"docker.io/library/data", "docker.io/library/nginx"}, false);
    const auto decision =
        enforce::Decide(SpecOf("{}"), PolicyWith("image", denied, containers),
                        WithVolume({"data:1"}, denied, volumes), Scope::kContainer);
    std::vector<std::string> told;
    for (const enforce::Applied& applied : decision.findings) {
      told.push_back(applied.finding.path + ' ' + std::string(Name(applied.disposition)));
    }
    return told;
  };
  using policy::Action;
  using ::testing::ElementsAre;
  EXPECT_THAT(outcome(Action::kRefuse, Action::kRefuse),
              ElementsAre("image refused", "/mounts/7 refused"));
  EXPECT_THAT(outcome(Action::kOff, Action::kRefuse), ElementsAre("/mounts/7 refused"));
  EXPECT_THAT(outcome(Action::kWarn, Action::kRefuse),
              ElementsAre("image warned", "/mounts/7 refused"));
  EXPECT_THAT(outcome(Action::kRefuse, Action::kWarn),
              ElementsAre("image refused", "/mounts/7 warned"));
  EXPECT_THAT(outcome(Action::kRefuse, Action::kOff), ElementsAre("image refused"));
}

}  // namespace
}  // namespace runclad::rules::image_test
