// The log as a file: what does not take a line is an error at once, and none holds up the caller;
// rotation loses and tears no line.
#include "enforce/log_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runclad/base/unique_fd.hpp"
#include "runclad/sys/process.hpp"

#include "../mount_namespace.hpp"

namespace runclad::enforce::log_file_test {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

class LogFile : public ::testing::Test {
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
    const Status written = AppendToLog(path, line, {});
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

TEST_F(LogFile, AppendsLinesAndIsReadableByItsOwnerOnly) {
  EXPECT_EQ(Write(path_, "first"), "");
  EXPECT_EQ(Write(path_, "second"), "");
  EXPECT_EQ(Content(path_), "first\nsecond\n");
  struct stat status {};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);
}

TEST_F(LogFile, CreatesItsDirectory) {
  EXPECT_EQ(Write(folder_ + "/new/log"), "");
  EXPECT_EQ(Content(folder_ + "/new/log"), "a line\n");
  EXPECT_THAT(Write(folder_ + "/no/such/log"),
              HasSubstr("/no/such/log cannot be opened: its directory does not exist; create it"));
}

TEST_F(LogFile, DoesNotBlockOnAFifo) {
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

// dockerd creates a missing source of a bind mount as directories, at any path that its users name.
TEST_F(LogFile, ReplacesEmptyDirectories) {
  std::filesystem::create_directories(path_ + "/a/b");
  EXPECT_EQ(Write(path_), "");
  EXPECT_EQ(Content(path_), "a line\n");
}

TEST_F(LogFile, IsRecreatedAfterItWasMovedAside) {
  ASSERT_TRUE(AppendToLog(path_, "a line", {.max_bytes = 1, .keep = 3}));
  struct stat status {};
  ASSERT_EQ(::lstat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode, mode_t{S_IFREG | 0600});
  EXPECT_EQ(status.st_size, 0);
}

TEST_F(LogFile, ErrorSaysThatItIsNotAFile) {
  std::ofstream(folder_ + "/other");
  EXPECT_THAT(Write(folder_), HasSubstr(folder_ + " cannot be opened: it is a directory"));
  std::filesystem::create_symlink(folder_ + "/target", path_);
  EXPECT_THAT(Write(path_), HasSubstr("it is a symbolic link, which is not followed"));
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/target"));
}

TEST_F(LogFile, OnAFullDiskIsAnError) {
  EXPECT_THAT(Write("/dev/full"), HasSubstr("its disk is full (ENOSPC)"));
}

TEST_F(LogFile, BeyondTheFileSizeLimitIsAnError) {
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

// The lines of the log and of what was moved aside, and how many files these are.
struct Lines {
  std::multiset<std::string> lines;
  std::size_t rotated = 0;
};
Lines LinesBelow(const std::string& folder) {
  Lines found;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename();
    if (name != "log") {
      ++found.rotated;
      EXPECT_THAT(name, MatchesRegex("log-[0-9]{8}T[0-9]{6}[.][0-9]{6}Z"));
    }
    std::ifstream file(entry.path());
    for (std::string line; std::getline(file, line);) found.lines.insert(line);
  }
  return found;
}

TEST_F(LogFile, RotatesUnder64WritersWithoutLosingOrTearingALine) {
  constexpr int kWriters = 64;
  constexpr int kLines = 50;
  const std::string filling(200, 'x');
  std::vector<std::thread> writers;
  for (int writer = 0; writer < kWriters; ++writer) {
    writers.emplace_back([&, writer] {
      for (int line = 0; line < kLines; ++line) {
        const auto written =
            AppendToLog(path_, std::to_string(writer) + "-" + std::to_string(line) + filling,
                        {.max_bytes = 4000, .keep = 1000});
        EXPECT_TRUE(written) << written.error().message;
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  std::multiset<std::string> expected;
  for (int writer = 0; writer < kWriters; ++writer) {
    for (int line = 0; line < kLines; ++line) {
      expected.insert(std::to_string(writer) + "-" + std::to_string(line) + filling);
    }
  }
  const Lines found = LinesBelow(folder_);
  EXPECT_EQ(found.lines, expected);
  EXPECT_GE(found.rotated, 2U);
}

TEST_F(LogFile, KeepsTheNewestRotatedFilesAndLeavesOthersAlone) {
  std::ofstream(path_ + "-20260101") << "another program's\n";
  std::ofstream(path_ + ".1") << "logrotate's\n";
  for (int line = 0; line < 8; ++line) {
    ASSERT_TRUE(AppendToLog(path_, "line " + std::to_string(line), {.max_bytes = 1, .keep = 3}));
  }
  std::filesystem::remove(path_ + ".1");
  std::filesystem::remove(path_ + "-20260101");
  const Lines found = LinesBelow(folder_);
  EXPECT_EQ(found.rotated, 3U);
  EXPECT_EQ(found.lines, (std::multiset<std::string>{"line 5", "line 6", "line 7"}));
}

TEST_F(LogFile, IsNotRemovedWhileAWriterHoldsIt) {
  ASSERT_EQ(Write(path_, "held"), "");
  UniqueFd held(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(::flock(held.get(), LOCK_SH), 0);
  for (int line = 0; line < 4; ++line) {
    ASSERT_TRUE(AppendToLog(path_, "line " + std::to_string(line), {.max_bytes = 1, .keep = 1}));
  }
  EXPECT_EQ(LinesBelow(folder_).lines, (std::multiset<std::string>{"held", "line 0", "line 3"}));
  held = UniqueFd();
  ASSERT_TRUE(AppendToLog(path_, "last", {.max_bytes = 1, .keep = 1}));
  EXPECT_EQ(LinesBelow(folder_).lines, std::multiset<std::string>{"last"});
}

TEST_F(LogFile, AcceptsALineWhileAnotherProgramLocksIt) {
  ASSERT_EQ(Write(path_), "");
  const UniqueFd held(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(::flock(held.get(), LOCK_EX), 0);
  EXPECT_EQ(Write(path_, "more"), "");
  EXPECT_EQ(Content(path_), "a line\nmore\n");
}

TEST_F(LogFile, HasNoPartialLineOnADiskThatFillsUp) {
  testing::InPrivateMounts([] {
    ASSERT_EQ(::mount("tmpfs", "/srv", "tmpfs", 0, "size=64k,mode=755"), 0);
    const std::string line(10000, 'x');
    std::size_t taken = 0;
    while (AppendToLog("/srv/log", line, {}) && taken < 100) ++taken;
    EXPECT_EQ(taken, 6U);
    std::ifstream file("/srv/log");
    for (std::string read; std::getline(file, read);) EXPECT_EQ(read.size(), line.size());
    EXPECT_EQ(std::filesystem::file_size("/srv/log") % (line.size() + 1), 0U);
  });
}

}  // namespace
}  // namespace runclad::enforce::log_file_test
