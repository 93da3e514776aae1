// Where names lead.
#include "runclad/sys/links.hpp"

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <stdlib.h>

namespace runclad::sys::links_test {
namespace {

namespace fs = std::filesystem;

class Links : public ::testing::Test {
 protected:
  Links() {
    std::string name = fs::canonical(fs::temp_directory_path()).string() + "/links-XXXXXX";
    directory_ = ::mkdtemp(name.data());
    std::ofstream(directory_ + "/file") << "text";
    fs::create_symlink("file", directory_ + "/link");
    fs::create_symlink("absent", directory_ + "/dangling");
  }
  ~Links() override { fs::remove_all(directory_); }
  Links(const Links&) = delete;
  Links& operator=(const Links&) = delete;

  std::string directory_;
};

TEST_F(Links, ATargetIsReadAsWritten) {
  EXPECT_EQ(ReadLink(directory_ + "/link"), "file");
  EXPECT_EQ(ReadLink(directory_ + "/dangling"), "absent");
  EXPECT_EQ(ReadLink(directory_ + "/file"), "");
  EXPECT_EQ(ReadLink(directory_ + "/absent"), "");
  EXPECT_TRUE(ReadLink("/proc/self/ns/mnt").starts_with("mnt:["));
}

TEST_F(Links, OnlyWhatExistsHasACanonicalPath) {
  EXPECT_EQ(Canonical(directory_ + "/link"), directory_ + "/file");
  EXPECT_EQ(Canonical(directory_ + "/../" + directory_.substr(directory_.rfind('/') + 1)),
            directory_);
  EXPECT_EQ(Canonical(directory_ + "/dangling"), "");
}

TEST_F(Links, ALinkToAFileIsNotAFile) {
  EXPECT_TRUE(IsFile(directory_ + "/file"));
  EXPECT_FALSE(IsFile(directory_ + "/link"));
  EXPECT_FALSE(IsFile(directory_));
}

}  // namespace
}  // namespace runclad::sys::links_test
