#include "runclad/sys/file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <climits>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

namespace runclad::sys::file_test {
namespace {

TEST(ReplaceFile, TakesItsTemporaryNameFromADirectory) {
  std::string folder = "/tmp/runclad-replace-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const auto directory = OpenDirectory(folder);
  ASSERT_TRUE(directory);
  std::filesystem::create_directories(folder + "/" + std::string(kTemporaryPrefix) +
                                      std::to_string(::getpid()) + "/inside");
  const auto written = ReplaceFile(directory->get(), "n", "", 0600, ::geteuid(), ::getegid());
  EXPECT_TRUE(written) << written.error().message;
  std::filesystem::remove_all(folder);
}

// A user of dockerd can have directories made at any path, and nothing else.
TEST(ReplaceFile, TakesTheNameFromDirectoriesAlone) {
  std::string folder = "/tmp/runclad-replace-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const auto directory = OpenDirectory(folder);
  ASSERT_TRUE(directory);
  std::filesystem::create_directories(folder + "/n/inside");
  const auto written = ReplaceFile(directory->get(), "n", "bytes", 0600, ::geteuid(), ::getegid());
  EXPECT_TRUE(written) << written.error().message;
  EXPECT_EQ(*ReadTrustedFile(directory->get(), "n", NAME_MAX), "bytes");
  std::filesystem::create_directories(folder + "/full");
  std::ofstream(folder + "/full/file") << "x";
  EXPECT_FALSE(ReplaceFile(directory->get(), "full", "", 0600, ::geteuid(), ::getegid()));
  EXPECT_TRUE(std::filesystem::exists(folder + "/full/file"));
  const std::filesystem::directory_iterator files(folder);
  EXPECT_EQ(std::distance(begin(files), end(files)), 2);
  std::filesystem::remove_all(folder);
}

TEST(ReplaceFile, AcceptsTheLongestNameAndLeavesNoTemporaryFile) {
  std::string folder = "/tmp/runclad-replace-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const auto directory = OpenDirectory(folder);
  ASSERT_TRUE(directory);
  const std::string name(NAME_MAX, 'n');
  for (const char* bytes : {"first", "second"}) {
    const auto written = ReplaceFile(directory->get(), name, bytes, 0600, ::geteuid(), ::getegid());
    ASSERT_TRUE(written) << written.error().message;
    EXPECT_EQ(*ReadTrustedFile(directory->get(), name, NAME_MAX), bytes);
  }
  EXPECT_FALSE(ReplaceFile(directory->get(), name + "n", "", 0600, ::geteuid(), ::getegid()));
  const std::filesystem::directory_iterator files(folder);
  EXPECT_EQ(std::distance(begin(files), end(files)), 1);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace runclad::sys::file_test
