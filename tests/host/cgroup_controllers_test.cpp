#include "runclad/host/cgroup_controllers.hpp"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace runclad::host::cgroup_controllers_test {
namespace {

using ::testing::HasSubstr;

class CgroupControllers : public ::testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directory(root_); }
  void TearDown() override { std::filesystem::remove_all(root_); }

  void Have(const std::string& controllers) const {
    std::ofstream(root_ + "/cgroup.controllers") << controllers << '\n';
  }
  // The sentence; empty: it can be held.
  [[nodiscard]] std::string Require(const std::string& resources) const {
    const auto spec = oci::Spec::Parse(R"({"linux":{"resources":)" + resources + "}}");
    if (!spec) return spec.error().message;
    const Status held = RequireControllers(*spec, root_);
    return held ? std::string() : held.error().message;
  }

  std::string root_ = std::string(::testing::TempDir()) + "cgroup" + std::to_string(::getpid());
};

TEST_F(CgroupControllers, AreAllAvailableInCgroupV1) {
  EXPECT_EQ(Require(R"({"pids":{"limit":100}})"), "");
}

TEST_F(CgroupControllers, MissingOnesAreNamed) {
  Have("hugetlb pids2 mem");
  EXPECT_EQ(Require(R"({"pids":{"limit":100}})"),
            "/linux/resources/pids/limit 100 cannot be set: the host's cgroup v2 has no pids "
            "controller (it has hugetlb pids2 mem); make it available (it is missing if the kernel "
            "was started with cgroup_disable=pids or if cgroup v1 uses it), or request no limit "
            "and set the rule pids-limit to \"warn\" in policy.json");
  EXPECT_THAT(Require(R"({"memory":{"limit":4096}})"), HasSubstr("no memory controller"));
  EXPECT_THAT(Require(R"({"cpu":{"quota":1000}})"), HasSubstr("no cpu controller"));
  EXPECT_THAT(Require(R"({"cpu":{"shares":2}})"), HasSubstr("/linux/resources/cpu/shares 2 "))
      << "what the kubelet's plugins always ask for";
  Have("");
  EXPECT_THAT(Require(R"({"pids":{"limit":100}})"), HasSubstr("(it has none)"));
}

TEST_F(CgroupControllers, AvailableOnesEnforceTheLimit) {
  Have("cpuset cpu memory pids");
  EXPECT_EQ(Require(R"({"pids":{"limit":1},"memory":{"limit":4096},"cpu":{"quota":1000}})"), "");
}

TEST_F(CgroupControllers, AreNotNeededWithoutALimit) {
  Have("");
  EXPECT_EQ(Require("{}"), "");
  EXPECT_EQ(Require(R"({"pids":{"limit":-1},"memory":{"limit":0}})"), "");
}

}  // namespace
}  // namespace runclad::host::cgroup_controllers_test
