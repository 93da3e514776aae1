// On a host whose /sys is a directory of the test's.
#include "runclad/host/lsm.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace runclad::host::lsm_test {
namespace {

namespace fs = std::filesystem;
using engine::Engine;

class LsmFactsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = "/tmp/runclad-lsm.XXXXXX";
    root_ = ::mkdtemp(name.data());
  }
  void TearDown() override { fs::remove_all(root_); }

  void Write(const std::string& path, const std::string& text) const {
    fs::create_directories(fs::path(root_ + path).parent_path());
    std::ofstream(root_ + path) << text;
  }
  void LoadProfiles(const std::string& lines) const {
    Write("/sys/module/apparmor/parameters/enabled", "Y\n");
    Write("/sys/kernel/security/apparmor/profiles", lines);
  }
  [[nodiscard]] LsmFacts Gather(const std::string& profile,
                                Engine engine = Engine::kUnknown) const {
    const auto spec = oci::Spec::Parse(R"({"process":{"apparmorProfile":")" + profile + R"("}})");
    EXPECT_TRUE(spec);
    return GatherLsm(*spec, engine, root_);
  }

  std::string root_;
};

TEST_F(LsmFactsTest, AreEmptyWithoutAModule) {
  const auto facts = Gather("unconfined");
  EXPECT_FALSE(facts.apparmor);
  EXPECT_FALSE(facts.selinux);
  EXPECT_EQ(facts.apparmor_default, "");
  EXPECT_EQ(facts.not_enforced_because, "");
}

TEST_F(LsmFactsTest, TreatDisabledAppArmorAsAbsent) {
  LoadProfiles("docker-default (enforce)\n");
  Write("/sys/module/apparmor/parameters/enabled", "N\n");
  EXPECT_FALSE(Gather("").apparmor);
}

TEST_F(LsmFactsTest, UseTheEnginesProfileIfLoaded) {
  LoadProfiles(
      "/usr/bin/man (enforce)\ncontainers-default-0.50.1 (enforce)\ndocker-default (enforce)\n"
      "cri-containerd.apparmor.d (complain)\n");
  EXPECT_TRUE(Gather("").apparmor);
  EXPECT_EQ(Gather("", Engine::kDocker).apparmor_default, "docker-default");
  EXPECT_EQ(Gather("", Engine::kPodman).apparmor_default, "containers-default-0.50.1");
  // Only complaining confines nothing: that of another engine does.
  EXPECT_EQ(Gather("", Engine::kContainerd).apparmor_default, "containers-default-0.50.1");
}

TEST_F(LsmFactsTest, ReportThatNoEngineProfileIsLoaded) {
  LoadProfiles("/usr/bin/man (enforce)\ndocker-default-2 (enforce)\n");
  EXPECT_EQ(Gather("").apparmor_default, "");
}

TEST_F(LsmFactsTest, ExplainWhyARequestedProfileIsRefused) {
  LoadProfiles(
      "own (enforce)\nstrict (kill)\nloose (complain)\nflatpak (unconfined)\n"
      "with (brackets) (enforce)\nsnap.x (mixed)\n");
  EXPECT_EQ(Gather("own").not_enforced_because, "");
  EXPECT_EQ(Gather("strict").not_enforced_because, "");
  EXPECT_EQ(Gather("with (brackets)").not_enforced_because, "");
  EXPECT_EQ(Gather("loose").not_enforced_because, "is loaded in mode complain");
  EXPECT_EQ(Gather("flatpak").not_enforced_because, "confines nothing");
  EXPECT_EQ(Gather("missing").not_enforced_because, "is not loaded");
  EXPECT_EQ(Gather("").not_enforced_because, "");
}

TEST_F(LsmFactsTest, SkipTheCheckForTheEnginesProfile) {
  LoadProfiles("docker-default (complain)\n");
  EXPECT_FALSE(Gather("docker-default").apparmor);
}

TEST_F(LsmFactsTest, DetectSelinuxByItsFile) {
  Write("/sys/fs/selinux/enforce", "1");
  EXPECT_TRUE(Gather("").selinux);
}

}  // namespace
}  // namespace runclad::host::lsm_test
