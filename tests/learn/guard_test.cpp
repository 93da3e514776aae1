#include "learn/guard.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <string>

#include <gtest/gtest.h>
#include <poll.h>

namespace runclad::learn::guard_test {
namespace {

// What the guard of a process writes when that process ends so.
template <typename End>
std::string WrittenAfter(End end) {
  std::array<int, 2> pipe{};
  EXPECT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
  const pid_t process = ::fork();
  if (process == 0) {
    end([&] { static_cast<void>(::write(pipe[1], "cleaned", 7) == 7); });
    ::_exit(0);
  }
  ::close(pipe[1]);
  ::waitpid(process, nullptr, 0);
  // Its end comes with the guard's.
  std::string text;
  std::array<char, 16> buffer{};
  for (ssize_t got = 0; (got = ::read(pipe[0], buffer.data(), buffer.size())) > 0;) {
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  ::close(pipe[0]);
  return text;
}

TEST(Guard, CleansUpAfterAProcessThatWasKilled) {
  EXPECT_EQ(WrittenAfter([](const auto& clean_up) {
              const Guard guard(clean_up);
              ::kill(::getpid(), SIGKILL);
            }),
            "cleaned");
}

TEST(Guard, AfterOneThatExitsInTheMiddleToo) {
  EXPECT_EQ(WrittenAfter([](const auto& clean_up) {
              const Guard guard(clean_up);
              ::_exit(1);
            }),
            "cleaned");
}

TEST(Guard, NotAfterOneThatHasDestroyedIt) {
  EXPECT_EQ(WrittenAfter([](const auto& clean_up) { const Guard guard(clean_up); }), "");
}

TEST(Guard, IsNotInTheProcessGroup) {
  EXPECT_EQ(WrittenAfter([](const auto& clean_up) {
              ::setpgid(0, 0);
              const Guard guard(clean_up);
              ::usleep(1'000'000);
              ::kill(0, SIGKILL);
            }),
            "cleaned");
}

}  // namespace
}  // namespace runclad::learn::guard_test
