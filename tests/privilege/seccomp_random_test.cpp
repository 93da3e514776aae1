// Random filters, compiled: what the intersection allows, both allow.
#include <random>

#include <gtest/gtest.h>

#include "seccomp_simulation.hpp"

namespace runclad::privilege {
namespace {

class RandomFilters {
 public:
  explicit RandomFilters(std::uint32_t seed) : random_(seed) {}

  SeccompFilter Filter(bool may_be_deny_list) {
    static constexpr const char* kDenying[] = {"SCMP_ACT_ERRNO", "SCMP_ACT_ERRNO", "SCMP_ACT_TRAP",
                                               "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS"};
    static constexpr const char* kAny[] = {
        "SCMP_ACT_ALLOW", "SCMP_ACT_ALLOW", "SCMP_ACT_ALLOW", "SCMP_ACT_ALLOW", "SCMP_ACT_ALLOW",
        "SCMP_ACT_ERRNO", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL",  "SCMP_ACT_LOG",   "SCMP_ACT_TRACE"};
    SeccompFilter filter;
    filter.default_action = may_be_deny_list && Below(3) == 0 ? "SCMP_ACT_ALLOW" : Pick(kDenying);
    if (Below(2) == 0) filter.default_errno_return = Below(3) == 0 ? 38 : 1;
    filter.architectures = {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"};
    if (Below(4) == 0) filter.architectures.pop_back();
    const std::size_t rules = 2 + Below(8);
    for (std::size_t i = 0; i < rules; ++i) {
      SeccompRule rule{{}, Pick(kAny), {}, {}};
      if (Below(2) == 0) rule.errno_return = Below(2) == 0 ? 38 : 13;
      const std::size_t names = 1 + Below(4);
      for (std::size_t k = 0; k < names; ++k) rule.names.emplace_back(Pick(kNames));
      if (Below(2) == 0) rule.arguments = Arguments();
      filter.rules.push_back(std::move(rule));
    }
    return filter;
  }

 private:
  static constexpr const char* kNames[] = {"socket", "bind",   "socketcall",   "ipc",   "semget",
                                           "clone",  "clone3", "personality",  "prctl", "ioctl",
                                           "mmap",   "read",   "not_a_syscall"};

  std::size_t Below(std::size_t limit) { return random_() % limit; }

  template <std::size_t N>
  const char* Pick(const char* const (&from)[N]) {
    return from[Below(N)];
  }

  std::uint64_t Number() {
    switch (Below(6)) {
      case 0:
        return std::uint64_t{1} << Below(64);
      case 1:
        return 0x7E020000;
      case 2:
        return (std::uint64_t{1} << 32U) - 1 + Below(3);
      default:
        return Below(48);
    }
  }

  std::vector<SeccompArgument> Arguments() {
    std::vector<SeccompArgument> arguments;
    const std::size_t count = 1 + Below(2);
    for (std::size_t i = 0; i < count; ++i) {
      SeccompArgument argument{static_cast<std::uint32_t>(Below(2)), Number(), 0,
                               static_cast<SeccompOperator>(Below(7))};
      if (argument.op == SeccompOperator::kMaskedEqual) argument.value_two = Number();
      if (Below(8) != 0) argument.value_two &= argument.value;
      arguments.push_back(argument);
    }
    return arguments;
  }

  std::mt19937 random_;
};

TEST(SeccompIntersection, OfRandomFiltersIsNeverWider) {
  int compiled = 0;
  for (std::uint32_t seed = 1; seed <= 200; ++seed) {
    RandomFilters random(seed);
    const SeccompFilter theirs = random.Filter(true);
    const SeccompFilter ours = random.Filter(false);
    const auto their_program = SeccompProgram::Compile(theirs);
    const auto our_program = SeccompProgram::Compile(ours);
    if (!their_program || !our_program) continue;
    ++compiled;
    const SeccompFilter met = Intersect(theirs, ours, {}).filter;
    const auto program = SeccompProgram::Compile(met);
    ASSERT_TRUE(program) << seed << ": " << program.error().message;
    const CallEdges edges({&theirs, &ours, &met});
    EXPECT_EQ(edges.FirstBeyond(*program, *their_program, &theirs), "")
        << seed << ": " << ::testing::PrintToString(met) << "is wider than theirs, "
        << ::testing::PrintToString(theirs);
    EXPECT_EQ(edges.FirstBeyond(*program, *our_program, &ours), "")
        << seed << ": " << ::testing::PrintToString(met) << "is wider than ours, "
        << ::testing::PrintToString(ours);
    EXPECT_EQ(Intersect(met, ours, {}).filter, met) << seed;
  }
  EXPECT_GT(compiled, 100);  // the others contradict themselves, and libseccomp says so
}

}  // namespace
}  // namespace runclad::privilege
