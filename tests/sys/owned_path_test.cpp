#include "runclad/sys/owned_path.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "../mount_namespace.hpp"

namespace runclad::sys::owned_path_test {
namespace {

using runclad::testing::InPrivateMounts;
using runclad::testing::MakeDirectories;
using runclad::testing::WriteFile;

constexpr uid_t kSomeone = 1000;

TEST(OnlyRootCouldReplace, ChecksEveryParentDirectory) {
  InPrivateMounts([] {
    WriteFile("/srv/a/b/file");
    EXPECT_TRUE(OnlyRootCouldReplace("/srv/a/b/file"));
    ASSERT_EQ(::chmod("/srv/a", 01777), 0);
    EXPECT_TRUE(OnlyRootCouldReplace("/srv/a/b/file")) << "sticky, as /tmp";
    EXPECT_FALSE(OnlyRootCouldReplace("/srv/a")) << "others may add to it";
    ASSERT_EQ(::chmod("/srv/a", 0777), 0);
    EXPECT_FALSE(OnlyRootCouldReplace("/srv/a/b/file"));
    ASSERT_EQ(::chmod("/srv/a", 0775), 0);
    EXPECT_FALSE(OnlyRootCouldReplace("/srv/a/b/file"));
    ASSERT_EQ(::chmod("/srv/a", 0755), 0);
    ASSERT_EQ(::chown("/srv/a/b", kSomeone, 0), 0);
    EXPECT_FALSE(OnlyRootCouldReplace("/srv/a/b/file"));
    ASSERT_EQ(::chown("/srv/a/b", 0, 0), 0);
    ASSERT_EQ(::chown("/srv/a/b/file", kSomeone, 0), 0);
    EXPECT_FALSE(OnlyRootCouldReplace("/srv/a/b/file"));
  });
}

TEST(OnlyRootCouldReplace, IsFalseForMissingFilesAndLinks) {
  InPrivateMounts([] {
    MakeDirectories("/srv/a");
    ASSERT_EQ(::symlink("/srv/a", "/srv/link"), 0);
    EXPECT_FALSE(OnlyRootCouldReplace("/srv/none"));
    EXPECT_FALSE(OnlyRootCouldReplace("/srv/link"));
  });
}

TEST(OnlyRootCouldRedirect, ChecksTheLinks) {
  InPrivateMounts([] {
    MakeDirectories("/srv/app/real");
    ASSERT_EQ(::symlink("real", "/srv/app/link"), 0);
    ASSERT_EQ(::symlink("/srv/app/link", "/srv/outer"), 0);
    ASSERT_EQ(::symlink("loop", "/srv/loop"), 0);
    EXPECT_TRUE(OnlyRootCouldRedirect("/srv/app/real"));
    EXPECT_TRUE(OnlyRootCouldRedirect("/srv/app/link"));
    EXPECT_TRUE(OnlyRootCouldRedirect("/srv/outer/../real"));
    EXPECT_FALSE(OnlyRootCouldRedirect("/srv/loop"));
    ASSERT_EQ(::chown("/srv/app", kSomeone, 0), 0);
    EXPECT_FALSE(OnlyRootCouldRedirect("/srv/app/link"));
    EXPECT_FALSE(OnlyRootCouldRedirect("/srv/outer")) << "the second link is theirs";
    EXPECT_TRUE(OnlyRootCouldRedirect("/srv/app/real")) << "no link at all";
    ASSERT_EQ(::chown("/srv/app", 0, 0), 0);
    ASSERT_EQ(::lchown("/srv/app/link", kSomeone, 0), 0);
    EXPECT_FALSE(OnlyRootCouldRedirect("/srv/app/link"));
  });
}

}  // namespace
}  // namespace runclad::sys::owned_path_test
