// No call that is denied stays open to 32-bit programs under another name.
#include "runclad/privilege/compat_calls.hpp"

#include <cstdlib>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <seccomp.h>

#include "runclad/privilege/denied_call.hpp"
#include "runclad/privilege/syscalls.hpp"

#include "seccomp_simulation.hpp"

namespace runclad::privilege::compat_calls_test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Names = std::set<std::string>;

constexpr int kMaxNumber = 700;  // 470 calls in Linux 6.18

// The names of one architecture that the 64-bit ones do not have.
Names OnlyOn(std::uint32_t architecture) {
  Names names;
  for (int number = 0; number < kMaxNumber; ++number) {
    char* const name = seccomp_syscall_resolve_num_arch(architecture, number);
    if (name == nullptr) continue;
    const auto is_on = [&](std::uint32_t other) {
      return seccomp_syscall_resolve_name_arch(other, name) >= 0;
    };
    if (!is_on(SCMP_ARCH_X86_64) && !is_on(SCMP_ARCH_AARCH64)) names.insert(name);
    std::free(name);  // NOLINT(*-no-malloc)
  }
  return names;
}

// Each with its native name.
std::set<std::pair<std::string, std::string>> Pairs() {
  std::set<std::pair<std::string, std::string>> pairs;
  for (const std::uint32_t architecture : {SCMP_ARCH_X86_64, SCMP_ARCH_AARCH64}) {
    for (int number = 0; number < kMaxNumber; ++number) {
      char* const name = seccomp_syscall_resolve_num_arch(architecture, number);
      if (name == nullptr) continue;
      for (const std::string_view other : CompatNamesOf(name)) pairs.emplace(name, other);
      std::free(name);  // NOLINT(*-no-malloc)
    }
  }
  return pairs;
}

TEST(CompatCalls, EveryNameThat64BitProgramsDoNotHaveIsKnown) {
  // Multiplexers, calls that no kernel has any more, and what only these processors can do.
  const Names without_native = {"bdflush",
                                "break",
                                "ftime",
                                "get_tls",
                                "gtty",
                                "idle",
                                "ipc",
                                "lock",
                                "mpx",
                                "prof",
                                "profil",
                                "socketcall",
                                "stty",
                                "ulimit",
                                "vm86",
                                "vm86old",
                                "breakpoint",
                                "cacheflush",
                                "set_tls",
                                "usr26",
                                "usr32",
                                "pciconfig_iobase",
                                "pciconfig_read",
                                "pciconfig_write"};
  Names known = without_native;
  for (const auto& [native, other] : Pairs()) known.insert(other);
  for (const std::uint32_t architecture : {SCMP_ARCH_X86, SCMP_ARCH_ARM}) {
    const Names names = OnlyOn(architecture);
    EXPECT_GT(names.size(), 50U);
    for (const std::string& name : names) EXPECT_TRUE(known.contains(name)) << name;
  }
}

TEST(CompatCalls, ADeniedCallIsDeniedUnderItsOtherNames) {
  std::vector<std::string> natives;
  std::vector<std::string> others;
  for (const auto& [native, other] : Pairs()) {
    if (IsEssential(native) || !SyscallNumber("SCMP_ARCH_X86", other))
      continue;  // the latter: arm's
    natives.push_back(native);
    others.push_back(other);
  }
  const auto allowed = [&](const SeccompTuning& tuning) {
    const SeccompProgram program =
        Compiled(Intersect(ReadDocument("docker_default").filter,
                           DefaultSeccompFilter({{}, "amd64", 6, 18}), tuning)
                     .filter);
    Names names;
    for (const std::string& other : others) {
      const std::uint32_t number = SyscallNumber("SCMP_ARCH_X86", other).value();
      if (program.Answer({"SCMP_ARCH_X86", number, {}}).allows()) names.insert(other);
    }
    return names;
  };
  EXPECT_GT(allowed({}).size(), 40U);  // Docker allows few of the oldest
  EXPECT_THAT(allowed({.deny = natives}), IsEmpty());
  EXPECT_THAT(allowed({.allow = others, .deny = natives}), IsEmpty());
}

// fcntl(2) with F_SETPIPE_SZ, and futex(2) with FUTEX_CMP_REQUEUE_PI.
TEST(CompatCalls, ADeniedArgumentIsDeniedUnderTheOtherName) {
  const SeccompFilter met =
      Intersect(ReadDocument("docker_default").filter, DefaultSeccompFilter({{}, "amd64", 6, 18}),
                {.deny = {"fcntl arg1==1031", "futex arg1&127==12"}})
          .filter;
  const SeccompProgram program = Compiled(met);
  for (const auto& [name, denied, other] :
       {std::tuple("fcntl64", 1031U, 1032U), std::tuple("futex_time64", 12U, 11U),
        std::tuple("fcntl", 1031U, 1032U), std::tuple("futex", 12U, 11U)}) {
    const auto number = SyscallNumber("SCMP_ARCH_X86", name).value();
    EXPECT_FALSE(program.Answer({"SCMP_ARCH_X86", number, {0, denied}}).allows()) << name;
    EXPECT_TRUE(program.Answer({"SCMP_ARCH_X86", number, {0, other}}).allows()) << name;
  }
}

TEST(CompatCalls, AnArgumentThatMovesCannotBeCompared) {
  for (const char* text :
       {"fadvise64 arg3==4", "sync_file_range arg3==2", "mmap arg2&6==6", "setresuid arg0==0",
        "chown arg1==0", "clone arg4==1", "fallocate arg3==1", "select arg0==2", "pread64 arg3==0",
        "preadv2 arg5==1", "shmctl arg1==11", "rt_sigprocmask arg0==2"}) {
    const auto call = ParseDeniedCall(text);
    ASSERT_FALSE(call) << text;
    EXPECT_THAT(call.error().message, HasSubstr("32-bit programs pass in another way")) << text;
  }
  for (const char* text : {"chmod arg1==2541", "openat arg3&0x10800==0x800", "mkdir arg1>=2048"}) {
    const auto call = ParseDeniedCall(text);
    ASSERT_FALSE(call) << text;
    EXPECT_THAT(call.error().message, HasSubstr("the kernel takes 16 bits")) << text;
  }
  for (const char* text :
       {"chmod arg1&0x800==0x800", "openat arg2==2", "clone arg0&0x10000000==0x10000000",
        "fallocate arg1==1", "chown arg0!=0", "pread64 arg0==3", "fcntl arg1==1031"}) {
    const auto call = ParseDeniedCall(text);
    EXPECT_TRUE(call) << call.error().message;
  }
}

}  // namespace
}  // namespace runclad::privilege::compat_calls_test
