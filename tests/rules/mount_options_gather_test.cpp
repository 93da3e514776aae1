// What is asked of the image's files for mount-options.
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "runclad/host/container.hpp"
#include "runclad/rules/rule.hpp"

#include "../mount_namespace.hpp"

namespace runclad::rules {
namespace {

using runclad::testing::MakeDirectories;
using runclad::testing::WriteFile;

class MountOptionFacts : public ::testing::Test {
 protected:
  void SetUp() override { MakeDirectories(root_); }
  void TearDown() override { std::filesystem::remove_all(root_); }

  [[nodiscard]] Facts Gather(const std::string& program = "/init", bool noexec = true) const {
    policy::Parameters parameters;
    parameters.Set("noexec", noexec);
    parameters.Set("exec-paths", std::vector<std::string>{"/var/run/", "/opt//x"});
    const auto spec = oci::Spec::Parse(R"({"process":{"args":[")" + program + R"("]}})");
    const host::Container::Origin origin{.layout = {}, .identity = {}, .bundle = {}, .root = root_};
    host::Container container(*spec, origin);
    Facts facts;
    const Rule* rule = FindRule("mount-options");
    EXPECT_TRUE(rule->gather({container, policy::Action::kFix, parameters, {}, 0}, facts));
    return facts;
  }

  // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing else runs
  const std::string root_ = ::testing::TempDir() + "s6-" + std::to_string(::getpid());
};

TEST_F(MountOptionFacts, ExecPathsAreWhereTheImagesLinksLead) {
  MakeDirectories(root_ + "/var");
  std::filesystem::create_symlink("/run", root_ + "/var/run");
  EXPECT_EQ(Gather().exec_paths, (std::vector<std::string>{"/run", "/opt/x"}));
}

TEST_F(MountOptionFacts, S6OverlayIsKnownByItsDirectories) {
  EXPECT_FALSE(Gather().has_s6_overlay) << "some other /init";
  MakeDirectories(root_ + "/etc");
  WriteFile(root_ + "/etc/s6-overlay");
  EXPECT_FALSE(Gather().has_s6_overlay) << "a file";
  std::filesystem::remove(root_ + "/etc/s6-overlay");
  // The image's link leads nowhere but inside.
  std::filesystem::create_symlink("/tmp", root_ + "/etc/s6-overlay");
  EXPECT_FALSE(Gather().has_s6_overlay) << "the host's directory";
  MakeDirectories(root_ + "/package/admin/s6-overlay-3.2.0.0");
  std::filesystem::create_symlink("s6-overlay-3.2.0.0", root_ + "/package/admin/s6-overlay");
  EXPECT_TRUE(Gather().has_s6_overlay);
  EXPECT_FALSE(Gather("/bin/sh").has_s6_overlay);
  std::filesystem::remove_all(root_ + "/package");
  std::filesystem::remove(root_ + "/etc/s6-overlay");
  MakeDirectories(root_ + "/etc/s6-overlay");
  EXPECT_TRUE(Gather().has_s6_overlay);
}

TEST_F(MountOptionFacts, S6OverlayIsNotLookedForWhereProgramsRunEverywhere) {
  MakeDirectories(root_ + "/etc/s6-overlay");
  const Facts facts = Gather("/init", false);
  EXPECT_FALSE(facts.has_s6_overlay);
  EXPECT_FALSE(facts.exec_paths.empty()) << "images that are mounted run programs only there";
}

}  // namespace
}  // namespace runclad::rules
