// The default filter on arm64, whose processes make 64-bit calls and those of 32-bit ARM: compiled
// as the lower runtime compiles it, and asked by number.
#include <sys/socket.h>

#include <cstdint>
#include <string>

#include <gtest/gtest.h>

#include "runclad/privilege/seccomp.hpp"
#include "runclad/privilege/seccomp_program.hpp"

#include "seccomp_simulation.hpp"

namespace runclad::privilege::seccomp_arm64_test {
namespace {

constexpr const char* kArm64 = "SCMP_ARCH_AARCH64";
constexpr const char* kArm = "SCMP_ARCH_ARM";

const SeccompProgram& Program() {
  static const SeccompProgram program = Compiled(DefaultSeccompFilter({{}, "arm64", 6, 1}));
  return program;
}

bool Allows(const char* architecture, std::uint32_t number, std::uint64_t first = 0) {
  return Program().Answer({architecture, number, {first}}).allows();
}

constexpr std::uint64_t kNewUser = 0x10000000;  // CLONE_NEWUSER
constexpr std::uint64_t kFork = 17;             // SIGCHLD

// The numbers are those of arm64's asm-generic/unistd.h and of arm's calls.S.
TEST(Arm64Seccomp, JudgesTheCallsOfBothAbis) {
  const struct {
    const char* call;
    std::uint32_t arm64, arm;
    std::uint64_t first;
    bool is_allowed;
  } calls[] = {{"read", 63, 3, 0, true},
               {"openat", 56, 322, 0, true},
               {"execve", 221, 11, 0, true},
               {"futex", 98, 240, 0, true},
               {"clone", 220, 120, kFork, true},
               {"clone(NEWUSER)", 220, 120, kNewUser | kFork, false},
               {"clone3", 435, 435, 0, false},
               {"unshare", 97, 337, kNewUser, false},
               {"mount", 40, 21, 0, false},
               {"setns", 268, 375, 0, false},
               {"ptrace of another", 117, 26, 16, true},
               {"bpf", 280, 386, 0, false},
               {"keyctl", 219, 311, 0, false},
               {"add_key", 217, 309, 0, false},
               {"io_uring_setup", 425, 425, 0, false},
               {"init_module", 105, 128, 0, false},
               {"open_by_handle_at", 265, 371, 0, false},
               {"personality of Linux", 92, 136, 0, true},
               {"personality that drops protections", 92, 136, 0x0040000, false},
               {"socket(AF_INET)", 198, 281, AF_INET, true},
               {"socket(AF_PACKET)", 198, 281, AF_PACKET, false},
               {"socket(AF_ALG)", 198, 281, AF_ALG, false},
               {"socket(AF_VSOCK)", 198, 281, AF_VSOCK, false}};
  for (const auto& [call, arm64, arm, first, is_allowed] : calls) {
    EXPECT_EQ(Allows(kArm64, arm64, first), is_allowed) << call;
    EXPECT_EQ(Allows(kArm, arm, first), is_allowed) << call << " of 32-bit ARM";
  }
}

// Without these no 32-bit program starts: the C library sets its thread's pointer by a call of
// ARM's own.
TEST(Arm64Seccomp, AllowsCallsThatOnly32BitArmHas) {
  for (const char* call :
       {"set_tls", "cacheflush", "breakpoint", "arm_fadvise64_64", "arm_sync_file_range", "open",
        "stat64", "mmap2", "ugetrlimit", "wait4", "clock_gettime64"}) {
    const bool is_known = SyscallNumber(kArm, call).has_value();
    EXPECT_TRUE(is_known && Allows(kArm, SyscallNumber(kArm, call).value())) << call;
  }
}

TEST(Arm64Seccomp, CallsOfOtherMachinesEndTheProcess) {
  EXPECT_EQ(Program().Answer({"SCMP_ARCH_RISCV64", 63, {}}).errno_value(), std::nullopt);
  EXPECT_FALSE(Allows("SCMP_ARCH_RISCV64", 63));
}

}  // namespace
}  // namespace runclad::privilege::seccomp_arm64_test
