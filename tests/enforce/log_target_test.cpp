// Log files that do not take a line: each is an error at once, and none holds up the caller.
#include "enforce/log_target.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runclad/base/unique_fd.hpp"
#include "runclad/sys/process.hpp"

namespace runclad::enforce {
namespace {

using ::testing::HasSubstr;

class LogFile : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = "/tmp/runclad-log-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    path_ = folder_ + "/log";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  // The error's sentence, "" where the line was taken.
  static std::string Write(const std::string& path, const std::string& line = "a line") {
    const Status written = WriteToTarget("file:" + path, line);
    return written ? std::string() : written.error().message;
  }
  static std::string Content(const std::string& path) {
    std::stringstream content;
    content << std::ifstream(path).rdbuf();
    return content.str();
  }

  std::string folder_;
  std::string path_;
};

TEST_F(LogFile, TakesOneLineAfterAnotherAndIsItsOwnersAlone) {
  EXPECT_EQ(Write(path_, "first"), "");
  EXPECT_EQ(Write(path_, "second"), "");
  EXPECT_EQ(Content(path_), "first\nsecond\n");
  struct stat status {};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);
}

TEST_F(LogFile, GetsItsDirectory) {
  EXPECT_EQ(Write(folder_ + "/new/log"), "");
  EXPECT_EQ(Content(folder_ + "/new/log"), "a line\n");
  EXPECT_THAT(Write(folder_ + "/no/such/log"),
              HasSubstr("/no/such/log cannot be opened: its directory does not exist; create it"));
}

TEST_F(LogFile, ThatIsAFifoIsNotWaitedFor) {
  ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
  EXPECT_THAT(Write(path_), HasSubstr("it is a FIFO, and its reader is absent or does not read"));
  const UniqueFd reader(::open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  ASSERT_TRUE(reader);
  EXPECT_EQ(Write(path_), "");
  const UniqueFd writer(::open(path_.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
  ASSERT_TRUE(writer);
  const std::string page(4096, 'x');
  while (::write(writer.get(), page.data(), page.size()) > 0) {
  }
  ASSERT_EQ(errno, EAGAIN);
  EXPECT_THAT(Write(path_), HasSubstr("it is a FIFO, and its reader is absent or does not read"));
}

TEST_F(LogFile, ThatIsNotAFileIsNamedSo) {
  EXPECT_THAT(Write(folder_), HasSubstr(folder_ + " cannot be opened: it is a directory"));
  std::filesystem::create_symlink(folder_ + "/target", path_);
  EXPECT_THAT(Write(path_), HasSubstr("it is a symbolic link, which is not followed"));
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/target"));
}

TEST_F(LogFile, OnAFullDiskIsAnError) {
  EXPECT_THAT(Write("/dev/full"), HasSubstr("its disk is full (ENOSPC)"));
}

TEST_F(LogFile, BeyondTheCallersLimitIsAnError) {
  const sys::SignalAction sigxfsz(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit lowered = before;
  lowered.rlim_cur = 1;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &lowered), 0);
  const std::string cut = Write(path_);
  const std::string none = Write(path_);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_THAT(cut, HasSubstr("cannot be written"));
  EXPECT_THAT(none, HasSubstr("RLIMIT_FSIZE"));
}

}  // namespace
}  // namespace runclad::enforce
