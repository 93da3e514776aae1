// In one file, since its tests make and read containers in the same way.
#include "look/task_state.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sched.h>

#include "runclad/base/unique_fd.hpp"
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
  explicit OwnCgroup(std::string path = "/sys/fs/cgroup/pids/runclad-look-" +
                                        std::to_string(::getpid()))
      : path_(std::move(path)) {
    is_made_ = ::mkdir(path_.c_str(), 0755) == 0;
  }
  ~OwnCgroup() {
    for (int tries_left = 100; tries_left > 0 && !IsRemoved(); --tries_left) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }
  OwnCgroup(const OwnCgroup&) = delete;
  OwnCgroup& operator=(const OwnCgroup&) = delete;

  [[nodiscard]] bool is_made() const { return is_made_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  void Join() const { std::ofstream(path_ + "/cgroup.procs") << ::getpid() << std::flush; }

 private:
  // The deepest one first, whose path may be longer than a call takes.
  [[nodiscard]] bool IsRemoved() const {
    const std::string name(250, 'a');
    std::vector<UniqueFd> nested;
    nested.emplace_back(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    while (nested.back()) {
      nested.emplace_back(
          ::openat(nested.back().get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    }
    nested.pop_back();
    while (nested.size() > 1) {
      nested.pop_back();
      if (::unlinkat(nested.back().get(), name.c_str(), AT_REMOVEDIR) != 0) return false;
    }
    return ::rmdir(path_.c_str()) == 0;
  }

  std::string path_;
  bool is_made_;
};

// What the lower runtime was given.
class Bundle {
 public:
  static constexpr const char* kWithFilter =
      R"({"ociVersion": "1.0.2", "linux": {"seccomp": {"defaultAction": "SCMP_ACT_ALLOW",
          "syscalls": [{"names": ["io_uring_setup"], "action": "SCMP_ACT_ERRNO"}]}}})";

  Bundle() : path_("/tmp/runclad-look-bundle-" + std::to_string(::getpid())) {
    ::mkdir(path_.c_str(), 0700);
    Write(kWithFilter);
  }
  ~Bundle() { std::filesystem::remove_all(path_); }
  Bundle(const Bundle&) = delete;
  Bundle& operator=(const Bundle&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  void Write(const char* document) const {
    std::ofstream(path_ + "/config.json") << document << std::flush;
  }

 private:
  std::string path_;
};

pid_t ChildOf(pid_t parent) {
  const std::string path = "/proc/" + std::to_string(parent) + "/task/" + std::to_string(parent);
  pid_t child = 0;
  std::ifstream(path + "/children") >> child;
  return child;
}

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
  static constexpr int kDepth = 20;
  [[nodiscard]] const std::string& path() const { return cgroup_.path(); }

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
  // The first one is the runtime's.
  std::vector<int> first = {SYS_io_uring_setup, SYS_socket, kSocket, kSocketCall};
  const Bundle bundle;
  const auto state_with = [&](std::vector<int> denied) {
    const Victim victim([&] {
      Enter();
      for (const int number : first) LoadFilter(number, EPERM);
      for (const int number : denied) LoadFilter(number, EPERM);
    });
    EXPECT_TRUE(victim.is_ready());
    Shield shield;
    shield.families = {"AF_VSOCK"};
    Container container = ContainerOfVictim(victim);
    container.bundle = bundle.path();
    return StatesOf({&shield, 1}, container).at(0);
  };
  ShieldState state = state_with({});
  EXPECT_EQ(state.exposure, Exposure::kExposed);
  EXPECT_EQ(state.because, "socketpair AF_VSOCK");
  if (RingsOfKernel() == Rings::kNone) return;
  state = state_with({SYS_socketpair, kSocketPair});
  EXPECT_EQ(state.exposure, Exposure::kUnknown) << "a ring may be older than the filters";
  EXPECT_EQ(state.because, "a ring that is older than the filter may make the call");
  const std::vector<int> all = {SYS_socketpair, kSocketPair, SYS_io_uring_enter};
  state = state_with(all);
  EXPECT_EQ(state.exposure, Exposure::kClosed) << state.because;
  // A request may wait in a ring that nobody sees any more.
  bundle.Write(R"({"ociVersion": "1.0.2"})");
  state = state_with(all);
  EXPECT_EQ(state.exposure, Exposure::kUnknown) << "the first filter may be the program's own";
  bundle.Write(Bundle::kWithFilter);
  std::rotate(first.begin(), first.begin() + 1, first.end());
  state = state_with(all);
  EXPECT_EQ(state.exposure, Exposure::kUnknown) << "the runtime's filter let it make rings";
  EXPECT_EQ(state.because, "a ring that is older than the filter may make the call");
}

