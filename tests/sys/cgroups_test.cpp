#include "runclad/sys/cgroups.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace runclad::sys::cgroups_test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(CgroupPaths, AreListedOnceAndWithoutTheRoot) {
  EXPECT_THAT(CgroupPaths("12:pids:/docker/a\n4:cpu,cpuacct:/docker/a\n3:memory:/docker/b\n"
                          "2:freezer:/\n0::/system.slice/x:y\n"),
              ElementsAre("/docker/a", "/docker/b", "/system.slice/x:y"));
}

TEST(CgroupPaths, TextThatIsNotACgroupFileHasNone) {
  EXPECT_THAT(CgroupPaths(""), IsEmpty());
  EXPECT_THAT(CgroupPaths("\n\n:"), IsEmpty());
  EXPECT_THAT(CgroupPaths("4:memory"), IsEmpty());
}

}  // namespace
}  // namespace runclad::sys::cgroups_test
