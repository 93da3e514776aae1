// Directories of records whose runtime root is gone, and those that only look like it.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "runclad/store/records.hpp"

#include "../mount_namespace.hpp"

namespace runclad::store::records_roots_test {
namespace {

namespace fs = std::filesystem;
using runclad::testing::InPrivateMounts;
using runclad::testing::MakeDirectories;
using runclad::testing::WriteFile;

constexpr timespec kLongAgo[] = {{1'600'000'000, 0}, {1'600'000'000, 0}};

void MakeOld(const std::string& path) {
  EXPECT_EQ(::utimensat(AT_FDCWD, path.c_str(), static_cast<const timespec*>(kLongAgo),
                        AT_SYMLINK_NOFOLLOW),
            0)
      << path;
}

std::string DirectoryOf(const std::string& root) {
  struct stat status {};
  EXPECT_EQ(::stat(root.c_str(), &status), 0) << root;
  return std::string(kRecordsDirectory) + "/" + std::to_string(status.st_dev) + "-" +
         std::to_string(status.st_ino);
}

// In a /run of the test's own.
class Roots {
 public:
  Roots() {
    EXPECT_EQ(::mount("tmpfs", "/run", "tmpfs", 0, "mode=755"), 0);
    MakeDirectories("/run/engine/living");
  }

  // A root, and an old record of a container in it; returns the directory of its records.
  static std::string Make(const std::string& root) {
    MakeDirectories(root);
    const auto records = Records::Open(root, /*create=*/true);
    EXPECT_TRUE(records) << records.error().message;
    std::string directory = DirectoryOf(root);
    WriteFile(directory + "/web.json", "{");
    MakeOld(directory + "/web.json");
    return directory;
  }