// A process that no list of the container's cgroup or mounts has, and that has no filter.
TEST_F(TasksOfAContainer, AreThoseOfItsPidNamespaceWhereverTheyMove) {
  for (const bool is_nested : {false, true}) {
    const OwnCgroup other("/sys/fs/cgroup/pids/runclad-look-other-" + std::to_string(::getpid()));
    ASSERT_TRUE(other.is_made());
    const auto leave = [&] {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (is_nested) {
        ::unshare(CLONE_NEWPID);
        if (::fork() != 0) {
          DenyAcct();
          for (;;) ::pause();
        }
      }
      other.Join();
      ::unshare(CLONE_NEWNS);
      for (;;) ::pause();
    };
    const Victim victim([&] {
      Enter();
      ::unshare(CLONE_NEWPID);
      if (::fork() == 0) {  // the container's first process
        if (::fork() == 0) leave();
        DenyAcct();
        for (;;) ::pause();
      }
      DenyAcct();
      std::this_thread::sleep_for(std::chrono::milliseconds(300));
    });
    ASSERT_TRUE(victim.is_ready());
    Container container = ContainerOfVictim(victim);
    struct stat pids {};
    ::stat(("/proc/" + std::to_string(container.pid) + "/ns/pid_for_children").c_str(), &pids);
    const pid_t first = ChildOf(container.pid);
    ASSERT_GT(first, 0);
    container.pid = first;
    container.start_time = sys::StartTime(first).value_or(0);
    container.processes = {first};
    Shield shield;
    shield.syscalls = {"acct"};
    EXPECT_EQ(StatesOf({&shield, 1}, container).at(0).exposure, Exposure::kClosed)
        << "where it is not known which PID namespace it has";
    container.namespaces.push_back({"pid", pids.st_ino, /*is_host=*/false, {}});
    EXPECT_EQ(StatesOf({&shield, 1}, container).at(0).exposure, Exposure::kExposed) << is_nested;
    ::kill(first, SIGKILL);
  }
}

TEST_F(TasksOfAContainer, AreUnknownWhereTheyShareTheHostsPidsAndCanMove) {
  const Victim victim([&] {
    Enter();
    DenyAcct();
  });
  ASSERT_TRUE(victim.is_ready());
  Shield shield;
  shield.syscalls = {"acct"};
  Container container = ContainerOfVictim(victim);
  MountState cgroups;
  cgroups.type = "cgroup";
  container.mounts = {cgroups};
  EXPECT_EQ(StatesOf({&shield, 1}, container).at(0).exposure, Exposure::kClosed)
      << "it is read-only";
  container.mounts.front().is_writable = true;
  EXPECT_EQ(StatesOf({&shield, 1}, container).at(0).exposure, Exposure::kUnknown);
  container.mounts.clear();
  container.credentials.bounding = ~std::uint64_t{0};
  EXPECT_EQ(StatesOf({&shield, 1}, container).at(0).exposure, Exposure::kUnknown)
      << "it may mount them";
}

TEST_F(TasksOfAContainer, AreReadBelowCgroupsOfAnyDepth) {
  const std::string name(250, 'a');
  const Victim victim([&] {
    Enter();
    if (::fork() == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (::chdir(path().c_str()) != 0) ::_exit(1);
      for (int depth = 0; depth < kDepth; ++depth) {
        if (::mkdir(name.c_str(), 0755) != 0 || ::chdir(name.c_str()) != 0) ::_exit(1);
      }
      std::ofstream("cgroup.procs") << ::getpid() << std::flush;
      ::unshare(CLONE_NEWNS);
      for (;;) ::pause();
    }
    DenyAcct();
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
  });
  ASSERT_TRUE(victim.is_ready());
  EXPECT_EQ(StateOfAcct(victim).exposure, Exposure::kExposed);
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
