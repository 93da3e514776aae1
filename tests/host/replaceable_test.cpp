// Who could put something else in a source's place, on real directories.
#include "host/replaceable.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include <gtest/gtest.h>

#include "../mount_namespace.hpp"

namespace runclad::host::replaceable_test {
namespace {

using namespace runclad::testing;  // NOLINT(google-build-using-namespace): mounts, files

constexpr uid_t kSomeone = 1234;

// Nothing may be mounted but what is below /srv/shared; volumes are in /srv/engine.
PathPolicy Policy() {
  PathPolicy policy(false);
  policy.Add("/srv/shared", "", Mark::kAllow, "/srv/shared");
  policy.AddDataDirectory("/srv/data", "");
  policy.Add("/srv/engine", "", Mark::kDeny, "/srv/engine");
  policy.AddVolumePlace("/srv/engine/volumes", "/*/_data");
  return policy;
}

std::string Because(const std::string& source) {
  const PathPolicy policy = Policy();
  return Replaceable({.policy = policy, .is_allow_only = true}).Because(source);
}

// Under every path that the host has. /srv/given is some container's root.
std::string BecauseOfAny(const std::string& source) {
  const PathPolicy policy = Policy();
  PathPolicy given(false);
  given.Add("/srv/given", "", Mark::kAllow, "/srv/given");
  const auto table = sys::MountTable::Read();
  if (!table) return table.error().message;
  const HostAliases aliases(*table, policy);
  return Replaceable(
             {.policy = policy, .is_allow_only = true, .given = &given, .aliases = &aliases})
      .Because(source);
}

TEST(Replaceable, IncludesFilesInADataDirectory) {
  InPrivateMounts([] {
    MakeDirectories("/srv/data/app/sub");
    EXPECT_NE(Because("/srv/data/app"), "") << "a container may mount /srv/data";
    EXPECT_NE(Because("/srv/data/app/sub"), "");
    EXPECT_EQ(Because("/srv/data"), "");
  });
}

TEST(Replaceable, ExcludesWhatOnlyRootCanRename) {
  InPrivateMounts([] {
    MakeDirectories("/srv/a/b");
    ASSERT_EQ(::chown("/srv/a/b", kSomeone, kSomeone), 0);
    EXPECT_EQ(Because("/srv/a/b"), "") << "its owner writes into it and cannot rename it";
    EXPECT_EQ(Because("/srv/a/../a//./b/"), "");
    ASSERT_EQ(::symlink("a", "/srv/link"), 0);
    EXPECT_EQ(Because("/srv/link/b"), "");
    EXPECT_EQ(Because("/"), "");
  });
}

TEST(Replaceable, IncludesFilesInADirectoryThatOthersCanWrite) {
  InPrivateMounts([] {
    MakeDirectories("/srv/a/b/c");
    ASSERT_EQ(::chown("/srv/a", kSomeone, 0), 0);
    EXPECT_EQ(Because("/srv/a"), "");
    EXPECT_EQ(Because("/srv/a/b"), "could be replaced by user 1234, who owns /srv/a");
    EXPECT_EQ(Because("/srv/a/b/c"), "could be replaced by user 1234, who owns /srv/a");
    ASSERT_EQ(::chown("/srv/a", 0, kSomeone), 0);
    ASSERT_EQ(::chmod("/srv/a", 0775), 0);
    EXPECT_EQ(Because("/srv/a/b/c"), "could be replaced by group 1234, which may write to /srv/a");
    ASSERT_EQ(::chmod("/srv/a", 0777), 0);
    EXPECT_EQ(Because("/srv/a/b/c"), "could be replaced by any user, who may write to /srv/a");
  });
}

TEST(Replaceable, ChecksTheOwnerInAStickyDirectory) {
  InPrivateMounts([] {
    MakeDirectories("/srv/a/b");
    ASSERT_EQ(::chmod("/srv/a", 01777), 0);
    EXPECT_EQ(Because("/srv/a/b"), "");
    ASSERT_EQ(::chown("/srv/a/b", kSomeone, 0), 0);
    EXPECT_EQ(Because("/srv/a/b"), "could be replaced by user 1234, who owns an entry of /srv/a");
    ASSERT_EQ(::chown("/srv/a/b", 0, 0), 0);
    ASSERT_EQ(::chown("/srv/a", kSomeone, 0), 0);
    EXPECT_EQ(Because("/srv/a/b"), "could be replaced by user 1234, who owns /srv/a");
  });
}

TEST(Replaceable, IncludesTargetsOfLinksOfOthers) {
  InPrivateMounts([] {
    MakeDirectories("/srv/a/own");
    MakeDirectories("/srv/theirs");
    ASSERT_EQ(::symlink("/srv/a/own", "/srv/theirs/link"), 0);
    ASSERT_EQ(::symlink("theirs/link", "/srv/outer"), 0);
    ASSERT_EQ(::symlink("loop", "/srv/loop"), 0);
    EXPECT_EQ(Because("/srv/theirs/link"), "");
    ASSERT_EQ(::chown("/srv/theirs", kSomeone, 0), 0);
    EXPECT_EQ(Because("/srv/theirs/link"), "could be replaced by user 1234, who owns /srv/theirs");
    EXPECT_EQ(Because("/srv/outer"), "could be replaced by user 1234, who owns /srv/theirs");
    EXPECT_EQ(Because("/srv/theirs/../a/own"), "") << "no name of theirs is looked up";
    EXPECT_EQ(Because("/srv/loop"), "cannot be resolved completely");
    EXPECT_EQ(Because("/srv/none"), "cannot be resolved completely");
  });
}

TEST(Replaceable, IncludesWhatContainersCanWriteThroughTheirMounts) {
  InPrivateMounts([] {
    MakeDirectories("/srv/shared/app/data");
    MakeDirectories("/srv/engine/volumes/v/_data/sub/deep");
    EXPECT_EQ(Because("/srv/shared"), "") << "its name is in /srv, which nobody may mount";
    EXPECT_EQ(Because("/srv/shared/app"),
              "could be replaced by a container that mounts /srv/shared, which the policy allows");
    EXPECT_EQ(Because("/srv/engine/volumes/v/_data"), "");
    EXPECT_EQ(Because("/srv/engine/volumes/v/_data/sub"),
              "could be replaced by containers that use the volume /srv/engine/volumes/v/_data");
  });
}

// Root has mounted there what containers write elsewhere.
TEST(Replaceable, IncludesWhatContainersCanWriteUnderAnotherPath) {
  InPrivateMounts([] {
    MakeDirectories("/srv/shared/app/data");
    MakeDirectories("/srv/engine/volumes/v/_data/sub");
    MakeDirectories("/srv/own/app");
    BindMount("/srv/shared", "/srv/alias");
    BindMount("/srv/shared/app", "/srv/deeper");
    BindMount("/srv/engine/volumes/v/_data", "/srv/volume");
    BindMount("/srv/own", "/srv/data/own");
    const std::string kElsewhere = "could be replaced by a container that mounts ";
    EXPECT_EQ(BecauseOfAny("/srv/alias/app"),
              kElsewhere +
                  "/srv/shared, which the policy allows and which the host also has at "
                  "/srv/alias");
    EXPECT_EQ(BecauseOfAny("/srv/deeper/data"),
              kElsewhere +
                  "/srv/shared/app, which the policy allows and which the host also has "
                  "at /srv/deeper");
    EXPECT_EQ(BecauseOfAny("/srv/volume/sub"),
              "could be replaced by containers that use the volume /srv/engine/volumes/v/_data and "
              "which the host also has at /srv/volume");
    EXPECT_EQ(BecauseOfAny("/srv/own/app"),
              kElsewhere +
                  "/srv/data/own, which the policy allows and which the host also has at "
                  "/srv/own");
    EXPECT_EQ(Because("/srv/alias/app"), "") << "by its name alone";
    MakeDirectories("/srv/apart/app");
    BindMount("/srv/apart", "/srv/again");
    EXPECT_EQ(BecauseOfAny("/srv/apart/app"), "") << "no container may mount the other one, either";
    EXPECT_EQ(BecauseOfAny("/srv/again/app"), "");
  });
}

TEST(Replaceable, IncludesWhatContainersAreGiven) {
  InPrivateMounts([] {
    MakeDirectories("/srv/given/app");
    BindMount("/srv/given", "/srv/alias");
    EXPECT_EQ(BecauseOfAny("/srv/given/app"),
              "could be replaced by a container that is given /srv/given, which the policy allows");
    EXPECT_NE(BecauseOfAny("/srv/alias/app"), "");
    EXPECT_EQ(BecauseOfAny("/srv/given"), "");
  });
}

TEST(Replaceable, MountPointsDoNotProtect) {
  InPrivateMounts([] {
    MakeDirectories("/srv/a/b");
    ASSERT_EQ(::chown("/srv/a", kSomeone, 0), 0);
    TmpfsMount("/srv/a/b");
    MakeDirectories("/srv/a/b/c");
    EXPECT_EQ(Because("/srv/a/b"), "could be replaced by user 1234, who owns /srv/a");
    TmpfsMount("/srv/a");
    MakeDirectories("/srv/a/b");
    EXPECT_EQ(Because("/srv/a/b"), "") << "what is covered is not on the way";
  });
}

}  // namespace
}  // namespace runclad::host::replaceable_test
