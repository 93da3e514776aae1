// What is asked of the image's files for mount-options.
#include <cstdlib>
#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "runclad/host/container.hpp"

#include "../mount_namespace.hpp"
#include "rules/mount-options/facts.hpp"

namespace runclad::rules::mount_options_gather_test {
namespace {

using runclad::testing::MakeDirectories;
using runclad::testing::WriteFile;

class MountOptionFacts : public ::testing::Test {
 protected:
  void SetUp() override { MakeDirectories(root_); }
  void TearDown() override { std::filesystem::remove_all(root_); }

  [[nodiscard]] bool HasS6(const std::string& program = "/init", bool noexec = true) const {
    return Gathered(R"("process":{"args":[")" + program + R"("]})", noexec).is_init;
  }

  // `members`: of the document.
  [[nodiscard]] mount_options::S6Overlay Gathered(const std::string& members,
                                                  bool noexec = true) const {
    policy::Parameters parameters;
    parameters.Set("noexec", noexec);
    const auto spec = oci::Spec::Parse("{" + members + "}");
    const host::Container::Origin origin{.layout = {}, .identity = {}, .bundle = {}, .root = root_};
    host::Container container(*spec, origin);
    Destinations destinations;
    destinations.resolved["/var/run"] = "/run";
    const auto gathered = mount_options::S6Overlay::Gather(
        {container, policy::Action::kFix, parameters, {}, 0}, destinations);
    EXPECT_TRUE(gathered);
    return gathered ? *gathered : mount_options::S6Overlay();
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

// No list lifts what was requested.
TEST_F(MountOptionFacts, KnowWhetherRunWasRequestedWithoutPrograms) {
  MakeDirectories(root_ + "/etc/s6-overlay");
  const auto is_noexec = [&](const std::string& mounts) {
    return Gathered(R"("process":{"args":["/init"]},"mounts":[)" + mounts + "]").run_is_noexec;
  };
  const std::string tmpfs = R"({"destination":"/var/run","type":"tmpfs","options":["noexec"]})";
  EXPECT_FALSE(is_noexec(""));
  EXPECT_TRUE(is_noexec(tmpfs));
  EXPECT_FALSE(is_noexec(tmpfs + R"(,{"destination":"/run","type":"tmpfs","options":["exec"]})"));
  EXPECT_FALSE(is_noexec(R"({"destination":"/run/lock","type":"tmpfs","options":["noexec"]})"));
}

TEST_F(MountOptionFacts, SkipS6OverlayIfNoexecIsOff) {
  MakeDirectories(root_ + "/etc/s6-overlay");
  EXPECT_FALSE(HasS6("/init", false));
}

}  // namespace
}  // namespace runclad::rules::mount_options_gather_test
