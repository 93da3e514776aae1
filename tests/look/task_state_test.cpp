#include "look/task_state.hpp"

#include <sys/stat.h>
#include <sys/syscall.h>

#include <cerrno>
#include <chrono>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sched.h>

#include "runclad/look/shield.hpp"

#include "look/call_search.hpp"
#include "victim.hpp"

namespace runclad::look::task_state_test {
namespace {

Container ContainerOfVictim(const Victim& victim) {
  Container container;
  container.pid = victim.pid();
  container.start_time = victim.task().start_time;
  container.processes = {container.pid};
  struct stat mounts {};
  ::stat(("/proc/" + std::to_string(container.pid) + "/ns/mnt").c_str(), &mounts);
  container.namespaces = {{"mnt", mounts.st_ino, /*is_host=*/false, {}}};
  return container;
}

ShieldState StateOfAcct(const Victim& victim) {
  Shield shield;
  shield.syscalls = {"acct"};
  return StatesOf({&shield, 1}, ContainerOfVictim(victim)).at(0);
}

void DenyAcct() {
  constexpr int kOfX86 = 51;
  LoadFilter(SYS_acct, EPERM);
  LoadFilter(kOfX86, EPERM);
}

void PauseInChild() {
  if (::fork() != 0) return;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (;;) ::pause();
}

// Every 0.3 ms another process: each starts the next one, and ends.
void KeepForking(pid_t leader) {
  constexpr timespec kLife = {.tv_sec = 0, .tv_nsec = 300'000};
  while (::kill(leader, 0) == 0) {
    if (::fork() != 0) ::_exit(0);
    ::nanosleep(&kLife, nullptr);
  }
  ::_exit(0);
}

// As an engine's container has one: without it every process of the host is looked at, and one that
// comes and goes there (another test's) makes the answer unknown.
class OwnCgroup {
 public:
  OwnCgroup() : path_("/sys/fs/cgroup/pids/runclad-look-" + std::to_string(::getpid())) {
    is_made_ = ::mkdir(path_.c_str(), 0755) == 0;
  }
  ~OwnCgroup() {
    for (int tries_left = 100; tries_left > 0 && ::rmdir(path_.c_str()) != 0; --tries_left) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }
  OwnCgroup(const OwnCgroup&) = delete;
  OwnCgroup& operator=(const OwnCgroup&) = delete;

  [[nodiscard]] bool is_made() const { return is_made_; }
  void Join() const { std::ofstream(path_ + "/cgroup.procs") << ::getpid() << std::flush; }

 private:
  std::string path_;
  bool is_made_;
};

class TasksOfAContainer : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "mount namespaces need root";
    if (!cgroup_.is_made()) GTEST_SKIP() << "no cgroup can be made";
  }
  // What a container's first process has before it does anything.
  void Enter() const {
    cgroup_.Join();
    ::unshare(CLONE_NEWNS);
  }

