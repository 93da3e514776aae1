#include "runclad/sys/mounts.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../mount_namespace.hpp"

namespace runclad::sys::mounts_test {
namespace {

using runclad::testing::BindMount;
using runclad::testing::InPrivateMounts;
using runclad::testing::MakeDirectories;
using runclad::testing::TmpfsMount;
using runclad::testing::WriteFile;
using ::testing::HasSubstr;

// Where `path` stands inside its file system, as the host's table has it.
Place PlaceOf(const std::string& path) {
  const auto located = Locate(path);
  EXPECT_TRUE(located) << located.error().message;
  const auto table = MountTable::Read();
  EXPECT_TRUE(table) << table.error().message;
  if (!located || !table) return {};
  const auto place = table->PlaceOf(*located);
  EXPECT_TRUE(place) << path;
  return place.value_or(Place());
}

TEST(MountTable, ReadsWhatTheKernelWrites) {
  const auto table = MountTable::Parse(
      "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 shared:7 - ext3 /dev/root rw,errors=continue\n"
      "4097 36 0:4 net:[4026531840] /run/netns/blue rw - nsfs nsfs rw\n"
      "5 36 0:51 / /srv/a\\040b\\134c\\012d\\011\\043 rw - fuse.sshfs host:/ rw\n");
  ASSERT_TRUE(table) << table.error().message;
  ASSERT_EQ(table->mounts().size(), 3U);
  const Mount* first = table->Find(36);
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(first->file_system, std::uint64_t{98} << 32);
  EXPECT_EQ(first->root, "/mnt1");
  EXPECT_EQ(first->point, "/mnt2");
  EXPECT_EQ(first->type(), "ext3");
  const Mount* name_space = table->Find(4097);
  ASSERT_NE(name_space, nullptr);
  EXPECT_EQ(name_space->root, "net:[4026531840]");
  EXPECT_EQ(name_space->type(), "nsfs");
  const Mount* escaped = table->Find(5);
  ASSERT_NE(escaped, nullptr);
  EXPECT_EQ(escaped->point, "/srv/a b\\c\nd\t#");
  EXPECT_EQ(escaped->type(), "fuse.sshfs");
  EXPECT_EQ(table->Find(6), nullptr);
}

TEST(MountTable, RefusesWhatItCannotRead) {
  for (const char* text : {"x 1 0:1 / / rw - a b c\n", "1 1 0 / / rw - a b c\n", "1 1 0:1 / \n",
                           "1 1 0:x / / rw - a b c\n", "\n"}) {
    const auto table = MountTable::Parse(text);
    ASSERT_FALSE(table) << text;
    EXPECT_THAT(table.error().message, HasSubstr("line 1"));
  }
}

TEST(MountTable, PrependsTheMountsRoot) {
  const auto table = MountTable::Parse(
      "1 1 8:1 / / rw - ext4 a rw\n2 1 8:2 / /data rw - ext4 a rw\n3 1 8:2 /x /srv rw - ext4 a "
      "rw\n");
  ASSERT_TRUE(table);
  const auto place = [&](const char* path, std::uint64_t mount) {
    Located located;
    located.path = path;
    located.mount_id = mount;
    return table->PlaceOf(located);
  };
  constexpr std::uint64_t kFirst = std::uint64_t{8} << 32 | 1;
  constexpr std::uint64_t kSecond = std::uint64_t{8} << 32 | 2;
  EXPECT_EQ(place("/", 1), (Place{kFirst, "/"}));
  EXPECT_EQ(place("/etc", 1), (Place{kFirst, "/etc"}));
  EXPECT_EQ(place("/data", 2), (Place{kSecond, "/"}));
  EXPECT_EQ(place("/data/a", 2), (Place{kSecond, "/a"}));
  EXPECT_EQ(place("/srv", 3), (Place{kSecond, "/x"}));
  EXPECT_EQ(place("/srv/a", 3), (Place{kSecond, "/x/a"}));
  EXPECT_EQ(place("/elsewhere", 3), std::nullopt);
  EXPECT_EQ(place("/srvice", 3), std::nullopt);
  EXPECT_EQ(place("/", 9), std::nullopt);
}

TEST(Locate, FollowsLinksAndAnySpelling) {
  InPrivateMounts([] {
    MakeDirectories("/srv/a/b");
    ASSERT_EQ(::symlink("/srv/a", "/srv/one"), 0);
    ASSERT_EQ(::symlink("one/b", "/srv/two"), 0);
    for (const char* spelling : {"/srv/a/b", "/srv/a/b/", "//srv///a/./b/.", "/srv/two",
                                 "/srv/one/b", "/tmp/../srv/two/../b", "/proc/../srv/a/b"}) {
      const auto located = Locate(spelling);
      ASSERT_TRUE(located) << located.error().message;
      EXPECT_EQ(located->path, "/srv/a/b") << spelling;
      EXPECT_TRUE(S_ISDIR(located->mode));
    }
  });
}

TEST(Locate, RefusesPathsThroughOtherProcesses) {
  InPrivateMounts([] {
    ASSERT_EQ(::symlink("/proc/self/root", "/srv/link"), 0);
    ASSERT_EQ(::symlink("loop", "/srv/loop"), 0);
    for (const char* path :
         {"/proc/self/root", "/proc/self/root/etc", "/srv/link", "/srv/link/etc", "/proc/self/cwd",
          "/proc/self/fd/0", "/dev/stdin", "/proc/thread-self/root", "/srv/loop"}) {
      const auto located = Locate(path);
      ASSERT_FALSE(located) << path;
      EXPECT_THAT(located.error().message, HasSubstr("leads through a link of /proc"));
    }
  });
}

TEST(Locate, DistinguishesMissingFromUnreadable) {
  const auto missing = LocateIfPresent("/srv/is/not/there");
  ASSERT_TRUE(missing);
  EXPECT_FALSE(missing->has_value());
  const auto below_a_file = LocateIfPresent("/etc/passwd/x");
  ASSERT_TRUE(below_a_file);
  EXPECT_FALSE(below_a_file->has_value());
  const auto error = Locate("/srv/is/not/there");
  ASSERT_FALSE(error);
  EXPECT_EQ(error.error().message, "/srv/is/not/there does not exist");
  EXPECT_FALSE(LocateIfPresent("/" + std::string(5000, 'a')));
}

TEST(Locate, DistinguishesADeletedFileFromANameThatEndsInDeleted) {
  InPrivateMounts([] {
    MakeDirectories("/srv/a (deleted)");
    const auto located = Locate("/srv/a (deleted)");
    ASSERT_TRUE(located) << located.error().message;
    EXPECT_EQ(located->path, "/srv/a (deleted)");
    MakeDirectories("/srv/gone");
    ASSERT_EQ(::chdir("/srv/gone"), 0);
    ASSERT_EQ(::rmdir("/srv/gone"), 0);
    EXPECT_FALSE(Locate("."));
  });
}

TEST(Place, IsTheSameForEveryAlias) {
  InPrivateMounts([] {
    TmpfsMount("/srv/fs");
    WriteFile("/srv/fs/a/b/file");
    BindMount("/srv/fs/a", "/srv/alias");
    BindMount("/srv/fs/a/b/file", "/srv/single");
    BindMount("/srv/alias/b", "/srv/alias of an\nalias \\ with # signs");
    EXPECT_EQ(PlaceOf("/srv/fs").path, "/");
    EXPECT_EQ(PlaceOf("/srv/fs/a/b"), PlaceOf("/srv/alias/b"));
    EXPECT_EQ(PlaceOf("/srv/fs/a/b").path, "/a/b");
    EXPECT_EQ(PlaceOf("/srv/fs/a/b/file"), PlaceOf("/srv/single"));
    EXPECT_EQ(PlaceOf("/srv/fs/a/b"), PlaceOf("/srv/alias of an\nalias \\ with # signs"));
    EXPECT_NE(PlaceOf("/srv").file_system, PlaceOf("/srv/fs").file_system);
  });
}

TEST(Place, IsUnknownInAnotherMountNamespace) {
  InPrivateMounts([] {
    const auto before = MountTable::Read();
    ASSERT_TRUE(before);
    TmpfsMount("/srv/new");
    const auto located = Locate("/srv/new");
    ASSERT_TRUE(located);
    EXPECT_EQ(before->PlaceOf(*located), std::nullopt);
  });
}

TEST(Below, ComparesComponents) {
  EXPECT_EQ(Below("/a/b", "/a"), "/b");
  EXPECT_EQ(Below("/a", "/a"), "");
  EXPECT_EQ(Below("/ab", "/a"), std::nullopt);
  EXPECT_EQ(Below("/", "/a"), std::nullopt);
  EXPECT_EQ(Below("/a", "/"), "/a");
  EXPECT_EQ(Below("/", "/"), "");
}

}  // namespace
}  // namespace runclad::sys::mounts_test
