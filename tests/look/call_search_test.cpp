#include "look/call_search.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runclad/privilege/denied_call.hpp"
#include "runclad/privilege/seccomp_program.hpp"

namespace runclad::look::call_search_test {
namespace {

using privilege::SeccompFilter;
using ::testing::HasSubstr;

TaskState TaskWith(const SeccompFilter& filter) {
  TaskState task;
  task.credentials.seccomp_mode = 2;
  const auto program = privilege::SeccompProgram::Compile(filter);
  if (!program) throw std::runtime_error(program.error().message);
  task.programs = {program->instructions()};
  return task;
}

SeccompFilter Ours(privilege::SeccompTuning tuning) {
  const SeccompFilter profile = privilege::DefaultSeccompFilter({{}, "amd64", 6, 18});
  return privilege::Intersect({}, profile, tuning).filter;
}

SeccompFilter Of(std::vector<privilege::SeccompRule> rules) {
  SeccompFilter filter;
  filter.default_action = "SCMP_ACT_ERRNO";
  filter.architectures = {"SCMP_ARCH_X86_64"};
  filter.rules = std::move(rules);
  return filter;
}

constexpr const char* kCalls[] = {"setsockopt arg1==41 arg2==64",
                                  "ioctl arg1==21522",
                                  "madvise arg2<10",
                                  "madvise arg2!=4",
                                  "clone arg0&0x10000==0x10000",
                                  "madvise arg2>9",
                                  "socket arg2==262 arg0==2"};

TEST(AskDeniedCall, KnowsOurFilters) {
  for (const char* text : kCalls) {
    const auto call = privilege::ParseDeniedCall(text);
    ASSERT_TRUE(call) << text;
    EXPECT_EQ(AskDeniedCall(TaskWith(Ours({})), *call).verdict, Verdict::kYes) << text;
    EXPECT_EQ(AskDeniedCall(TaskWith(Ours({.deny = {text}})), *call).verdict, Verdict::kNo) << text;
    EXPECT_EQ(AskDeniedCall(TaskWith(Ours({.deny = {call->name}})), *call).verdict, Verdict::kNo)
        << text;
  }
}

// No shield's call is closed because it is denied with zeros.
TEST(AskDeniedCall, FindsSomeArgumentsOfACallThatHasNone) {
  using Op = privilege::SeccompOperator;
  const SeccompFilter by_family =
      Of({{{"socketpair", "prctl"}, "SCMP_ACT_ALLOW", {}, {{0, 15, 0, Op::kEqual}}}});
  EXPECT_EQ(AskDeniedCall(TaskWith(by_family), {"socketpair", {}}).verdict, Verdict::kYes);
  EXPECT_EQ(AskDeniedCall(TaskWith(by_family), {"prctl", {}}).verdict, Verdict::kYes);
  EXPECT_EQ(AskDeniedCall(TaskWith(by_family), {"socket", {}}).verdict, Verdict::kNo);
}

// The kernel takes 32 bits of a family.
TEST(AskDeniedCall, FindsAFamilyThatHasMoreBits) {
  using Op = privilege::SeccompOperator;
  constexpr std::uint64_t kVsock = 40;
  const SeccompFilter but_vsock =
      Of({{{"socket"}, "SCMP_ACT_ALLOW", {}, {{0, kVsock, 0, Op::kNotEqual}}}});
  EXPECT_EQ(AskDeniedCall(TaskWith(but_vsock), {"socket", {{0, kVsock, 0, Op::kEqual}}}).verdict,
            Verdict::kYes);
}

// What the filter compares leads to the arguments that it lets through.
TEST(AskDeniedCall, FindsWhatAFilterLetsThrough) {
  using Op = privilege::SeccompOperator;
  const auto asks = [](const char* text, std::vector<privilege::SeccompArgument> arguments) {
    const SeccompFilter filter =
        Of({{{privilege::ParseDeniedCall(text)->name}, "SCMP_ACT_ALLOW", {}, arguments}});
    return AskDeniedCall(TaskWith(filter), *privilege::ParseDeniedCall(text));
  };
  // Another argument than the shield's.
  EXPECT_EQ(asks("socket arg2==262", {{0, 17, 0, Op::kEqual}}).verdict, Verdict::kYes);
  EXPECT_EQ(asks("socket arg2==262", {{0, 17, 0, Op::kGreater}, {1, 3, 0, Op::kNotEqual}}).verdict,
            Verdict::kYes);
  EXPECT_EQ(asks("socket arg2==262", {{0, 17, 0, Op::kEqual}, {2, 6, 0, Op::kEqual}}).verdict,
            Verdict::kNo);
  // A filter that compares 64 bits does not stop an argument of which the kernel reads 32.
  const Answer beyond = asks("ioctl arg1==21522", {{1, 21522, 0, Op::kNotEqual}});
  EXPECT_EQ(beyond.verdict, Verdict::kYes);
  EXPECT_THAT(beyond.because, HasSubstr("ioctl arg1=="));
  EXPECT_EQ(asks("madvise arg2>9", {{2, 0xF0, 0x20, Op::kMaskedEqual}}).verdict, Verdict::kYes);
  EXPECT_EQ(asks("madvise arg2<9", {{2, 0xF0, 0x20, Op::kMaskedEqual}}).verdict, Verdict::kNo);
}

TEST(AskDeniedCall, SaysWhenItDoesNotKnow) {
  TaskState task = TaskWith(Of({}));
  task.filters_unknown_because = "it is traced";
  const auto call = *privilege::ParseDeniedCall("ioctl arg1==21522");
  EXPECT_EQ(AskDeniedCall(task, call).verdict, Verdict::kUnknown);
  // A program that calculates with the argument.
  task.filters_unknown_because.clear();
  constexpr std::uint32_t kSecondArgument = 24;
  task.programs = {
      {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kSecondArgument), BPF_STMT(BPF_ALU | BPF_ADD | BPF_K, 1),
       BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 7, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
       BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 1)}};
  EXPECT_EQ(AskDeniedCall(task, call).verdict, Verdict::kUnknown);
  task.credentials.seccomp_mode = 0;
  EXPECT_EQ(AskDeniedCall(task, call).verdict, Verdict::kYes);
}

}  // namespace
}  // namespace runclad::look::call_search_test
