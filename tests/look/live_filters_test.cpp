#include <linux/audit.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <fstream>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runclad/look/filters.hpp"
#include "runclad/sys/process.hpp"

#include "victim.hpp"

namespace runclad::look::live_filters_test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// "S" (sleeping), "T" (stopped), "t" (stopped by a tracer)
char StateOf(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("State:")) return line.at(7);
  }
  return '?';
}

bool Becomes(pid_t pid, char state) {
  for (int i = 0; i < 500; ++i) {
    if (StateOf(pid) == state) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return false;
}

seccomp_data Call(int number) {
  seccomp_data call{};
  call.nr = number;
  call.arch = AUDIT_ARCH_X86_64;
  return call;
}

TEST(LiveFilters, ReadsEveryFilterOfATaskAndLetsItGoOn) {
  const Victim victim([] {
    LoadFilter(SYS_getpriority, ENOSYS);
    LoadFilter(SYS_acct, EPERM);
  });
  ASSERT_TRUE(victim.is_ready());
  const Task tasks[] = {victim.task()};
  const auto found = ReadFilters(tasks);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_THAT(found[0].unknown_because, IsEmpty());
  ASSERT_THAT(found[0].programs, SizeIs(2));
  EXPECT_EQ(found[0].programs[0].at(1).k, static_cast<std::uint32_t>(SYS_acct)) << "newest first";
  EXPECT_EQ(privilege::RunFilters(found[0].programs, Call(SYS_getpriority)),
            SECCOMP_RET_ERRNO | ENOSYS);
  EXPECT_EQ(privilege::RunFilters(found[0].programs, Call(SYS_getpid)), SECCOMP_RET_ALLOW);
  EXPECT_TRUE(Becomes(victim.pid(), 'S'));
}

TEST(LiveFilters, ATaskWithoutFiltersHasNone) {
  const Victim victim([] {});
  const Task tasks[] = {victim.task()};
  const auto found = ReadFilters(tasks);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_THAT(found[0].unknown_because, IsEmpty());
  EXPECT_THAT(found[0].programs, IsEmpty());
}

TEST(LiveFilters, ReadsManyTasksInTheirOrder) {
  const Victim with([] { LoadFilter(SYS_acct, EPERM); });
  const Victim without([] {});
  const Task tasks[] = {with.task(), {1 << 22, 1}, without.task(), with.task()};
  const auto found = ReadFilters(tasks);
  ASSERT_THAT(found, SizeIs(4));
  EXPECT_THAT(found[0].programs, SizeIs(1));
  EXPECT_THAT(found[1].unknown_because, HasSubstr("has ended"));
  EXPECT_TRUE(found[1].has_ended);
  EXPECT_FALSE(found[0].has_ended);
  EXPECT_THAT(found[2].programs, IsEmpty());
  EXPECT_THAT(found[3].programs, SizeIs(1));
}

TEST(LiveFilters, AnotherProcessWithThePidIsNotRead) {
  const Victim victim([] { LoadFilter(SYS_acct, EPERM); });
  const Task tasks[] = {{victim.pid(), victim.task().start_time + 1}};
  const auto found = ReadFilters(tasks);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_THAT(found[0].unknown_because, HasSubstr("has ended"));
  EXPECT_THAT(found[0].programs, IsEmpty());
  EXPECT_TRUE(Becomes(victim.pid(), 'S'));
}

TEST(LiveFilters, ATracedTaskIsUnknown) {
  const Victim victim([] { LoadFilter(SYS_acct, EPERM); });
  ASSERT_EQ(::ptrace(PTRACE_SEIZE, victim.pid(), nullptr, nullptr), 0);
  const Task tasks[] = {victim.task()};
  const auto found = ReadFilters(tasks);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_THAT(found[0].unknown_because, HasSubstr("another program traces the task"));
}

// It could start a program that goes on under the id of the one that is read.
TEST(LiveFilters, AThreadThatWasNotListedMakesItUnknown) {
  const Victim victim([] {
    std::thread([] { ::pause(); }).detach();
    LoadFilter(SYS_acct, EPERM);
  });
  Task task = victim.task();
  task.process = task.id;
  for (const std::size_t threads : {1, 2}) {
    task.threads = threads;
    const auto found = ReadFilters({&task, 1});
    ASSERT_THAT(found, SizeIs(1));
    EXPECT_EQ(found[0].has_ended, threads == 1);
  }
}

TEST(LiveFilters, NothingIsReadAfterTheDeadline) {
  const Victim victim([] { LoadFilter(SYS_acct, EPERM); });
  const Task tasks[] = {victim.task(), victim.task()};
  const auto found = ReadFilters(tasks, std::chrono::milliseconds(200),
                                 std::chrono::steady_clock::now() - std::chrono::seconds(1));
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_THAT(found[1].unknown_because, HasSubstr("could not be read"));
}

TEST(LiveFilters, AStoppedTaskStaysStopped) {
  const Victim victim([] { LoadFilter(SYS_acct, EPERM); });
  ::kill(victim.pid(), SIGSTOP);
  ASSERT_TRUE(Becomes(victim.pid(), 'T'));
  const Task tasks[] = {victim.task()};
  const auto found = ReadFilters(tasks);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_THAT(found[0].programs, SizeIs(1));
  EXPECT_TRUE(Becomes(victim.pid(), 'T'));
  ::kill(victim.pid(), SIGCONT);
  EXPECT_TRUE(Becomes(victim.pid(), 'S'));
}

pid_t OnlyChildOf(pid_t pid) {
  std::ifstream children("/proc/" + std::to_string(pid) + "/task/" + std::to_string(pid) +
                         "/children");
  pid_t child = 0;
  children >> child;
  return child;
}

// A task that does not stop: vfork's parent sleeps in the kernel without heeding signals until its
// child has ended.
class Sleeper {
 public:
  Sleeper()
      : parent_([] {
          if (::fork() != 0) return;
          LoadFilter(SYS_acct, EPERM);
          // NOLINTNEXTLINE(clang-analyzer-security.insecureAPI.vfork): it is what is tested
          if (::vfork() == 0) {
            for (;;) ::pause();
          }
          for (;;) ::pause();
        }),
        pid_(OnlyChildOf(parent_.pid())) {}
  ~Sleeper() {
    LetItStop();
    ::kill(pid_, SIGKILL);
  }
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;

  void LetItStop() const {
    if (const pid_t child = OnlyChildOf(pid_); child > 0) ::kill(child, SIGKILL);
  }
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] Task task() const { return {pid_, sys::StartTime(pid_).value_or(0)}; }

 private:
  Victim parent_;
  pid_t pid_;
};

