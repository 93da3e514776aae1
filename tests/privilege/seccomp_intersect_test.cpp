// What is left of two filters. Long: each case has whole filters.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "seccomp_simulation.hpp"

namespace runclad::privilege::seccomp_intersect_test {
namespace {

using Op = SeccompOperator;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Strings = std::vector<std::string>;
using Arguments = std::vector<SeccompArgument>;

constexpr std::uint64_t kMaximum = ~std::uint64_t{0};

SeccompRule Allow(Strings names, Arguments arguments = {}) {
  return {std::move(names), "SCMP_ACT_ALLOW", {}, std::move(arguments)};
}

SeccompRule Fail(Strings names, std::uint32_t errno_return, Arguments arguments = {}) {
  return {std::move(names), "SCMP_ACT_ERRNO", errno_return, std::move(arguments)};
}

SeccompRule Act(const std::string& action, Strings names, Arguments arguments = {}) {
  return {std::move(names), action, {}, std::move(arguments)};
}

SeccompFilter Filter(std::vector<SeccompRule> rules, const std::string& action = "SCMP_ACT_ERRNO",
                     Strings architectures = {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86",
                                              "SCMP_ARCH_X32"}) {
  SeccompFilter filter;
  filter.default_action = action;
  if (action == "SCMP_ACT_ERRNO") filter.default_errno_return = 1;
  filter.architectures = std::move(architectures);
  filter.flags.emplace();
  filter.rules = std::move(rules);
  return filter;
}

SeccompFilter On64Bit(SeccompFilter filter) {
  filter.architectures = {"SCMP_ARCH_X86_64"};
  return filter;
}

std::vector<SeccompRule> Rules(const SeccompFilter& theirs, const SeccompFilter& ours,
                               const SeccompTuning& tuning = {}) {
  return Intersect(theirs, ours, tuning).filter.rules;
}

SeccompFilter Ours(Strings capabilities = {}) {
  return DefaultSeccompFilter({std::move(capabilities), "amd64", 6, 18});
}

TEST(SeccompIntersect, KeepsWhatBothAllowSortedAndMerged) {
  const auto theirs = Filter({Allow({"write", "read"}), Allow({"bpf"}), Allow({"read", "close"})});
  const auto ours = Filter({Allow({"close", "open", "read", "write"})});
  EXPECT_EQ(Intersect(theirs, ours, {}).filter, Filter({Allow({"close", "read", "write"})}));
}

TEST(SeccompIntersect, OurFilterIsAlreadyCanonical) {
  for (const Strings& capabilities : {Strings(), Strings{"CAP_SYS_ADMIN"}}) {
    const SeccompFilter ours = Ours(capabilities);
    EXPECT_EQ(Intersect(Filter({}, "SCMP_ACT_ALLOW"), ours, {}).filter, ours);
    EXPECT_EQ(Intersect(SeccompFilter(), ours, {}).filter, ours) << "no filter at all";
    EXPECT_EQ(Intersect(ours, ours, {}).filter, ours);
  }
}

TEST(SeccompIntersect, ConjoinsConditions) {
  const struct {
    const char* name;
    Arguments theirs;
    Arguments ours;
    std::vector<Arguments> both;
  } cases[] = {
      {"one side has none", {}, {{0, 40, 0, Op::kNotEqual}}, {{{0, 40, 0, Op::kNotEqual}}}},
      {"not AF_VSOCK, below AF_ALG",
       {{0, 40, 0, Op::kNotEqual}},
       {{0, 37, 0, Op::kLessEqual}},
       {{{0, 37, 0, Op::kLessEqual}}}},
      {"different arguments",
       {{0, 2, 0, Op::kEqual}},
       {{1, 1, 0, Op::kEqual}},
       {{{0, 2, 0, Op::kEqual}, {1, 1, 0, Op::kEqual}}}},
      {"nothing in common", {{0, 2, 0, Op::kEqual}}, {{0, 3, 0, Op::kEqual}}, {}},
      {"an interval becomes aligned blocks",
       {{0, 6, 0, Op::kGreaterEqual}},
       {{0, 12, 0, Op::kLess}},
       {{{0, kMaximum - 1, 6, Op::kMaskedEqual}}, {{0, kMaximum - 3, 8, Op::kMaskedEqual}}}},
      {"a repeated argument is an alternative in runc",
       {{0, 1, 0, Op::kEqual}, {0, 9, 0, Op::kEqual}},
       {{0, 4, 0, Op::kLess}},
       {{{0, 1, 0, Op::kEqual}}}},
      {"and then every comparison of the rule is",
       {{0, 1, 0, Op::kEqual}, {0, 9, 0, Op::kEqual}, {1, 5, 0, Op::kEqual}},
       {{0, 4, 0, Op::kLess}},
       {{{0, 1, 0, Op::kEqual}}, {{0, 3, 0, Op::kLessEqual}, {1, 5, 0, Op::kEqual}}}},
      {"never holds", {{0, 0, 0, Op::kLess}}, {}, {}},
  };
  for (const auto& [name, theirs, ours, both] : cases) {
    std::vector<SeccompRule> expected;
    expected.reserve(both.size());
    for (const Arguments& arguments : both) expected.push_back(Allow({"socket"}, arguments));
    EXPECT_THAT(Rules(Filter({Allow({"socket"}, theirs)}), Filter({Allow({"socket"}, ours)})),
                ::testing::UnorderedElementsAreArray(expected))
        << name;
  }
}

TEST(SeccompIntersect, MultipliesAlternativesAndDropsCoveredOnes) {
  const auto theirs =
      Filter({Allow({"prctl"}, {{0, 10, 0, Op::kLess}}), Allow({"prctl"}, {{0, 5, 0, Op::kLess}}),
              Allow({"prctl"}, {{0, 38, 0, Op::kEqual}})});
  const auto ours = Filter({Allow({"prctl"}, {{0, 40, 0, Op::kLess}})});
  EXPECT_THAT(Rules(theirs, ours), ElementsAre(Allow({"prctl"}, {{0, 9, 0, Op::kLessEqual}}),
                                               Allow({"prctl"}, {{0, 38, 0, Op::kEqual}})));
}

TEST(SeccompIntersect, SharesRulesAmongNamesWithTheSameCondition) {
  const Arguments small = {{1, 7, 0, Op::kLessEqual}};
  const auto theirs = Filter({Allow({"prctl"}, small), Allow({"ioctl"}, small)});
  EXPECT_THAT(Rules(theirs, Filter({Allow({"ioctl", "prctl"})})),
              ElementsAre(Allow({"ioctl", "prctl"}, small)));
}

TEST(SeccompIntersect, DropsCallsThatNeedTooManyRulesAndReportsEssentialOnes) {
  // "No namespaces" without one flag value in its midst: some fifty rules.
  const auto theirs = Filter({Allow({"clone", "mount"}, {{0, 5, 0, Op::kNotEqual}}),
                              Allow({"read"}, {{0, 3, 0, Op::kEqual}})});
  const auto ours = Filter({Allow({"clone", "mount"}, {{0, 0x7E020000, 0, Op::kMaskedEqual}}),
                            Allow({"read"}, {{0, 4, 0, Op::kEqual}})});
  const SeccompIntersection met = Intersect(theirs, ours, {});
  EXPECT_THAT(met.filter.rules, IsEmpty());
  EXPECT_THAT(Sentences(met), ElementsAre(HasSubstr("\"clone\""), HasSubstr("\"mount\"")));
  EXPECT_THAT(met.lost, ElementsAre("clone", "read"));
}

TEST(SeccompIntersect, DoesNotReportEssentialCallsThatAreDeniedOnPurpose) {
  const auto everything = Filter({Allow({"clone", "execve", "read"})});
  EXPECT_THAT(Intersect(Filter({Allow({"read"})}), everything, {}).lost, IsEmpty());
  EXPECT_THAT(Intersect(everything, everything, {.allow = {}, .deny = {"execve"}}).lost, IsEmpty());
}

// i386 and x32 compare the lower 32 bits: "above 2^32" is "above 0" there.
TEST(SeccompIntersect, DistrustsNumbersBeyond32BitsForANarrowArchitecture) {
  constexpr std::uint64_t kWide = std::uint64_t{1} << 32U;
  const auto theirs = Filter({Allow({"prctl", "socket"}, {{0, kWide, 0, Op::kGreater}})});
  const auto ours = Filter({Allow({"prctl", "socket"}, {{0, 40, 0, Op::kGreater}})});
  const SeccompIntersection met = Intersect(theirs, ours, {});
  EXPECT_THAT(met.filter.rules, IsEmpty());
  EXPECT_THAT(Sentences(met), Contains(HasSubstr("32 bits")));
  EXPECT_THAT(met.lost, ElementsAre("prctl"));
  EXPECT_THAT(Rules(On64Bit(theirs), On64Bit(ours)),
              ElementsAre(Allow({"prctl", "socket"}, {{0, kWide, 0, Op::kGreater}})));

  // A denial grows instead: everything above 2^32 stays denied, and the rest with it.
  const auto denying =
      Filter({Fail({"prctl"}, 1, {{0, kWide, 0, Op::kGreater}})}, "SCMP_ACT_ALLOW");
  EXPECT_THAT(Rules(denying, Filter({Allow({"prctl", "read"})})), ElementsAre(Allow({"read"})));
}

TEST(SeccompIntersect, EmitsNoNumberBeyond32BitsForANarrowArchitecture) {
  // Even numbers, all bits above the 32nd 0: above 40 that needs a block from 2^32 on.
  constexpr std::uint64_t kMask = (kMaximum << 33U) | 1U;
  const auto theirs = Filter({Allow({"socket"}, {{0, kMask, 0, Op::kMaskedEqual}})});
  const auto ours = Filter({Allow({"socket"}, {{0, 0xFFFFFFF0, 0, Op::kGreater}})});
  const std::vector<SeccompRule> rules = Rules(theirs, ours);
  EXPECT_EQ(rules.size(), 3U);  // f2, f4 and f6, f8 to fe
  for (const SeccompRule& rule : rules) {
    ASSERT_EQ(rule.arguments.size(), 1U);
    const SeccompArgument& said = rule.arguments[0];
    const std::uint64_t number = said.op == Op::kMaskedEqual ? said.value_two : said.value;
    EXPECT_GT(number, 0xFFFFFFF0U);
    EXPECT_LE(number, 0xFFFFFFFFU);
  }
}

TEST(SeccompIntersect, RemovesTheDeniedCallsOfADenyList) {
  const auto ours = Filter({Allow({"close", "prctl", "ptrace", "read", "socket"})});
  const struct {
    const char* name;
    SeccompFilter theirs;
    std::vector<SeccompRule> rules;
  } cases[] = {
      {"a call",
       Filter({Fail({"ptrace"}, 1)}, "SCMP_ACT_ALLOW"),
       {Allow({"close", "prctl", "read", "socket"})}},
      {"with another answer than ours",
       Filter({Act("SCMP_ACT_KILL", {"ptrace"})}, "SCMP_ACT_ALLOW"),
       {Allow({"close", "prctl", "read", "socket"}), Act("SCMP_ACT_KILL", {"ptrace"})}},
      {"under a condition",
       Filter({Fail({"prctl"}, 1, {{0, 22, 0, Op::kEqual}})}, "SCMP_ACT_ALLOW"),
       {Allow({"close", "ptrace", "read", "socket"}),
        Allow({"prctl"}, {{0, 21, 0, Op::kLessEqual}}),
        Allow({"prctl"}, {{0, 22, 0, Op::kGreater}})}},
      {"under two",
       Filter({Fail({"prctl"}, 1, {{0, 22, 0, Op::kEqual}, {1, 2, 0, Op::kEqual}})},
              "SCMP_ACT_ALLOW"),
       {Allow({"close", "ptrace", "read", "socket"}),
        Allow({"prctl"}, {{0, 21, 0, Op::kLessEqual}}),
        Allow({"prctl"}, {{0, 22, 0, Op::kGreater}}), Allow({"prctl"}, {{1, 1, 0, Op::kLessEqual}}),
        Allow({"prctl"}, {{1, 2, 0, Op::kGreater}})}},
      {"permissions in it say nothing",
       Filter({Fail({"ptrace"}, 1), Allow({"ptrace"}), Allow({"reboot"})}, "SCMP_ACT_ALLOW"),
       {Allow({"close", "prctl", "read", "socket"})}},
      {"LOG",
       Filter({Fail({"ptrace"}, 1)}, "SCMP_ACT_LOG"),
       {Allow({"close", "prctl", "read", "socket"})}},
      {"TRACE",
       Filter({}, "SCMP_ACT_TRACE"),
       {Allow({"close", "prctl", "ptrace", "read", "socket"})}},
      {"NOTIFY",
       Filter({}, "SCMP_ACT_NOTIFY"),
       {Allow({"close", "prctl", "ptrace", "read", "socket"})}},
      {"nothing said at all, which runc takes for no filter",
       SeccompFilter(),
       {Allow({"close", "prctl", "ptrace", "read", "socket"})}},
  };
  for (const auto& [name, theirs, rules] : cases) {
    const SeccompFilter met = Intersect(theirs, ours, {}).filter;
    EXPECT_EQ(met.rules, rules) << name;
    EXPECT_EQ(met.default_action, "SCMP_ACT_ERRNO") << name;
    EXPECT_EQ(met.default_errno_return, 1) << name;
    EXPECT_EQ(Intersect(met, ours, {}).filter, met) << name;
  }
}

TEST(SeccompIntersect, NeverAllowsAndDeniesTheSameCall) {
  // libseccomp would keep the permission, in either order.
  const auto theirs =
      Filter({Allow({"prctl", "read"}), Fail({"prctl"}, 95, {{0, 22, 0, Op::kEqual}}),
              Allow({"close"}), Fail({"close"}, 13)});
  EXPECT_THAT(Rules(theirs, Filter({Allow({"close", "prctl", "read"})})),
              ElementsAre(Allow({"read"}), Allow({"prctl"}, {{0, 21, 0, Op::kLessEqual}}),
                          Allow({"prctl"}, {{0, 22, 0, Op::kGreater}}), Fail({"close"}, 13)));
}

TEST(SeccompIntersect, DoesNotTreatLogTraceOrNotifyAsPermission) {
  for (const char* action : {"SCMP_ACT_LOG", "SCMP_ACT_TRACE", "SCMP_ACT_NOTIFY"}) {
    auto theirs = Filter({Allow({"read"}), Act(action, {"close", "mount"}),
                          Act(action, {"prctl"}, {{0, 1, 0, Op::kEqual}}), Allow({"prctl"})});
    theirs.listener_path = "/run/agent.sock";
    theirs.listener_metadata = "x";
    const SeccompIntersection met =
        Intersect(theirs, Filter({Allow({"close", "prctl", "read"})}), {});
    EXPECT_EQ(met.filter, Filter({Allow({"read"}), Allow({"prctl"}, {{0, 0, 0, Op::kEqual}}),
                                  Allow({"prctl"}, {{0, 1, 0, Op::kGreater}})}))
        << action;
    EXPECT_THAT(Sentences(met), Contains(HasSubstr(action)));
    EXPECT_THAT(Sentences(met), Contains(HasSubstr("listenerPath")));
  }
}

TEST(SeccompIntersect, TheStricterDenialWins) {
  const struct {
    const char* name;
    std::vector<SeccompRule> theirs;
    std::vector<SeccompRule> ours;
    std::vector<SeccompRule> met;
  } cases[] = {
      {"kill over errno",
       {Act("SCMP_ACT_KILL_PROCESS", {"bpf"})},
       {Fail({"bpf"}, 38)},
       {Act("SCMP_ACT_KILL_PROCESS", {"bpf"})}},
      {"kill over trap",
       {Act("SCMP_ACT_TRAP", {"bpf"})},
       {Act("SCMP_ACT_KILL", {"bpf"})},
       {Act("SCMP_ACT_KILL", {"bpf"})}},
      {"trap over errno", {Act("SCMP_ACT_TRAP", {"bpf"})}, {}, {Act("SCMP_ACT_TRAP", {"bpf"})}},
      {"kill of the thread by its older name",
       {Act("SCMP_ACT_KILL_THREAD", {"bpf"})},
       {},
       {Act("SCMP_ACT_KILL", {"bpf"})}},
      {"the engine's errno", {Fail({"bpf"}, 13)}, {Fail({"bpf"}, 38)}, {Fail({"bpf"}, 13)}},
      {"ours where the engine says none", {}, {Fail({"bpf"}, 38)}, {Fail({"bpf"}, 38)}},
      {"ours where the engine allows", {Allow({"bpf"})}, {Fail({"bpf"}, 38)}, {Fail({"bpf"}, 38)}},
      {"theirs where we allow", {Fail({"bpf"}, 13)}, {Allow({"bpf"})}, {Fail({"bpf"}, 13)}},
      {"clone3 is not implemented, whatever the engine's errno",
       {Fail({"clone3"}, 1)},
       {Allow({"clone3"})},
       {Fail({"clone3"}, 38)}},
      {"also when the engine only leaves it out", {}, {Allow({"clone3"})}, {Fail({"clone3"}, 38)}},
      {"but killed where the engine says so",
       {Act("SCMP_ACT_KILL", {"clone3"})},
       {Fail({"clone3"}, 38)},
       {Act("SCMP_ACT_KILL", {"clone3"})}},
      {"an action nobody knows is a denial",
       {Act("SCMP_ACT_MAYBE", {"bpf"})},
       {Allow({"bpf"})},
       {}},
  };
  for (const auto& [name, theirs, ours, met] : cases) {
    EXPECT_EQ(Rules(Filter(theirs), Filter(ours)), met) << name;
  }
}

TEST(SeccompIntersect, TheStricterDefaultWins) {
  const auto met = [](const std::string& action, std::optional<std::uint32_t> errno_return) {
    auto theirs = Filter({Allow({"read", "mount"})}, action);
    theirs.default_errno_return = errno_return;
    return Intersect(theirs, Filter({Allow({"read"})}), {}).filter;
  };
  const SeccompFilter plain = met("SCMP_ACT_ERRNO", std::nullopt);
  EXPECT_EQ(plain, Filter({Allow({"read"})}));
  // podman's: what it leaves out is "not implemented"; what ours denies stays "not permitted".
  const SeccompFilter podman = met("SCMP_ACT_ERRNO", 38);
  EXPECT_EQ(podman.default_errno_return, 38);
  EXPECT_THAT(podman.rules, ElementsAre(Allow({"read"}), Fail({"mount"}, 1)));
  const SeccompFilter kill = met("SCMP_ACT_KILL", std::nullopt);
  EXPECT_EQ(kill.default_action, "SCMP_ACT_KILL");
  EXPECT_EQ(kill.default_errno_return, std::nullopt);
  EXPECT_THAT(kill.rules, ElementsAre(Allow({"read"}), Fail({"mount"}, 1)));
}

TEST(SeccompIntersect, KeepsTheArchitecturesOfBoth) {
  const Strings x86 = {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"};
  const struct {
    const char* name;
    Strings theirs;
    Strings met;
  } cases[] = {
      {"all", x86, x86},
      {"in our order",
       {"SCMP_ARCH_X32", "SCMP_ARCH_X86_64"},
       {"SCMP_ARCH_X86_64", "SCMP_ARCH_X32"}},
      {"foreign ones go", {"SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64"}, {"SCMP_ARCH_X86_64"}},
      {"runc filters the native one anyway",
       {"SCMP_ARCH_X86"},
       {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86"}},
      // Calls of all others are killed under it: adding them would widen.
      {"none named is the native one", {}, {"SCMP_ARCH_X86_64"}},
  };
  for (const auto& [name, theirs, met] : cases) {
    const auto requested = Filter({Allow({"read"})}, "SCMP_ACT_ERRNO", theirs);
    EXPECT_EQ(Intersect(requested, Filter({Allow({"read"})}), {}).filter.architectures, met)
        << name;
  }
}

TEST(SeccompIntersect, KeepsOnlyHarmlessFlags) {
  auto theirs = Filter({Allow({"read"})});
  theirs.flags = {"SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
                  "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", "SECCOMP_FILTER_FLAG_LOG"};
  const SeccompIntersection met = Intersect(theirs, Filter({Allow({"read"})}), {});
  EXPECT_THAT(*met.filter.flags,
              ElementsAre("SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_TSYNC"));
  EXPECT_THAT(Sentences(met),
              ElementsAre(HasSubstr("SPEC_ALLOW"), HasSubstr("WAIT_KILLABLE_RECV")));
  theirs.flags.reset();  // runc >= 1.2 would add SPEC_ALLOW
  EXPECT_THAT(*Intersect(theirs, Filter({}), {}).filter.flags, IsEmpty());
}

TEST(SeccompIntersect, TuningAllowsAndDenies) {
  const auto theirs = Filter({Allow({"clone", "mount", "ptrace", "read", "unshare"})});
  const auto ours = Filter({Allow({"clone"}, {{0, 0x7E020000, 0, Op::kMaskedEqual}}),
                            Allow({"ptrace", "read"}), Fail({"unshare"}, 38)});
  const SeccompTuning tuning{{"clone", "mount", "reboot", "unshare", "ptrace"}, {"ptrace"}, false};
  EXPECT_THAT(Rules(theirs, ours, tuning),
              ElementsAre(Allow({"clone", "mount", "read", "unshare"})));
}

// What an i386 program gets.
SeccompAnswer On32Bit(const SeccompProgram& program, const std::string& name,
                      std::uint64_t first_argument) {
  const auto number = NumberOf("SCMP_ARCH_X86", name).value();
  return program.Answer({"SCMP_ARCH_X86", number, {first_argument}});
}

TEST(SeccompIntersect, ClosesSocketcallFor32BitPrograms) {
  for (const char* name : {"docker_default", "podman_default", "cri_plain"}) {
    const EngineDocument document = ReadDocument(name);
    const SeccompFilter ours = Ours(document.capabilities);
    const auto open = Intersect(document.filter, ours, {}).filter;
    const SeccompTuning tuning{{}, {}, true};
    const auto closed = Intersect(document.filter, ours, tuning).filter;
    const SeccompProgram open_program = Compiled(open);
    const SeccompProgram closed_program = Compiled(closed);
    const bool is_default_enosys = document.filter.default_errno_return == 38;
    for (std::uint64_t call = 1; call <= 20; ++call) {
      EXPECT_TRUE(On32Bit(open_program, "socketcall", call).allows()) << name << call;
      // runc leaves out a rule that repeats the default, and libseccomp then opens socketcall.
      EXPECT_EQ(On32Bit(closed_program, "socketcall", call).errno_value(),
                is_default_enosys ? 1 : 38)
          << name << call;
    }
    EXPECT_TRUE(On32Bit(closed_program, "socket", 2).allows()) << name;
    EXPECT_FALSE(On32Bit(closed_program, "socket", 40).allows()) << name;
    EXPECT_EQ(Intersect(closed, ours, tuning).filter, closed) << name;
  }
}

TEST(SeccompIntersect, DeniesTheMultiplexerOfADeniedCall) {
  const auto ours = Ours();
  const auto deny_list = Filter({Fail({"bind"}, 13)}, "SCMP_ACT_ALLOW");
  const auto conditional =
      Filter({Fail({"socket"}, 13, {{0, 40, 0, Op::kEqual}})}, "SCMP_ACT_ALLOW");
  constexpr std::uint64_t kSocket = 1;
  constexpr std::uint64_t kBind = 2;
  constexpr std::uint64_t kSemget = 2;
  EXPECT_FALSE(
      On32Bit(Compiled(Intersect(deny_list, ours, {}).filter), "socketcall", kBind).allows());
  EXPECT_FALSE(
      On32Bit(Compiled(Intersect(conditional, ours, {}).filter), "socketcall", kSocket).allows());
  const auto docker = ReadDocument("docker_default").filter;
  const auto tuned = [&](const char* denied) {
    return Intersect(docker, ours, {{}, {denied}, false}).filter;
  };
  EXPECT_FALSE(On32Bit(Compiled(tuned("bind")), "socketcall", kBind).allows());
  EXPECT_FALSE(On32Bit(Compiled(tuned("socketcall")), "socketcall", kBind).allows());
  EXPECT_FALSE(On32Bit(Compiled(tuned("semget")), "ipc", kSemget).allows());
  EXPECT_TRUE(On32Bit(Compiled(tuned("semget")), "socketcall", kBind).allows());
}

TEST(SeccompIntersect, BoundsARepetitiveFilter) {
  SeccompFilter theirs = Filter({});
  for (std::uint64_t i = 0; i < 20000; ++i) {
    theirs.rules.push_back(Allow({"prctl", "socket"}, {{0, 2 * i, 0, Op::kEqual}}));
    theirs.rules.push_back(Fail({"ioctl"}, 13, {{1, i, 0, Op::kEqual}}));
  }
  theirs.rules.push_back(Allow({"ioctl"}));
  const SeccompIntersection met = Intersect(theirs, Filter({Allow({"ioctl", "prctl"})}), {});
  EXPECT_LE(met.filter.rules.size(), 64U);
  EXPECT_THAT(Sentences(met), Contains(HasSubstr("too many")));
}

}  // namespace
}  // namespace runclad::privilege::seccomp_intersect_test
