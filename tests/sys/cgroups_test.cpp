#include "runclad/sys/cgroups.hpp"

#include <string_view>

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

TEST(CgroupPaths, AreFoundByTheirController) {
  constexpr std::string_view kText =
      "9:memory:/devices/a\n7:cpu,devices:/docker/b:c\n1:name=devices:/x\n0::/y\n";
  EXPECT_EQ(CgroupPathOf(kText, "devices"), "/docker/b:c");
  EXPECT_EQ(CgroupPathOf(kText, "cpu"), "/docker/b:c");
  EXPECT_EQ(CgroupPathOf(kText, "pids"), "");
}

}  // namespace
}  // namespace runclad::sys::cgroups_test
