#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runclad/json/pointer.hpp"

#include "rule_test.hpp"

namespace runclad::rules::unknown_fields_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Strings = std::vector<std::string>;

policy::RuleSetting Of(const char* profile) {
  const auto policy =
      policy::Parse(R"({"extends": ")" + std::string(profile) + R"("})", "policy.json", Schemas());
  EXPECT_TRUE(policy) << policy.error().message;
  return policy->rule("unknown-fields");
}

// "refused /pointer", "warned /pointer"
Strings Judge(const std::string& document, const policy::RuleSetting& setting) {
  policy::Effective policy;
  policy.rules["unknown-fields"] = setting;
  Strings found;
  for (const auto& applied :
       enforce::Decide(SpecOf(document), policy, {}, Scope::kContainer).findings) {
    found.push_back(std::string(enforce::Name(applied.disposition)) + " " + applied.finding.path);
  }
  return found;
}

TEST(UnknownFields, AreRecorded) {
  EXPECT_THAT(
      Judge(R"({"later":1,"linux":{"later":{"a":1}},"mounts":[{"destination":"/x","new":2}]})",
            Of("restricted")),
      ::testing::UnorderedElementsAre("warned /later", "warned /linux/later",
                                      "warned /mounts/0/new"));
}

TEST(UnknownFields, ThatGrantPowerAreRefused) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"linux":{"netDevices":{"eth0":{}}}})", "refused /linux/netDevices"},
      {R"({"linux":{"memoryPolicy":{"mode":"MPOL_BIND"}}})", "refused /linux/memoryPolicy"},
      {R"({"linux":{"personality":{"domain":"LINUX","flags":["X"]}}})",
       "refused /linux/personality/flags"},
      {R"({"linux":{"intelRdt":{"closID":"a","schemata":["L3:0=1"]}}})",
       "refused /linux/intelRdt/schemata"},
      {R"({"vm":{"hypervisor":{"path":"/x"}}})", "refused /vm"},
  };
  for (const char* profile : {"restricted", "baseline"}) {
    for (const auto& [document, expected] : cases) {
      EXPECT_THAT(Judge(document, Of(profile)), ElementsAre(expected)) << document;
    }
  }
}

TEST(UnknownFields, ThatGrantNothingAreAllowed) {
  for (const char* document :
       {R"({"linux":{"personality":{"domain":"LINUX32"}}})",
        R"({"linux":{"personality":{"domain":"LINUX","flags":[]}}})",
        R"({"linux":{"timeOffsets":{"boottime":{"secs":1}}}})",
        R"({"process":{"execCPUAffinity":{"initial":"0"}}})",
        R"({"linux":{"intelRdt":{"closID":"a"}}})", R"({"windows":{"layerFolders":[]}})",
        R"({"linux":{"netDevices":null}})", "{}"}) {
    EXPECT_THAT(Judge(document, Of("restricted")), IsEmpty()) << document;
  }
}

TEST(UnknownFields, AreListedByPointer) {
  policy::RuleSetting setting;
  setting.action = policy::Action::kRefuse;
  setting.parameters.Set("refuse", Strings{"/linux/later", "/mounts/*/new", "/a~1b"});
  EXPECT_THAT(Judge(R"({"linux":{"later":{"x":1},"laterOn":2},"a/b":1,
                "mounts":[{"destination":"/x"},{"destination":"/y","new":{"z":1}}]})",
                    setting),
              ElementsAre("refused /linux/later", "refused /mounts/1/new", "refused /a~1b",
                          "warned /linux/laterOn"));
  setting.action = policy::Action::kWarn;
  EXPECT_THAT(Judge(R"({"linux":{"later":1}})", setting), ElementsAre("warned /linux/later"));
}

TEST(UnknownFields, AreNamedWithTheirValue) {
  policy::Effective policy;
  policy.rules["unknown-fields"] = Of("restricted");
  EXPECT_THAT(
      enforce::RefusalSentence(
          enforce::Decide(SpecOf(R"({"linux":{"netDevices":{"eth0":{"name":"x"}}}})"), policy, {},
                          Scope::kContainer)),
      HasSubstr(R"(/linux/netDevices {"eth0":{"name":"x"}} changes what the runtime does)"));
}

TEST(UnknownFields, OfAnUpdateAreJudgedAlike) {
  auto update = oci::Spec::ParseResources(R"({"pids":{"limit":1},"later":1})");
  ASSERT_TRUE(update);
  json::Set(update->document(), "/linux/intelRdt/memBwSchema", "MB:0=20");
  policy::Effective policy;
  policy.rules["unknown-fields"] = Of("restricted");
  const auto refused = enforce::Decide(*update, policy, {}, Scope::kUpdate);
  EXPECT_EQ(
      enforce::RefusalSentence(refused),
      "refused by unknown-fields: /linux/intelRdt/memBwSchema \"MB:0=20\" changes what the runtime "
      "does, and no rule judges it; to allow exactly this, remove "
      "\"/linux/intelRdt/memBwSchema\" from unknown-fields.refuse with a waiver in the image's "
      "file with its digest, see runcladctl "
      "explain unknown-fields");
  ExpectRemediesHelp("unknown-fields", *update, policy.rules["unknown-fields"].parameters);
  ASSERT_EQ(refused.findings.size(), 2U);
  EXPECT_EQ(refused.findings[1].finding.path, "/linux/resources/later");
  policy.rules["unknown-fields"].parameters.Set("refuse", Strings{"/vm"});
  EXPECT_EQ(enforce::Decide(*update, policy, {}, Scope::kUpdate).outcome,
            enforce::Outcome::kUnchanged);
}

TEST(UnknownFields, OfAProcessAreCheckedOnExec) {
  const auto process = oci::Spec::ParseProcess(R"({"args":["x"],"later":1})");
  ASSERT_TRUE(process);
  policy::Effective policy;
  policy.rules["unknown-fields"] = Of("restricted");
  const auto decision = enforce::Decide(*process, policy, {}, Scope::kProcess);
  ASSERT_EQ(decision.findings.size(), 1U);
  EXPECT_EQ(decision.findings[0].finding.path, "/process/later");
}

}  // namespace
}  // namespace runclad::rules::unknown_fields_test
