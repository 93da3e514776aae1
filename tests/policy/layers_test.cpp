// How a policy's layers become one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../parameter_values.hpp"
#include "test_rules.hpp"

namespace runclad::policy::layers_test {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

TEST(Layers, AnEmptyPolicyMeansRestricted) {
  const auto policy = ParseText("{}");
  ASSERT_TRUE(policy) << policy.error().message;
  EXPECT_EQ(policy->profile, "restricted");
  EXPECT_EQ(policy->mode, Mode::kEnforce);
  EXPECT_EQ(policy->rootless, Rootless::kRefuse);
  EXPECT_EQ(policy->log.target, "file:/var/log/runclad/audit.jsonl");
  EXPECT_FALSE(policy->log.required);
  EXPECT_EQ(policy->rule("host-mounts").action, Action::kRefuse);
  EXPECT_THAT(StringsOf(policy->rule("capabilities").parameters, "allow"),
              ElementsAre("CAP_NET_BIND_SERVICE"));
}

TEST(Layers, AnUnnamedRuleIsOff) {
  const auto policy = ParseText("{}");
  ASSERT_TRUE(policy);
  EXPECT_EQ(policy->rule("seccomp").action, Action::kOff);
  EXPECT_TRUE(policy->rule("seccomp").parameters.all().empty());
}

TEST(Layers, DenyListsAccumulate) {
  const auto policy =
      ParseText(R"({"rules": {"host-mounts": {"deny": ["/srv/secrets", "/etc"]}}})");
  ASSERT_TRUE(policy) << policy.error().message;
  EXPECT_THAT(StringsOf(policy->rule("host-mounts").parameters, "deny"),
              ElementsAre("/etc", "/run", "/srv/secrets"));
}

TEST(Layers, LongListsAccumulateWithoutDuplicates) {
  std::string list = "\"/etc\"";
  constexpr int kPaths = 100;
  for (int i = 0; i < 2 * kPaths; ++i) list += ", \"/srv/" + std::to_string(i % kPaths) + '"';
  const auto policy = ParseText(R"({"rules": {"host-mounts": {"deny": [)" + list + "]}}}");
  ASSERT_TRUE(policy) << policy.error().message;
  const std::vector<std::string>& deny = StringsOf(policy->rule("host-mounts").parameters, "deny");
  ASSERT_EQ(deny.size(), 2U + kPaths);
  EXPECT_EQ(deny[0], "/etc");
  EXPECT_EQ(deny[1], "/run");
  EXPECT_EQ(deny[2], "/srv/0");
  EXPECT_EQ(deny.back(), "/srv/99");
}

TEST(Layers, AnEmptyDenyListRemovesNothing) {
  const auto policy = ParseText(R"({"rules": {"host-mounts": {"deny": []}}})");
  ASSERT_TRUE(policy);
  EXPECT_THAT(StringsOf(policy->rule("host-mounts").parameters, "deny"),
              ElementsAre("/etc", "/run"));
}

TEST(Layers, AllowListsReplace) {
  const auto policy = ParseText(
      R"({"rules": {"host-mounts": {"allow": []}, "capabilities": {"allow": ["KILL"]}}})");
  ASSERT_TRUE(policy) << policy.error().message;
  EXPECT_TRUE(StringsOf(policy->rule("host-mounts").parameters, "allow").empty());
  EXPECT_THAT(StringsOf(policy->rule("capabilities").parameters, "allow"), ElementsAre("CAP_KILL"));
}

TEST(Layers, KeepWhatALayerDoesNotName) {
  const auto policy = ParseText(R"({"rules": {"pids-limit": {"action": "refuse"}}})");
  ASSERT_TRUE(policy);
  EXPECT_EQ(policy->rule("pids-limit").action, Action::kRefuse);
  EXPECT_EQ(IntegerOf(policy->rule("pids-limit").parameters, "default"), 2048);
  EXPECT_EQ(policy->rule("host-mounts").action, Action::kRefuse);
}

TEST(Layers, OriginsNameFileAndLineOfEachValue) {
  const auto policy = ParseText(R"({
    "mode": "audit",
    "log": { "target": "syslog",
             "required": true }, "rootless": "apply",
    "rules": {
      "host-mounts": { "action": "off", "deny": [
          "/srv/secrets"] },
      "capabilities": { "allow": [] }
    } })",
                                /*origins=*/true);
  ASSERT_TRUE(policy) << policy.error().message;
  std::map<std::string, std::string> origins;
  for (const auto& [key, places] : policy->origins) origins[key] = ToText(places);
  EXPECT_THAT(origins, UnorderedElementsAre(
                           Pair("mode", "policy.json:2"), Pair("log/target", "policy.json:3"),
                           Pair("log/required", "policy.json:4"), Pair("rootless", "policy.json:4"),
                           Pair("capabilities/action", "profile restricted"),
                           Pair("capabilities/allow", "policy.json:8"),
                           Pair("capabilities/unlisted", "profile restricted"),
                           Pair("host-mounts/action", "policy.json:6"),
                           Pair("host-mounts/deny", "profile restricted, policy.json:6"),
                           Pair("host-mounts/allow", "profile restricted"),
                           Pair("pids-limit/action", "profile restricted"),
                           Pair("pids-limit/default", "profile restricted")));
}

TEST(Layers, OriginsAreRecordedOnRequestOnly) {
  const auto policy = ParseText("{\"mode\": \"audit\"}");
  ASSERT_TRUE(policy);
  EXPECT_TRUE(policy->origins.empty());
}

TEST(Layers, TheDigestDistinguishesPolicies) {
  const auto one = ParseText("{}");
  const auto same = ParseText("{}");
  const auto other_text = ParseText("{ }");
  const auto other_profile = ParseText(R"({"extends": "baseline"})");
  ASSERT_TRUE(one && same && other_text && other_profile);
  EXPECT_TRUE(one->digest.starts_with("sha256:"));
  EXPECT_EQ(one->digest.size(), std::string_view("sha256:").size() + 64);
  EXPECT_EQ(one->digest, same->digest);
  EXPECT_NE(one->digest, other_text->digest);
  EXPECT_NE(one->digest, other_profile->digest);
  EXPECT_NE(other_text->digest, other_profile->digest);
}

}  // namespace
}  // namespace runclad::policy::layers_test
