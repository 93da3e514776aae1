#include "look/other_ways.hpp"

#include <linux/audit.h>
#include <sys/syscall.h>

#include <cerrno>
#include <vector>

#include <gtest/gtest.h>

#include "look/task_state.hpp"
#include "victim.hpp"

namespace runclad::look::other_ways_test {
namespace {

// A task whose filters deny these calls of the native ABI and every call of the others.
TaskState Without(std::vector<int> numbers) {
  TaskState task;
  task.credentials.seccomp_mode = 2;
  task.credentials.no_new_privileges = true;
  task.may_have_ring = false;
  constexpr std::uint32_t kX32 = 0x40000000;
  task.programs = {{{BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, arch)},
                    {BPF_JMP | BPF_JEQ | BPF_K, 0, 2, AUDIT_ARCH_X86_64},
                    {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
                    {BPF_JMP | BPF_JGE | BPF_K, 0, 1, kX32},
                    {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | EPERM},
                    {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}}};
  for (const int number : numbers) {
    task.programs.push_back({{BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
                             {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, static_cast<std::uint32_t>(number)},
                             {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | EPERM},
                             {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}});
  }
  return task;
}

class OtherWays : public ::testing::Test {
 protected:
  void SetUp() override {
    if (Architectures().front() != "SCMP_ARCH_X86_64") GTEST_SKIP() << "the numbers are x86's";
  }
};

TEST_F(OtherWays, AreFoundUntilAllAreDenied) {
  const struct {
    const char* call;
    std::vector<int> denied;
    Verdict verdict;
    const char* because;
  } cases[] = {
      {"execve", {}, Verdict::kYes, ""},
      {"execve", {SYS_execve}, Verdict::kYes, "by execveat"},
      {"execve", {SYS_execve, SYS_execveat}, Verdict::kNo, "a filter answers EPERM"},
      {"openat", {SYS_openat, SYS_open}, Verdict::kYes, "by openat2"},
      {"openat", {SYS_openat, SYS_open, SYS_openat2}, Verdict::kYes, "by creat"},
      {"openat",
       {SYS_openat, SYS_open, SYS_openat2, SYS_creat, SYS_io_uring_setup},
       Verdict::kNo,
       "a filter answers EPERM"},
      {"unshare", {SYS_unshare, SYS_clone}, Verdict::kYes, "by clone3"},
      {"mount", {SYS_mount, SYS_open_tree}, Verdict::kYes, "by fsopen"},
      {"rename", {SYS_rename, SYS_renameat}, Verdict::kYes, "by renameat2"},
      {"kill", {SYS_kill, SYS_tgkill, SYS_tkill}, Verdict::kYes, "by pidfd_send_signal"},
      {"chmod", {SYS_chmod, SYS_fchmod}, Verdict::kYes, "by fchmodat"},
      {"bind", {SYS_bind, SYS_io_uring_setup}, Verdict::kNo, "a filter answers EPERM"},
  };
  for (const auto& [call, denied, verdict, because] : cases) {
    const Answer answer = AskEveryWay(Without(denied), call);
    EXPECT_EQ(answer.verdict, verdict) << call << ": " << answer.because;
    EXPECT_EQ(answer.because, because) << call;
  }
}

TEST_F(OtherWays, AreRingsToo) {
  if (RingsOfKernel() != Rings::kOpen || !HasRingOperation("connect")) GTEST_SKIP() << "no rings";
  EXPECT_EQ(AskEveryWay(Without({SYS_connect}), "connect").because, "by io_uring");
  TaskState task = Without({SYS_connect, SYS_io_uring_setup});
  EXPECT_EQ(AskEveryWay(task, "connect").verdict, Verdict::kNo);
  task.may_have_ring = true;
  EXPECT_EQ(AskEveryWay(task, "connect").verdict, Verdict::kUnknown);
}

TEST_F(OtherWays, AreNamedBesideANo) {
  Container container;
  const auto because = [&](const char* call, std::vector<int> denied) {
    return AskSyscall(container, Without(std::move(denied)), call, {}).because;
  };
  EXPECT_EQ(because("rename", {SYS_rename}),
            "a filter answers EPERM; but renameat, which does the same, is let through");
  EXPECT_EQ(because("ptrace", {SYS_ptrace}), "a filter answers EPERM");
}

TEST_F(OtherWays, OfCapabilitiesAreProgramsAndNamespaces) {
  Container container;
  MountState root;
  root.may_set_ids = true;
  root.may_execute = true;
  container.mounts = {root};
  container.user_inside = 1000;
  TaskState task = Without({SYS_unshare, SYS_clone, SYS_clone3});
  task.credentials.uids = {1000, 1000, 1000, 1000};
  constexpr std::uint64_t kNetRaw = 1U << 13U;
  const auto ask = [&] { return AskCapability(container, task, "CAP_NET_RAW", false).verdict; };
  EXPECT_EQ(ask(), Verdict::kNo);
  task.credentials.bounding = kNetRaw;
  EXPECT_EQ(ask(), Verdict::kNo) << "no_new_privs is on";
  task.credentials.no_new_privileges = false;
  EXPECT_EQ(ask(), Verdict::kUnknown) << "a set-user-ID program may give it";
  container.mounts.front().may_set_ids = false;
  EXPECT_EQ(ask(), Verdict::kNo) << "no program of it can";
  task.credentials.uids = {1000, 1000, 0, 1000};
  EXPECT_EQ(ask(), Verdict::kYes) << "its saved user id is root";

  const auto chroot = [&](std::vector<int> denied) {
    return AskSyscall(container, Without(std::move(denied)), "chroot", {});
  };
  EXPECT_EQ(chroot({SYS_unshare, SYS_clone, SYS_clone3}).verdict, Verdict::kNo);
  if (AskUserNamespace(container, Without({})).verdict != Verdict::kYes) return;
  EXPECT_EQ(chroot({}).because, "in a user namespace that it makes itself");
  constexpr std::uint16_t kPacket = 17;
  EXPECT_EQ(AskSocket(container, Without({}), kPacket, std::nullopt).because,
            "in a user namespace that it makes itself");
  EXPECT_EQ(AskSyscall(container, Without({}), "sethostname", {}).verdict, Verdict::kYes);
  EXPECT_EQ(AskSyscall(container, Without({}), "swapon", {}).verdict, Verdict::kNo)
      << "it is the host's";
}

}  // namespace
}  // namespace runclad::look::other_ways_test