 private:
  OwnCgroup cgroup_;
};

TEST_F(TasksOfAContainer, AreClosedWhereAllHaveTheFilter) {
  const Victim victim([&] {
    Enter();
    DenyAcct();
    PauseInChild();
  });
  ASSERT_TRUE(victim.is_ready());
  const ShieldState state = StateOfAcct(victim);
  EXPECT_EQ(state.exposure, Exposure::kClosed) << state.because;
}

TEST_F(TasksOfAContainer, AreLookedForAnewEachTime) {
  const Victim victim([&] {
    Enter();
    PauseInChild();
    DenyAcct();
  });
  ASSERT_TRUE(victim.is_ready());
  const ShieldState state = StateOfAcct(victim);
  EXPECT_EQ(state.exposure, Exposure::kExposed) << "the list of processes is older: the child's";
}

TEST_F(TasksOfAContainer, AreUnknownWhereTheyEndBeforeTheyAreRead) {
  const Victim victim([] {
    ::unshare(CLONE_NEWNS);
    const pid_t leader = ::getpid();
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    ::signal(SIGCHLD, SIG_IGN);
    if (::fork() == 0) KeepForking(leader);
    DenyAcct();
  });
  ASSERT_TRUE(victim.is_ready());
  for (int i = 0; i < 10; ++i) {
    const ShieldState state = StateOfAcct(victim);
    EXPECT_NE(state.exposure, Exposure::kClosed) << state.because;
  }
}

// A host whose other processes come and go, too.
TEST_F(TasksOfAContainer, AreThoseOfItsCgroup) {
  const Victim host([] {
    const pid_t leader = ::getpid();
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    ::signal(SIGCHLD, SIG_IGN);
    if (::fork() == 0) KeepForking(leader);
  });
  const Victim victim([&] {
    Enter();
    DenyAcct();
    PauseInChild();
  });
  ASSERT_TRUE(host.is_ready() && victim.is_ready());
  for (int i = 0; i < 10; ++i) {
    const ShieldState state = StateOfAcct(victim);
    EXPECT_EQ(state.exposure, Exposure::kClosed) << state.because;
  }
}

TEST_F(TasksOfAContainer, CountOnlyWhileTheyLive) {
  const Victim victim([&] {
    Enter();
    DenyAcct();
    if (::fork() == 0) ::_exit(0);
    siginfo_t ended{};
    ::waitid(P_ALL, 0, &ended, WEXITED | WNOWAIT);  // it stays a zombie
  });
  ASSERT_TRUE(victim.is_ready());
  const ShieldState state = StateOfAcct(victim);
  EXPECT_EQ(state.exposure, Exposure::kClosed) << state.because;
}

TEST_F(TasksOfAContainer, HaveNoFilterYetWhereTheContainerWasCreated) {
  const Victim victim([&] { Enter(); });
  ASSERT_TRUE(victim.is_ready());
  Container container = ContainerOfVictim(victim);
  Shield shield;
  shield.syscalls = {"acct"};
  EXPECT_EQ(StatesOf({&shield, 1}, container).at(0).exposure, Exposure::kExposed);
  container.is_waiting = true;
  const ShieldState state = StatesOf({&shield, 1}, container).at(0);
  EXPECT_EQ(state.exposure, Exposure::kUnknown);
  EXPECT_EQ(state.because, kNotStarted);
}

// A family, with all that else could make a socket denied: the native socket, socketpair and
// io_uring_enter come last.
TEST_F(TasksOfAContainer, AreClosedToAFamilyByAllThatMakesASocket) {
  if (Architectures().front() != "SCMP_ARCH_X86_64") GTEST_SKIP() << "the numbers are x86's";
  constexpr int kSocket = 359;  // of 32-bit programs
  constexpr int kSocketCall = 102;
  constexpr int kSocketPair = 360;
  const auto state_with = [&](std::vector<int> denied) {
    const Victim victim([&] {
      Enter();
      for (const int number : {static_cast<int>(SYS_socket), kSocket, kSocketCall,
                               static_cast<int>(SYS_io_uring_setup)}) {
        LoadFilter(number, EPERM);
      }
      for (const int number : denied) LoadFilter(number, EPERM);
    });
    EXPECT_TRUE(victim.is_ready());
    Shield shield;
    shield.families = {"AF_VSOCK"};
    return StatesOf({&shield, 1}, ContainerOfVictim(victim)).at(0);
  };
  ShieldState state = state_with({});
  EXPECT_EQ(state.exposure, Exposure::kExposed);
  EXPECT_EQ(state.because, "socketpair AF_VSOCK");
  if (RingsOfKernel() == Rings::kNone) return;
  state = state_with({SYS_socketpair, kSocketPair});
  EXPECT_EQ(state.exposure, Exposure::kUnknown) << "a ring may be older than the filters";
  EXPECT_EQ(state.because, "a ring that is older than the filter may make the call");
  state = state_with({SYS_socketpair, kSocketPair, SYS_io_uring_enter});
  EXPECT_EQ(state.exposure, Exposure::kClosed) << state.because;
}

// They deny what is asked, and not what the program could ask.
TEST(Filters, ThatCalculateSayNothing) {
  constexpr std::uint32_t kOfArgument = offsetof(seccomp_data, args) + 5 * sizeof(std::uint64_t);
  constexpr std::uint32_t kOfPlace = offsetof(seccomp_data, instruction_pointer);
  const privilege::FilterProgram returns_argument = {{BPF_LD | BPF_W | BPF_ABS, 0, 0, kOfArgument},
                                                     {BPF_RET | BPF_A, 0, 0, 0}};
  const privilege::FilterProgram asks_for_place = {
      {BPF_LD | BPF_W | BPF_ABS, 0, 0, kOfPlace},
      {BPF_JMP | BPF_JGT | BPF_K, 0, 1, 4096},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
      {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | EPERM}};
  // By zero, the kernel ends the program; by another argument, the call is allowed.
  const privilege::FilterProgram divides = {{BPF_LD | BPF_W | BPF_ABS, 0, 0, kOfArgument},
                                            {BPF_MISC | BPF_TAX, 0, 0, 0},
                                            {BPF_LD | BPF_IMM, 0, 0, 1},
                                            {BPF_ALU | BPF_DIV | BPF_X, 0, 0, 0},
                                            {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}};
  const privilege::FilterProgram denies = {{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | EPERM}};
  TaskState task;
  task.credentials.seccomp_mode = 2;
  for (const privilege::FilterProgram& program : {returns_argument, asks_for_place, divides}) {
    task.programs = {program};
    EXPECT_EQ(AskFilters(task, Architectures().front(), SYS_acct, {}).verdict, Verdict::kUnknown);
    EXPECT_EQ(AskDeniedCall(task, {"acct", {}}).verdict, Verdict::kUnknown);
    task.programs = {program, denies};
    EXPECT_EQ(AskFilters(task, Architectures().front(), SYS_acct, {}).verdict, Verdict::kNo)
        << "another one denies it whatever is calculated";
  }
}

TEST(Filters, ThatAskATracerSayNothing) {
  TaskState task;
  task.credentials.seccomp_mode = 2;
  task.programs = {{{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_TRACE | 7}}};
  const Answer answer = AskFilters(task, Architectures().front(), SYS_acct, {});
  EXPECT_EQ(answer.verdict, Verdict::kUnknown);
  EXPECT_EQ(answer.because, "a filter asks a tracer");
}

// socket's own number is denied, and that of i386's socketcall is a tracer's to decide.
TEST(Filters, ThatAskATracerBehindAMultiplexerSayNothing) {
  if (!AbisOfKernel().has_32_bit || Architectures().front() != "SCMP_ARCH_X86_64") GTEST_SKIP();
  constexpr std::uint32_t kSocketCall = 102;
  TaskState task;
  task.credentials.seccomp_mode = 2;
  task.programs = {{{BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
                    {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, kSocketCall},
                    {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_TRACE},
                    {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | EPERM}}};
  const Answer answer = AskMultiplexer(task, "socket", No("seccomp", "denied"));
  EXPECT_EQ(answer.verdict, Verdict::kUnknown);
  EXPECT_EQ(answer.because, "a filter asks a tracer");
}

TEST(KernelAbis, ACallReachesTheKernelThroughAnEntryThatItHas) {
  const KernelAbis none;
  const KernelAbis both{.has_32_bit = true, .has_x32 = true};
  for (const char* native : {"SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64", "SCMP_ARCH_RISCV64"}) {
    EXPECT_TRUE(HasEntry(none, native)) << native;
  }
  for (const char* other : {"SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_ARM"}) {
    EXPECT_FALSE(HasEntry(none, other)) << other;
    EXPECT_TRUE(HasEntry(both, other)) << other;
  }
  EXPECT_FALSE(HasEntry({.has_32_bit = true, .has_x32 = false}, "SCMP_ARCH_X32"));
  EXPECT_FALSE(HasEntry({.has_32_bit = false, .has_x32 = true}, "SCMP_ARCH_ARM"));
}

}  // namespace
}  // namespace runclad::look::task_state_test