TEST(LiveFilters, ATaskThatDoesNotStopIsUnknownAndIsReleased) {
  const Sleeper sleeper;
  ASSERT_TRUE(Becomes(sleeper.pid(), 'D'));
  const Victim other([] { LoadFilter(SYS_acct, EPERM); });
  const Task tasks[] = {sleeper.task(), other.task()};
  const auto found = ReadFilters(tasks, std::chrono::milliseconds(50));
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_THAT(found[0].unknown_because, HasSubstr("did not stop in time"));
  EXPECT_THAT(found[1].programs, SizeIs(1));
  sleeper.LetItStop();
  EXPECT_TRUE(Becomes(sleeper.pid(), 'S')) << "and when it could stop later, it does not";
}

// As on a machine whose processors are busy.
TEST(LiveFilters, ATaskThatStopsLateIsAskedAgain) {
  const Sleeper sleeper;
  ASSERT_TRUE(Becomes(sleeper.pid(), 'D'));
  const Task tasks[] = {sleeper.task()};
  std::thread later([&sleeper] {
    std::this_thread::sleep_for(std::chrono::milliseconds(400));
    sleeper.LetItStop();
  });
  const auto found = ReadFilters(tasks, std::chrono::milliseconds(200));
  later.join();
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_THAT(found[0].unknown_because, IsEmpty());
  EXPECT_THAT(found[0].programs, SizeIs(1));
  EXPECT_TRUE(Becomes(sleeper.pid(), 'S'));
}

TEST(LiveFilters, ASignalThatArrivesMeanwhileIsDelivered) {
  constexpr int kSignals = 200;
  const Victim victim([] {
    static volatile sig_atomic_t count = 0;
    std::signal(SIGUSR1, [](int) {
      count = count + 1;
      if (count == kSignals) ::_exit(42);
    });
  });
  const Task tasks[] = {victim.task()};
  for (int i = 0; i < kSignals; ++i) {
    ::kill(victim.pid(), SIGUSR1);
    if (i + 1 < kSignals) {
      EXPECT_THAT(ReadFilters(tasks), SizeIs(1));
      ASSERT_TRUE(Becomes(victim.pid(), 'S'));
    }
  }
  siginfo_t ended{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(victim.pid()), &ended, WEXITED | WNOWAIT), 0);
  EXPECT_EQ(ended.si_status, 42) << "none of the signals was lost";
}

TEST(FilterSummary, CountsWhatIsLetThrough) {
  const FilterSummary open = Summarize({});
  EXPECT_EQ(open.source, FilterSummary::Source::kNone);
  EXPECT_EQ(open.allowed, open.known);
  EXPECT_GT(open.known, 300);
  EXPECT_THAT(open.risky, ::testing::Contains("AF_ALG"));
  const privilege::FilterProgram closed[] = {{{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | EPERM}}};
  const FilterSummary none = Summarize(closed);
  EXPECT_EQ(none.allowed, 0);
  EXPECT_THAT(none.risky, IsEmpty());
}

}  // namespace
}  // namespace runclad::look::live_filters_test
