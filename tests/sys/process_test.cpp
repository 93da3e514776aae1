#include "runclad/sys/process.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <string>
#include <thread>

#include <gtest/gtest.h>

namespace runclad::sys::process_test {
namespace {

TEST(StartTime, ExistsForLivingProcessesOnly) {
  EXPECT_TRUE(StartTime(::getpid()));
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) ::_exit(0);
  siginfo_t ended{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOWAIT), 0);
  EXPECT_FALSE(StartTime(child)) << "a zombie";
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_FALSE(StartTime(child)) << "gone";
}

TEST(StartTime, ExistsWhereTheFirstThreadAloneHasEnded) {
  const pid_t child = ::fork();
  if (child == 0) {
    std::thread([] { ::pause(); }).detach();
    ::syscall(SYS_exit, 0);
  }
  const auto is_zombie = [&] {
    std::ifstream stat("/proc/" + std::to_string(child) + "/stat");
    std::string text;
    std::getline(stat, text);
    return text.find(") Z ") != std::string::npos;
  };
  for (int tries = 0; tries < 500 && !is_zombie(); ++tries) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_TRUE(is_zombie());
  EXPECT_TRUE(GroupStartTime(child));
  EXPECT_FALSE(StartTime(child)) << "the runtimes call it stopped";
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_FALSE(GroupStartTime(child));
}

TEST(StandardStreams, AreOpenedIfTheCallerClosedThem) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::close(STDIN_FILENO);
    ::close(STDERR_FILENO);
    KeepStandardStreams();
    struct stat null {};
    struct stat input {};
    const bool is_kept = ::stat("/dev/null", &null) == 0 && ::fstat(STDIN_FILENO, &input) == 0 &&
                         input.st_rdev == null.st_rdev && ::write(STDERR_FILENO, "x", 1) == 1 &&
                         ::open("/", O_PATH | O_CLOEXEC) > STDERR_FILENO;
    ::_exit(is_kept ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(SignalAction, RestoresTheCallersAction) {
  struct sigaction now {};
  for (auto* const callers : {SIG_DFL, SIG_IGN}) {
    const SignalAction outer(SIGPIPE, callers);
    {
      const SignalAction inner(SIGPIPE, SIG_IGN);
      ASSERT_EQ(::sigaction(SIGPIPE, nullptr, &now), 0);
      EXPECT_EQ(now.sa_handler, SIG_IGN);
    }
    ASSERT_EQ(::sigaction(SIGPIPE, nullptr, &now), 0);
    EXPECT_EQ(now.sa_handler, callers);
  }
}

TEST(RunAndWait, ReturnsTheStatusOfTheChild) {
  EXPECT_EQ(*RunAndWait("/bin/sh", {"sh", "-c", "exit 7"}), 7);
  EXPECT_EQ(*RunAndWait("/bin/sh", {"sh", "-c", "kill -TERM $$"}), 128 + SIGTERM);
}

TEST(RunAndWait, WorksIfTheCallerIgnoresSigchld) {
  const SignalAction ignored(SIGCHLD, SIG_IGN);
  EXPECT_EQ(*RunAndWait("/bin/sh", {"sh", "-c", "exit 7"}), 7);
}

TEST(RunAndWait, NamesTheProgramThatCannotBeExecuted) {
  EXPECT_EQ(RunAndWait("/nonexistent", {"x"}).error().message,
            "the lower runtime /nonexistent cannot be executed (ENOENT)");
}

}  // namespace
}  // namespace runclad::sys::process_test
