// The profiles that are compiled in, held against the catalogue and against one another.
#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "runclad/json/reader.hpp"
#include "runclad/policy/effective.hpp"
#include "runclad/rules/rule.hpp"

#include "../parameter_values.hpp"
#include "test_paths.hpp"

namespace runclad::rules::profiles_test {
namespace {

policy::Effective Compiled(const std::string& profile) {
  const auto policy =
      policy::Parse(R"({"extends": ")" + profile + R"("})", "policy.json", Schemas());
  if (policy) return *policy;
  ADD_FAILURE() << policy.error().message;
  return {};
}

TEST(Profiles, MatchTheCatalogue) {
  for (const std::string profile : {"restricted", "baseline", "build"}) {
    EXPECT_EQ(Compiled(profile).rules.size(), Catalog().size())
        << profile << " must give each rule of the catalogue an action";
  }
}

TEST(Profiles, CompiledTablesMatchTheText) {
  for (const std::string profile : {"restricted", "baseline", "build"}) {
    const std::string text = R"({"extends": ")" + profile + R"("})";
    const auto read = policy::Parse(text, "policy.json", Schemas(), {.profile = policy::Profile});
    ASSERT_TRUE(read) << read.error().message;
    const policy::Effective compiled = Compiled(profile);
    EXPECT_EQ(read->digest, compiled.digest);
    ASSERT_EQ(read->rules.size(), compiled.rules.size());
    for (const auto& [id, setting] : read->rules) {
      EXPECT_EQ(setting.action, compiled.rule(id).action) << id;
      EXPECT_EQ(setting.parameters.all(), compiled.rule(id).parameters.all()) << id;
    }
  }
}

// A tmpfs over / would hide the image: such a policy does nothing that its author wants.
TEST(Profiles, CannotMakeTheRootWritable) {
  const auto read = policy::Parse(R"({"rules":{"read-only-rootfs":{"writable":["/srv","/"]}}})",
                                  "policy.json", Schemas());
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().message.find("\"/\" cannot become a tmpfs: list the directories"),
            std::string::npos)
      << read.error().message;
}

// Whoever copies a shipped file to start a policy of their own gets the profile.
TEST(Profiles, CompiledTablesMatchTheFilesReadAsPolicies) {
  for (const std::string profile : {"restricted", "baseline", "build"}) {
    std::ifstream file(RUNCLAD_SOURCE_DIR "/profiles/" + profile + ".json");
    const std::string text(std::istreambuf_iterator<char>(file), {});
    const auto read = policy::Parse(text, "policy.json", Schemas());
    ASSERT_TRUE(read) << read.error().message;
    const policy::Effective compiled = Compiled(profile);
    ASSERT_EQ(read->rules.size(), compiled.rules.size());
    for (const auto& [id, setting] : read->rules) {
      EXPECT_EQ(setting.action, compiled.rule(id).action) << profile << " " << id;
      EXPECT_EQ(setting.parameters.all(), compiled.rule(id).parameters.all())
          << profile << " " << id;
    }
  }
}

TEST(Profiles, AreRejectedByAProgramWithOtherRules) {
  const auto policy = policy::Parse("{}", "policy.json", {});
  ASSERT_FALSE(policy);
  EXPECT_EQ(policy.error().message,
            "profile restricted: rule \"annotations\" does not match the catalogue: its id");
}

// Without them no ceiling could be put on what an image's file says.
TEST(Catalogue, DeclaresOrderAndDockersDefaultOfEveryParameter) {
  for (const Rule* rule : Catalog()) {
    for (const policy::ParameterSchema& parameter : rule->schema.parameters) {
      const std::string name = std::string(rule->id()) + "/" + std::string(parameter.name);
      EXPECT_NE(parameter.order, policy::Order::kUndeclared) << name;
      EXPECT_FALSE(std::holds_alternative<std::monostate>(parameter.docker_default)) << name;
      const bool is_list = parameter.type == policy::ParameterType::kStrings;
      const bool is_choice = parameter.type == policy::ParameterType::kText;
      EXPECT_EQ(parameter.order == policy::Order::kLaterIsLooser, is_choice) << name;
      EXPECT_EQ(parameter.merge == policy::Merge::kAccumulate,
                is_list && parameter.order == policy::Order::kFewerIsLooser)
          << name << " accumulates when it denies, and only then";
    }
  }
}

TEST(Profiles, ContainNoComments) {
  for (const std::string_view profile : {"restricted", "baseline", "build"}) {
    EXPECT_TRUE(json::Read(policy::Profile(profile), {.comments = false})) << profile;
  }
}

// How much an action stops. A rule that warns or is off lets everything through.
int Strength(policy::Action action) {
  const std::map<policy::Action, int> strength = {{policy::Action::kOff, 0},
                                                  {policy::Action::kWarn, 1},
                                                  {policy::Action::kFix, 2},
                                                  {policy::Action::kRefuse, 3}};
  return strength.at(action);
}

TEST(Profiles, RestrictedActionsAreAtLeastAsStrictAsBaseline) {
  const policy::Effective restricted = Compiled("restricted");
  for (const auto& [id, setting] : Compiled("baseline").rules) {
    EXPECT_GE(Strength(restricted.rule(id).action), Strength(setting.action)) << id;
  }
}

// What a step of a build must be able to do and a service must not; but who builds chooses the
// cgroup of the steps (podman build --cgroup-parent).
TEST(Profiles, BuildIsBaselineWithAWritableRoot) {
  const std::set<std::string, std::less<>> own = {"read-only-rootfs", "cgroup-path"};
  const policy::Effective build = Compiled("build");
  EXPECT_EQ(build.rule("read-only-rootfs").action, policy::Action::kOff);
  EXPECT_EQ(build.rule("cgroup-path").action, policy::Action::kRefuse);
  for (const auto& [id, setting] : Compiled("baseline").rules) {
    if (own.contains(id)) continue;
    EXPECT_EQ(build.rule(id).action, setting.action) << id;
    EXPECT_EQ(build.rule(id).parameters.all(), setting.parameters.all()) << id;
  }
}

using Set = std::set<std::string>;

Set Strings(const policy::RuleSetting& setting, std::string_view parameter) {
  const auto& strings = policy::StringsOf(setting.parameters, parameter);
  return {strings.begin(), strings.end()};
}

TEST(Profiles, RestrictedGrantsNoMoreAndDeniesNoLessThanBaseline) {
  const policy::Effective restricted = Compiled("restricted");
  const policy::Effective baseline = Compiled("baseline");
  for (const policy::RuleSchema& rule : Schemas()) {
    for (const policy::ParameterSchema& parameter : rule.parameters) {
      if (parameter.type != policy::ParameterType::kStrings) continue;
      const Set tight = Strings(restricted.rule(rule.id), parameter.name);
      const Set loose = Strings(baseline.rule(rule.id), parameter.name);
      const bool denies = parameter.merge == policy::Merge::kAccumulate;
      EXPECT_TRUE(denies ? std::ranges::includes(tight, loose)
                         : std::ranges::includes(loose, tight))
          << rule.id << "/" << parameter.name;
    }
  }
}

}  // namespace
}  // namespace runclad::rules::profiles_test
