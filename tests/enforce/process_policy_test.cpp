#include "runclad/enforce/process_policy.hpp"

#include <gtest/gtest.h>

#include "../parameter_values.hpp"

namespace runclad::enforce::process_policy_test {
namespace {

using Strings = std::vector<std::string>;

policy::Effective HostPolicy() {
  policy::Effective policy;
  policy.rules["capabilities"].parameters.Set("allow", Strings{"CAP_CHOWN", "CAP_KILL"});
  policy.rules["capabilities"].parameters.Set("unlisted", std::string("refuse"));
  policy.rules["user"].parameters.Set("root", std::string("refuse"));
  policy.rules["lsm-label"].parameters.Set("unconfined", std::string("refuse"));
  policy.rules["host-mounts"];
  return policy;
}

policy::Effective For(std::string_view document, const rules::Facts& facts = {}) {
  const auto spec = oci::Spec::Parse(document);
  EXPECT_TRUE(spec);
  return ProcessPolicy(HostPolicy(), *spec, facts);
}

TEST(ProcessPolicy, KeepsTheRulesOfTheProcess) {
  const auto policy = For(R"({"process":{}})");
  EXPECT_TRUE(policy.rules.contains("capabilities"));
  EXPECT_TRUE(policy.rules.contains("user"));
  EXPECT_FALSE(policy.rules.contains("host-mounts"));
}

TEST(ProcessPolicy, GrantsNoMoreCapabilitiesThanTheContainerHas) {
  const auto policy = For(R"({"process":{"capabilities":{"bounding":["CAP_KILL"]}}})");
  const auto& parameters = policy.rule("capabilities").parameters;
  EXPECT_EQ(policy::StringsOf(parameters, "allow"), Strings{"CAP_KILL"});
  EXPECT_EQ(policy::TextOf(parameters, "unlisted"), "fix");
}

TEST(ProcessPolicy, RecordsThatRootIsMapped) {
  EXPECT_EQ(policy::TextOf(For(R"({"process":{}})").rule("user").parameters, "root"), "refuse");
  const auto mapped = For(R"({"linux":{"namespaces":[{"type":"user"}],)"
                          R"("uidMappings":[{"containerID":0,"hostID":1000,"size":1}]}})");
  EXPECT_EQ(policy::TextOf(mapped.rule("user").parameters, "root"), "allow");
  // Of one that it joins the kernel says so, and not the document.
  const std::string joins = R"({"linux":{"namespaces":[{"type":"user","path":"/proc/7/ns/user"}],)"
                            R"("uidMappings":[{"containerID":0,"hostID":1000,"size":1}]}})";
  EXPECT_EQ(policy::TextOf(For(joins).rule("user").parameters, "root"), "refuse");
  rules::Facts facts;
  facts.Get<rules::UserNamespace>() = {.root = 1000};
  EXPECT_EQ(policy::TextOf(For(joins, facts).rule("user").parameters, "root"), "allow");
}

TEST(ProcessPolicy, LimitsAnExecToTheContainersLabels) {
  const auto policy =
      For(R"({"process":{"apparmorProfile":"docker-default","selinuxLabel":"a:b:c"}})");
  const auto& parameters = policy.rule("lsm-label").parameters;
  EXPECT_EQ(policy::StringsOf(parameters, "own-labels"), (Strings{"docker-default", "a:b:c"}));
  EXPECT_EQ(policy::TextOf(parameters, "unconfined"), "fix");
}

}  // namespace
}  // namespace runclad::enforce::process_policy_test
