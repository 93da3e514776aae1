// What is asked of the image's files for mount-options.
#include <cstdlib>
#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "runclad/host/container.hpp"

#include "../mount_namespace.hpp"
#include "rules/mount-options/facts.hpp"

namespace runclad::rules {
namespace {

using runclad::testing::MakeDirectories;
using runclad::testing::WriteFile;

class MountOptionFacts : public ::testing::Test {
 protected:
  void SetUp() override { MakeDirectories(root_); }
  void TearDown() override { std::filesystem::remove_all(root_); }

  [[nodiscard]] bool HasS6(const std::string& program = "/init", bool noexec = true) const {
    policy::Parameters parameters;
    parameters.Set("noexec", noexec);
    const auto spec = oci::Spec::Parse(R"({"process":{"args":[")" + program + R"("]}})");
    const host::Container::Origin origin{.layout = {}, .identity = {}, .bundle = {}, .root = root_};
    host::Container container(*spec, origin);
    const auto gathered =
        mount_options::S6Overlay::Gather({container, policy::Action::kFix, parameters, {}, 0});
    EXPECT_TRUE(gathered);
    return gathered && gathered->is_init;
  }

  // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing else runs
  const std::string root_ = ::testing::TempDir() + "s6-" + std::to_string(::getpid());
};

TEST_F(MountOptionFacts, RecogniseS6OverlayByItsDirectories) {
  EXPECT_FALSE(HasS6()) << "some other /init";
  MakeDirectories(root_ + "/etc");
  WriteFile(root_ + "/etc/s6-overlay");
  EXPECT_FALSE(HasS6()) << "a file";
  std::filesystem::remove(root_ + "/etc/s6-overlay");
  // The image's link leads nowhere but inside.
  std::filesystem::create_symlink("/tmp", root_ + "/etc/s6-overlay");
  EXPECT_FALSE(HasS6()) << "the host's directory";
  MakeDirectories(root_ + "/package/admin/s6-overlay-3.2.0.0");
  std::filesystem::create_symlink("s6-overlay-3.2.0.0", root_ + "/package/admin/s6-overlay");
  EXPECT_TRUE(HasS6());
  EXPECT_FALSE(HasS6("/bin/sh"));
  std::filesystem::remove_all(root_ + "/package");
  std::filesystem::remove(root_ + "/etc/s6-overlay");
  MakeDirectories(root_ + "/etc/s6-overlay");
  EXPECT_TRUE(HasS6());
}

TEST_F(MountOptionFacts, SkipS6OverlayIfNoexecIsOff) {
  MakeDirectories(root_ + "/etc/s6-overlay");
  EXPECT_FALSE(HasS6("/init", false));
}

}  // namespace
}  // namespace runclad::rules
