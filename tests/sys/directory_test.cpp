#include "runclad/sys/directory.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "runclad/base/unique_fd.hpp"

#include "../mount_namespace.hpp"

namespace runclad::sys::directory_test {
namespace {

TEST(Directory, IsMadeForItsOwnerAlone) {
  const std::string path = ::testing::TempDir() + "private-directory";
  std::filesystem::remove_all(path);
  EXPECT_TRUE(MakePrivateDirectory(path));
  EXPECT_EQ(std::filesystem::status(path).permissions(), std::filesystem::perms(0700));
  EXPECT_TRUE(MakePrivateDirectory(path)) << "it is there";
  const Status made = MakePrivateDirectory(path + "/none/below");
  EXPECT_EQ(errno, ENOENT);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().message,
            "the directory " + path + "/none/below cannot be created (ENOENT)");
  std::filesystem::remove_all(path);
}

TEST(Directory, CanBeReadRepeatedly) {
  const std::string path = ::testing::TempDir() + "directory-test";
  std::filesystem::remove_all(path);
  std::set<std::string> made;
  for (int i = 0; i < 1000; ++i) {
    const std::string name = "entry-" + std::to_string(i);
    runclad::testing::WriteFile(path + "/" + name);
    made.insert(name);
  }
  const UniqueFd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (int time = 0; time < 2; ++time) {
    std::set<std::string> visited;
    EXPECT_TRUE(VisitEntries(directory.get(), [&](const dirent& entry) {
      visited.insert(static_cast<const char*>(entry.d_name));
      return true;
    }));
    EXPECT_EQ(visited, made);
  }
  int count = 0;
  EXPECT_TRUE(VisitEntries(directory.get(), [&](const dirent&) { return ++count < 3; }));
  EXPECT_EQ(count, 3);
  std::filesystem::remove_all(path);
  EXPECT_FALSE(VisitEntries(-1, [](const dirent&) { return true; }));
}

TEST(Directory, NamesAreSorted) {
  const std::string path = ::testing::TempDir() + "directory-names";
  std::filesystem::remove_all(path);
  for (const char* name : {"b", "a", ".hidden", "c d"}) {
    runclad::testing::WriteFile(path + "/" + name);
  }
  EXPECT_EQ(NamesIn(path), (std::vector<std::string>{".hidden", "a", "b", "c d"}));
  EXPECT_EQ(NamesIn(path + "/none"), std::vector<std::string>());
  EXPECT_FALSE(ReadNames(path + "/none"));
  EXPECT_EQ(errno, ENOENT);
  EXPECT_FALSE(ReadNames(path + "/a"));
  EXPECT_EQ(errno, ENOTDIR);
  std::filesystem::remove_all(path);
}

// The threads of a process that is gone.
TEST(Directory, CannotBeReadThroughADescriptorAlone) {
  const pid_t child = ::fork();
  if (child == 0) ::pause();
  const UniqueFd tasks(::open(("/proc/" + std::to_string(child) + "/task").c_str(),
                              O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  ASSERT_TRUE(tasks);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_FALSE(VisitEntries(tasks.get(), [](const dirent&) { return true; }));
  EXPECT_EQ(errno, ESRCH);
}

TEST(Directory, OfDirectoriesAloneIsRemoved) {
  namespace fs = std::filesystem;
  const std::string path = ::testing::TempDir() + "squatter";
  fs::remove_all(path);
  EXPECT_FALSE(RemoveEmptyDirectories(path)) << "there is none";
  fs::create_directories(path);
  EXPECT_TRUE(RemoveEmptyDirectories(path));
  std::string deep = path;
  while (deep.size() < 1000) deep += "/d";
  fs::create_directories(deep);
  fs::create_directories(path + "/other/one");
  EXPECT_TRUE(RemoveEmptyDirectories(path));
  EXPECT_FALSE(fs::exists(path));
}

TEST(Directory, WithAnythingElseInItStaysAsItIs) {
  namespace fs = std::filesystem;
  const std::string path = ::testing::TempDir() + "squatter-with-more";
  fs::remove_all(path);
  fs::create_directories(path + "/a/b");
  fs::create_directories(path + "/z");
  fs::create_symlink("a", path + "/m");
  EXPECT_FALSE(RemoveEmptyDirectories(path)) << "a link is in it";
  EXPECT_TRUE(fs::exists(path + "/a/b") && fs::exists(path + "/z"));
  fs::remove(path + "/m");
  runclad::testing::WriteFile(path + "/a/b/file");
  EXPECT_FALSE(RemoveEmptyDirectories(path)) << "a file is in it";
  EXPECT_TRUE(fs::exists(path + "/a/b/file") && fs::exists(path + "/z"));
  EXPECT_FALSE(RemoveEmptyDirectories(path + "/a/b/file"));
  fs::create_directory_symlink(path + "/z", path + "/link");
  EXPECT_FALSE(RemoveEmptyDirectories(path + "/link"));
  EXPECT_TRUE(fs::exists(path + "/z"));
  fs::remove_all(path);
}

}  // namespace
}  // namespace runclad::sys::directory_test
