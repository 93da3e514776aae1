// Who may own a bundle, and what becomes of one that podman gave to the container's root.
#include "runclad/sys/bundle.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <functional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../mount_namespace.hpp"

namespace runclad::sys::bundle_test {
namespace {

using runclad::testing::InPrivateMounts;
using runclad::testing::WriteFile;

constexpr uid_t kMapped = 100000;
constexpr std::size_t kMaxBytes = 1024;
const std::string kBundle = "/srv/storage/overlay-containers/abc/userdata";
const std::string kConfig = kBundle + "/config.json";

void Chown(const std::string& path, uid_t owner) {
  EXPECT_EQ(::chown(path.c_str(), owner, kMapped), 0) << path;
}

void MakeBundle() {
  std::filesystem::remove_all("/srv/storage");
  WriteFile(kConfig, "{}");
  ASSERT_EQ(::chown(kBundle.c_str(), kMapped, kMapped), 0);
  ASSERT_EQ(::chmod(kBundle.c_str(), 0700), 0);
}

Result<Bundle> Open(uid_t mapped_root = kMapped) {
  return Bundle::Open(kBundle, kMaxBytes,
                      [=](const std::string&) { return std::optional(mapped_root); });
}

struct stat StatusOf(const std::string& path) {
  struct stat status {};
  EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
  return status;
}

// Whether the mapped root, as a user of the host, can move config.json away.
bool CanExchange() {
  const pid_t child = ::fork();
  if (child == 0) {
    const bool is_done = ::setgid(kMapped) == 0 && ::setuid(kMapped) == 0 &&
                         ::rename(kConfig.c_str(), (kConfig + ".old").c_str()) == 0;
    ::_exit(is_done ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status == 0;
}

TEST(Bundle, AcceptsABundleOwnedByTheMappedRoot) {
  InPrivateMounts([] {
    MakeBundle();
    ASSERT_TRUE(CanExchange()) << "it could before";
    MakeBundle();
    const auto bundle = Open();
    ASSERT_TRUE(bundle) << bundle.error().message;
    EXPECT_EQ(StatusOf(kBundle).st_uid, kMapped) << "reading changes nothing";
    ASSERT_TRUE(bundle->TakeOwnership());
    EXPECT_EQ(StatusOf(kBundle).st_uid, 0U);
    EXPECT_EQ(StatusOf(kBundle).st_gid, kMapped) << "it still passes through";
    EXPECT_EQ(StatusOf(kBundle).st_mode & 07777, 0710U);
    EXPECT_FALSE(CanExchange());
    ASSERT_TRUE(bundle->ReplaceConfig("{\"x\":1}"));
    EXPECT_EQ(StatusOf(kConfig).st_uid, 0U);
    // A second start finds it as podman makes it again, or as it was left.
    ASSERT_TRUE(Open());
    ASSERT_TRUE(Open()->TakeOwnership());
    EXPECT_EQ(StatusOf(kBundle).st_mode & 07777, 0710U);
  });
}

TEST(Bundle, RefusesABundleOfAnotherUser) {
  InPrivateMounts([] {
    struct Case {
      const char* name;
      std::function<void()> change;
    };
    const Case cases[] = {
        {"another owner", [] { Chown(kBundle, 1000); }},
        {"its group may write", [] { ::chmod(kBundle.c_str(), 0770); }},
        {"all may write", [] { ::chmod(kBundle.c_str(), 01777); }},
        {"the directory above is somebody else's",
         [] { Chown("/srv/storage/overlay-containers/abc", kMapped); }},
        {"the storage is writable by all", [] { ::chmod("/srv/storage", 0777); }},
        {"config.json is the mapped root's", [] { Chown(kConfig, kMapped); }},
        {"config.json is writable by all", [] { ::chmod(kConfig.c_str(), 0666); }},
        {"config.json is a link",
         [] {
           std::filesystem::rename(kConfig, "/srv/storage/elsewhere");
           std::filesystem::create_symlink("/srv/storage/elsewhere", kConfig);
         }},
    };
    for (const Case& one : cases) {
      SCOPED_TRACE(one.name);
      MakeBundle();
      ASSERT_TRUE(Open());
      one.change();
      EXPECT_FALSE(Open());
    }
    // In mode audit nothing is taken and nothing refused: the fault is there to be told.
    for (const Case& one : cases) {
      SCOPED_TRACE(one.name);
      MakeBundle();
      one.change();
      const auto kept = Bundle::Open(
          kBundle, kMaxBytes, [](const std::string&) { return std::optional(kMapped); },
          Bundle::Faults::kKeep);
      ASSERT_TRUE(kept) << kept.error().message;
      EXPECT_EQ(kept->config(), "{}");
      ASSERT_TRUE(kept->fault());
      EXPECT_EQ(kept->fault()->message, Open().error().message);
    }
    MakeBundle();
    ASSERT_TRUE(Open());
    EXPECT_FALSE(Open()->fault());
    EXPECT_FALSE(Open(kMapped + 1)) << "config.json maps another root";
    EXPECT_FALSE(Bundle::Open(kBundle, kMaxBytes)) << "nobody asks for a mapping";
    EXPECT_FALSE(Bundle::Open(kBundle, kMaxBytes, [](const std::string&) {
      return std::optional<uid_t>();
    })) << "config.json asks for no user namespace";
  });
}

TEST(Bundle, LeavesTheOwnerOfARootOwnedBundle) {
  InPrivateMounts([] {
    MakeBundle();
    ASSERT_EQ(::chown(kBundle.c_str(), 0, kMapped), 0);
    const auto bundle = Open();
    ASSERT_TRUE(bundle) << bundle.error().message;
    ASSERT_TRUE(bundle->TakeOwnership());
    EXPECT_EQ(StatusOf(kBundle).st_mode & 07777, 0700U);
  });
}

}  // namespace
}  // namespace runclad::sys::bundle_test
