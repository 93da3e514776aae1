// What a container changed of its image, by the two directories of an overlay.
#include "runclad/look/drift.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../mount_namespace.hpp"

namespace runclad::look::drift_test {
namespace {

using ::testing::ElementsAre;
using namespace runclad::testing;  // NOLINT(google-build-using-namespace): mounts, files

std::vector<std::string> ChangesWith(const std::vector<std::string>& points) {
  Container container;
  container.upper_directory = "/srv/upper";
  container.lower_directories = "/srv/lower";
  for (const std::string& point : points) {
    MountState mount;
    mount.point = point;
    container.mounts.push_back(mount);
  }
  const auto drift = DriftOf(container);
  EXPECT_TRUE(drift) << drift.error().message;
  std::vector<std::string> paths;
  for (const Change& change : drift->changes) paths.push_back(change.path);
  return paths;
}

TEST(Drift, LeavesOutWhatWasMadeForMountPoints) {
  InPrivateMounts([] {
    MakeDirectories("/srv/lower/etc");
    MakeDirectories("/srv/upper/var/tmp");
    MakeDirectories("/srv/upper/data/deep/point");
    WriteFile("/srv/upper/etc/hosts", "");
    EXPECT_THAT(ChangesWith({"/", "/var/tmp", "/data/deep/point", "/etc/hosts"}), ElementsAre());
    EXPECT_THAT(ChangesWith({"/", "/var/tmp", "/etc/hosts"}),
                ElementsAre("/data", "/data/deep", "/data/deep/point"));
    // What else is there was brought along.
    WriteFile("/srv/upper/var/brought");
    MakeDirectories("/srv/upper/data/deep/other");
    EXPECT_THAT(ChangesWith({"/", "/var/tmp", "/data/deep/point", "/etc/hosts"}),
                ElementsAre("/data/deep/other", "/var/brought"));
  });
}

}  // namespace
}  // namespace runclad::look::drift_test