  // What the create of another container does.
  static void Sweep() {
    fs::remove(std::string(kRecordsDirectory) + "/swept");
    const auto records = Records::Open("/run/engine/living", /*create=*/true);
    ASSERT_TRUE(records) << records.error().message;
    records->Sweep("/run/engine/living");
  }
};

TEST(RecordsOfARootThatIsGone, AreRemoved) {
  InPrivateMounts([] {
    const Roots roots;
    const std::string gone = Roots::Make("/run/engine/gone");
    const std::string there = Roots::Make("/run/engine/there");
    fs::remove_all("/run/engine/gone");
    Roots::Sweep();
    EXPECT_FALSE(fs::exists(gone));
    EXPECT_TRUE(fs::exists(there + "/web.json"));
  });
}

TEST(RecordsOfARootThatIsGone, AreRemovedIfTheRootWasRecreated) {
  InPrivateMounts([] {
    const Roots roots;
    const std::string before = Roots::Make("/run/engine/root");
    fs::rename("/run/engine/root", "/run/engine/aside");
    const std::string after = Roots::Make("/run/engine/root");
    ASSERT_NE(before, after);
    fs::remove_all("/run/engine/aside");
    Roots::Sweep();
    EXPECT_FALSE(fs::exists(before));
    EXPECT_TRUE(fs::exists(after + "/web.json"));
  });
}

TEST(RecordsOfARootThatIsGone, AreRemovedInBatchesAndNotWhileYoung) {
  InPrivateMounts([] {
    const Roots roots;
    const std::string gone = Roots::Make("/run/engine/gone");
    constexpr int kDead = 150;
    for (int i = 0; i < kDead; ++i) {
      const std::string path = gone + "/dead" + std::to_string(i) + ".json";
      WriteFile(path, "not even JSON");
      MakeOld(path);
    }
    WriteFile(gone + "/young.json", "{");
    fs::remove_all("/run/engine/gone");
    const auto count = [&] { return std::distance(fs::directory_iterator(gone), {}); };
    constexpr int kOthers = 3;  // web.json, young.json, root
    EXPECT_EQ(count(), kDead + kOthers);
    Roots::Sweep();
    EXPECT_EQ(count(), kDead + kOthers - 64);
    Roots::Sweep();
    Roots::Sweep();
    EXPECT_EQ(count(), 2);
    MakeOld(gone + "/young.json");
    Roots::Sweep();
    EXPECT_FALSE(fs::exists(gone));
  });
}

TEST(RecordsOfARootThatIsGone, AreSweptEveryTenMinutes) {
  InPrivateMounts([] {
    const Roots roots;
    const std::string gone = Roots::Make("/run/engine/gone");
    Roots::Sweep();
    fs::remove_all("/run/engine/gone");
    const auto records = Records::Open("/run/engine/living", /*create=*/true);
    records->Sweep("/run/engine/living");
    EXPECT_TRUE(fs::exists(gone + "/web.json"));
  });
}

TEST(RecordsOfARootThatLooksGone, StayWhileACreateHoldsThem) {
  InPrivateMounts([] {
    const Roots roots;
    const std::string directory = Roots::Make("/run/engine/root");
    {
      const auto held = Records::Open("/run/engine/root", /*create=*/true);
      fs::remove_all("/run/engine/root");
      Roots::Sweep();
      EXPECT_TRUE(fs::exists(directory + "/web.json"));
    }
    Roots::Sweep();
    EXPECT_FALSE(fs::exists(directory));
  });
}

TEST(RecordsOfARootThatLooksGone, StayWhileTheirProcessLives) {
  InPrivateMounts([] {
    const Roots roots;
    const std::string directory = Roots::Make("/run/engine/root");
    const std::string link = directory + "/pid-" + std::to_string(::getpid());
    fs::create_symlink("web", link);
    MakeOld(link);
    fs::rename("/run/engine/root", "/run/engine/renamed");
    Roots::Sweep();
    EXPECT_TRUE(fs::exists(directory + "/web.json"));
    fs::remove(link);
    Roots::Sweep();
    EXPECT_FALSE(fs::exists(directory));
  });
}

TEST(RecordsOfARootThatLooksGone, StayIfTheRootIsCoveredByAMount) {
  InPrivateMounts([] {
    const Roots roots;
    const std::string directory = Roots::Make("/run/engine/state/root");
    ASSERT_EQ(::mount("tmpfs", "/run/engine/state", "tmpfs", 0, nullptr), 0);
    Roots::Sweep();
    EXPECT_TRUE(fs::exists(directory + "/web.json"));
    MakeDirectories("/run/engine/state/root");
    Roots::Sweep();
    EXPECT_TRUE(fs::exists(directory + "/web.json"));
  });
}

TEST(RecordsOfARootThatLooksGone, StayIfOthersCanMoveTheRoot) {
  InPrivateMounts([] {
    const Roots roots;
    MakeDirectories("/run/open");
    const std::string directory = Roots::Make("/run/open/root");
    ASSERT_EQ(::chmod("/run/open", 0777), 0);
    fs::remove_all("/run/open/root");
    Roots::Sweep();
    EXPECT_TRUE(fs::exists(directory + "/web.json"));
    ASSERT_EQ(::chmod("/run/open", 0755), 0);
    fs::create_symlink("/nowhere", "/run/open/root");
    Roots::Sweep();
    EXPECT_TRUE(fs::exists(directory + "/web.json"));
  });
}

TEST(RecordsOfARootThatLooksGone, StayIfTheRootIsInAnotherMountNamespace) {
  InPrivateMounts([] {
    const Roots roots;
    const std::string directory = Roots::Make("/run/engine/root");
    fs::remove_all("/run/engine/root");
    ASSERT_EQ(::unshare(CLONE_NEWNS), 0);
    Roots::Sweep();
    EXPECT_TRUE(fs::exists(directory + "/web.json"));
  });
}

TEST(RecordsOfARootThatLooksGone, StayIfTheRootIsUnknown) {
  InPrivateMounts([] {
    const Roots roots;
    const std::string directory = Roots::Make("/run/engine/root");
    fs::remove(directory + "/root");
    fs::remove_all("/run/engine/root");
    WriteFile(std::string(kRecordsDirectory) + "/1-2x", "");
    MakeDirectories(std::string(kRecordsDirectory) + "/other");
    Roots::Sweep();
    EXPECT_TRUE(fs::exists(directory + "/web.json"));
    EXPECT_TRUE(fs::exists(std::string(kRecordsDirectory) + "/1-2x"));
    EXPECT_TRUE(fs::exists(std::string(kRecordsDirectory) + "/other"));
  });
}

// What a sweep does while a create comes, stretched.
TEST(RecordsOfARoot, AreRecreatedAfterAConcurrentSweep) {
  InPrivateMounts([] {
    const Roots roots;
    const std::string directory = Roots::Make("/run/engine/root");
    const int held = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ASSERT_EQ(::flock(held, LOCK_EX), 0);
    std::thread create([] {
      const auto records = Records::Open("/run/engine/root", /*create=*/true);
      ASSERT_TRUE(records) << records.error().message;
      const auto written = records->Write({.id = "new"}, R"({"id":"new","pid":0,"startTime":0})");
      EXPECT_TRUE(written) << written.error().message;
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    fs::remove_all(directory);
    ::close(held);
    create.join();
    EXPECT_TRUE(fs::exists(directory + "/new.json"));
    EXPECT_TRUE(fs::is_symlink(directory + "/root"));
  });
}

TEST(RecordsOfARoot, AreFoundUnderAnotherNameOfTheRoot) {
  InPrivateMounts([] {
    const Roots roots;
    const std::string directory = Roots::Make("/run/engine/root");
    fs::rename("/run/engine/root", "/run/engine/renamed");
    ASSERT_TRUE(Records::Open("/run/engine/renamed", /*create=*/true));
    Roots::Sweep();
    EXPECT_TRUE(fs::exists(directory + "/web.json"));
    fs::create_directory_symlink("/run/engine/renamed", "/run/engine/link");
    ASSERT_TRUE(Records::Open("/run/engine/link", /*create=*/true));
    fs::remove("/run/engine/link");
    Roots::Sweep();
    EXPECT_TRUE(fs::exists(directory + "/web.json"));
  });
}

}  // namespace
}  // namespace runclad::store::records_roots_test
