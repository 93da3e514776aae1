#include "runclad/privilege/seccomp_program.hpp"

#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "seccomp_simulation.hpp"

namespace runclad::privilege::seccomp_program_test {
namespace {

using Op = SeccompOperator;
using ::testing::HasSubstr;

constexpr const char* kAmd64 = "SCMP_ARCH_X86_64";

SeccompFilter Filter(std::vector<SeccompRule> rules, const std::string& action = "SCMP_ACT_ERRNO") {
  SeccompFilter filter;
  filter.default_action = action;
  filter.architectures = {kAmd64, "SCMP_ARCH_X86", "SCMP_ARCH_X32"};
  filter.rules = std::move(rules);
  return filter;
}

SeccompAnswer Answer(const SeccompFilter& filter, const std::string& name, std::uint64_t first = 0,
                     std::uint64_t second = 0, const char* architecture = kAmd64) {
  return Compiled(filter).Answer(
      {architecture, NumberOf(architecture, name).value(), {first, second}});
}

TEST(SeccompProgram, UsesTheNumbersOfEachArchitecture) {
  const auto filter = Filter({{{"read"}, "SCMP_ACT_ALLOW", {}, {}}});
  const SeccompProgram program = Compiled(filter);
  EXPECT_TRUE(program.Answer({kAmd64, 0, {}}).allows());
  EXPECT_FALSE(program.Answer({kAmd64, 3, {}}).allows());
  EXPECT_TRUE(program.Answer({"SCMP_ARCH_X86", 3, {}}).allows());
  EXPECT_FALSE(program.Answer({"SCMP_ARCH_X86", 0, {}}).allows());
  EXPECT_TRUE(program.Answer({"SCMP_ARCH_X32", 0x40000000, {}}).allows());
}

TEST(SeccompProgram, KillsCallsOfUnlistedArchitectures) {
  auto filter = Filter({{{"read"}, "SCMP_ACT_ALLOW", {}, {}}});
  filter.architectures.clear();
  const SeccompProgram program = Compiled(filter);
  EXPECT_TRUE(program.Answer({kAmd64, 0, {}}).allows());
  EXPECT_EQ(program.Answer({"SCMP_ARCH_X86", 3, {}}).value, SECCOMP_RET_KILL_THREAD);
  EXPECT_EQ(program.Answer({"SCMP_ARCH_X32", 0x40000000, {}}).value, SECCOMP_RET_KILL_THREAD);
}

TEST(SeccompProgram, ReadsActionsAsRuncDoes) {
  const struct {
    SeccompRule rule;
    std::uint32_t value;
  } cases[] = {
      {{{"read"}, "SCMP_ACT_ERRNO", {}, {}}, SECCOMP_RET_ERRNO | EPERM},
      {{{"read"}, "SCMP_ACT_ERRNO", 38, {}}, SECCOMP_RET_ERRNO | ENOSYS},
      {{{"read"}, "SCMP_ACT_KILL", {}, {}}, SECCOMP_RET_KILL_THREAD},
      {{{"read"}, "SCMP_ACT_KILL_THREAD", {}, {}}, SECCOMP_RET_KILL_THREAD},
      {{{"read"}, "SCMP_ACT_KILL_PROCESS", {}, {}}, SECCOMP_RET_KILL_PROCESS},
      {{{"read"}, "SCMP_ACT_TRAP", {}, {}}, SECCOMP_RET_TRAP},
      {{{"read"}, "SCMP_ACT_TRACE", 7, {}}, SECCOMP_RET_TRACE | 7},
      {{{"read"}, "SCMP_ACT_LOG", {}, {}}, SECCOMP_RET_LOG},
      {{{"read"}, "SCMP_ACT_ALLOW", 5, {}}, SECCOMP_RET_ALLOW},
  };
  for (const auto& [rule, value] : cases) {
    EXPECT_EQ(Answer(Filter({rule}, "SCMP_ACT_ALLOW"), "read").value, value) << rule.action;
  }
}

TEST(SeccompProgram, ReportsWhatRuncWouldReject) {
  EXPECT_THAT(SeccompProgram::Compile(Filter({}, "SCMP_ACT_NOTIFY")).error().message,
              HasSubstr("SCMP_ACT_NOTIFY"));
  EXPECT_THAT(SeccompProgram::Compile(Filter({{{"read"}, "ALLOW", {}, {}}})).error().message,
              HasSubstr("ALLOW"));
  auto filter = Filter({});
  filter.architectures = {"amd64"};
  EXPECT_THAT(SeccompProgram::Compile(filter).error().message, HasSubstr("amd64"));
}

TEST(SeccompProgram, BuildTimeIsBounded) {
  const auto sound = Filter({{{"read"}, "SCMP_ACT_ALLOW", {}, {}}});
  EXPECT_TRUE(SeccompProgram::TryCompile(sound, 10));
  EXPECT_EQ(SeccompProgram::TryCompile(Filter({{{"read"}, "ALLOW", {}, {}}}), 10).error().message,
            "runc does not know the seccomp action \"ALLOW\"");
  // Two rules over two arguments are enough for libseccomp 2.5.4.
  const auto endless = Filter({
      {{"prctl"}, "SCMP_ACT_ALLOW", {}, {{1, 7, 0, Op::kGreaterEqual}, {0, 4, 0, Op::kLessEqual}}},
      {{"prctl"}, "SCMP_ACT_ERRNO", 13, {{0, 4, 0, Op::kLessEqual}, {1, 5, 0, Op::kEqual}}},
  });
  const Status tried = SeccompProgram::TryCompile(endless, 1);
  ASSERT_FALSE(tried) << "a newer libseccomp? then this test needs another filter";
  EXPECT_THAT(tried.error().message, HasSubstr("did not finish within 1 seconds"));
}

TEST(SeccompProgram, IgnoresUnknownNamesAndRulesEqualToTheDefault) {
  const auto filter = Filter(
      {{{"no_such_call", "read"}, "SCMP_ACT_ALLOW", {}, {}}, {{"read"}, "SCMP_ACT_ERRNO", 1, {}}});
  EXPECT_TRUE(Answer(filter, "read").allows());
}

TEST(SeccompProgram, TreatsARepeatedArgumentAsAlternatives) {
  const auto both =
      Filter({{{"prctl"}, "SCMP_ACT_ALLOW", {}, {{0, 1, 0, Op::kEqual}, {1, 2, 0, Op::kEqual}}}});
  EXPECT_TRUE(Answer(both, "prctl", 1, 2).allows());
  EXPECT_FALSE(Answer(both, "prctl", 1, 3).allows());
  const auto range = Filter(
      {{{"prctl"}, "SCMP_ACT_ALLOW", {}, {{0, 10, 0, Op::kGreater}, {0, 20, 0, Op::kLess}}}});
  EXPECT_TRUE(Answer(range, "prctl", 15).allows());
  EXPECT_TRUE(Answer(range, "prctl", 5).allows());
  EXPECT_TRUE(Answer(range, "prctl", 25).allows());
}

TEST(SeccompProgram, PrefersAPermissionOverAConditionalDenial) {
  const SeccompRule allow{{"prctl"}, "SCMP_ACT_ALLOW", {}, {}};
  const SeccompRule deny{{"prctl"}, "SCMP_ACT_ERRNO", 13, {{0, 22, 0, Op::kEqual}}};
  EXPECT_TRUE(Answer(Filter({allow, deny}), "prctl", 22).allows());
  EXPECT_TRUE(Answer(Filter({deny, allow}), "prctl", 22).allows());
}

TEST(SeccompProgram, ComparesTheLowerHalfOnNarrowArchitecturesOnly) {
  constexpr std::uint64_t kWide = std::uint64_t{1} << 32U;
  const auto filter = Filter({{{"prctl"}, "SCMP_ACT_ALLOW", {}, {{0, kWide, 0, Op::kGreater}}}});
  EXPECT_FALSE(Answer(filter, "prctl", 1).allows());
  EXPECT_TRUE(Answer(filter, "prctl", kWide + 1).allows());
  EXPECT_TRUE(Answer(filter, "prctl", 1, 0, "SCMP_ARCH_X86").allows());
  EXPECT_TRUE(Answer(filter, "prctl", 1, 0, "SCMP_ARCH_X32").allows());
}

// Runs `program` in the kernel: what socket(family) gives in a process of its own, 0 for allowed.
int SocketUnder(const SeccompProgram& program, long family) {
  const pid_t child = fork();
  if (child == 0) {
    std::vector<sock_filter> instructions = program.instructions();
    const sock_fprog filter{static_cast<unsigned short>(instructions.size()), instructions.data()};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) {
      _exit(255);
    }
    const long socket = syscall(SYS_socket, family, SOCK_STREAM, 0);
    _exit(socket < 0 ? errno : 0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(SeccompProgram, AnswersAsTheKernelDoes) {
#ifndef __x86_64__
  GTEST_SKIP() << "compares amd64 calls";
#endif
  auto filter = Filter({{{"socket"}, "SCMP_ACT_ERRNO", 95, {{0, 40, 0, Op::kEqual}}},
                        {{"socket"}, "SCMP_ACT_ERRNO", 96, {{0, 60, 0, Op::kGreater}}}},
                       "SCMP_ACT_ALLOW");
  filter.architectures = {kAmd64};  // on i386 libseccomp cannot tell the two apart in socketcall
  const SeccompProgram program = Compiled(filter);
  for (const std::uint64_t family : {std::uint64_t{AF_UNIX}, std::uint64_t{40}, std::uint64_t{61},
                                     (std::uint64_t{1} << 32U) + 40}) {
    const int answer = program.Answer({kAmd64, SYS_socket, {family}}).errno_value().value_or(0);
    EXPECT_EQ(SocketUnder(program, static_cast<long>(family)), answer) << family;
  }
}

}  // namespace
}  // namespace runclad::privilege::seccomp_program_test
