// What a policy's parameters do to a filter, whatever filter comes in. Long: each parameter with
// the answers of its whole filter.
#include <linux/seccomp.h>

#include <array>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "runclad/privilege/denied_call.hpp"

#include "seccomp_simulation.hpp"

namespace runclad::privilege::seccomp_tuning_test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Strings = std::vector<std::string>;

constexpr const char* kX86[] = {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"};

SeccompFilter Ours() { return DefaultSeccompFilter({{}, "amd64", 6, 18}); }

SeccompFilter Of(const std::string& default_action, std::vector<SeccompRule> rules) {
  SeccompFilter filter;
  filter.default_action = default_action;
  filter.architectures = {std::begin(kX86), std::end(kX86)};
  filter.rules = std::move(rules);
  return filter;
}

// Docker's list with one more call, and another default action.
SeccompFilter DockerWith(const std::string& name, const std::string& default_action) {
  SeccompFilter filter = ReadDocument("docker_default").filter;
  filter.default_action = default_action;
  filter.default_errno_return.reset();
  filter.rules.push_back({{name}, "SCMP_ACT_ALLOW", {}, {}});
  return filter;
}

struct Incoming {
  std::string name;
  SeccompFilter filter;
  bool allows_keyctl;
};

std::vector<Incoming> EveryKind() {
  return {
      {"no filter", {}, true},
      {"Docker's", ReadDocument("docker_default").filter, false},
      {"Podman's", ReadDocument("podman_default").filter, true},
      {"containerd's", ReadDocument("cri_plain").filter, false},
      {"a list that kills what it leaves out", DockerWith("keyctl", "SCMP_ACT_KILL"), true},
      {"a list that traps what it leaves out", DockerWith("keyctl", "SCMP_ACT_TRAP"), true},
      {"everything", Of("SCMP_ACT_ALLOW", {}), true},
      {"everything but one call", Of("SCMP_ACT_ALLOW", {{{"keyctl"}, "SCMP_ACT_ERRNO", {}, {}}}),
       false},
      {"everything but one call, and getpid said to be allowed",
       Of("SCMP_ACT_ALLOW",
          {{{"keyctl"}, "SCMP_ACT_KILL_PROCESS", {}, {}}, {{"getpid"}, "SCMP_ACT_ALLOW", {}, {}}}),
       false},
      {"everything, written to the kernel's log", Of("SCMP_ACT_LOG", {}), true},
      {"everything, reported to a tracer", Of("SCMP_ACT_TRACE", {}), true},
  };
}

SeccompAnswer Answer(const SeccompProgram& program, const char* architecture,
                     const std::string& name, std::array<std::uint64_t, 6> arguments = {}) {
  return program.Answer({architecture, NumberOf(architecture, name).value(), arguments});
}

TEST(SeccompTuning, AllowsAndDeniesUnderEveryFilter) {
  const SeccompTuning tuning{.allow = {"keyctl", "getppid"}, .deny = {"getpid", "getppid"}};
  for (const auto& [name, theirs, allows_keyctl] : EveryKind()) {
    const SeccompFilter met = Intersect(theirs, Ours(), tuning).filter;
    const SeccompProgram program = Compiled(met);
    for (const char* architecture : kX86) {
      const std::string where = name + " on " + architecture;
      EXPECT_FALSE(Answer(program, architecture, "getpid").allows()) << where;
      EXPECT_FALSE(Answer(program, architecture, "getppid").allows()) << where << ": deny wins";
      EXPECT_TRUE(Answer(program, architecture, "getuid").allows()) << where;
      EXPECT_EQ(Answer(program, architecture, "keyctl").allows(), allows_keyctl) << where;
    }
    EXPECT_EQ(Intersect(met, Ours(), tuning).filter, met) << name;
  }
}

// AF_CAN is what Docker's filter allows as well, AF_VSOCK what it does not.
TEST(SeccompTuning, AddsAddressFamiliesUnderEveryFilter) {
  constexpr std::uint16_t kCan = 29;
  constexpr std::uint16_t kVsock = 40;
  constexpr std::uint16_t kBluetooth = 31;
  const SeccompTuning tuning{.deny_socketcall = true, .families = {kCan, kVsock}};
  for (const auto& [name, theirs, allows_keyctl] : EveryKind()) {
    const bool lists_denials =
        theirs.default_action.empty() || theirs.default_action == "SCMP_ACT_ALLOW" ||
        theirs.default_action == "SCMP_ACT_LOG" || theirs.default_action == "SCMP_ACT_TRACE";
    const SeccompProgram plain = Compiled(lists_denials ? Ours() : theirs);
    const SeccompFilter met = Intersect(theirs, Ours(), tuning).filter;
    const SeccompProgram program = Compiled(met);
    for (const char* architecture : kX86) {
      for (const char* call : {"socket", "socketpair"}) {
        const std::string where = name + " " + call + " on " + architecture;
        EXPECT_TRUE(Answer(program, architecture, call, {kCan}).allows()) << where;
        EXPECT_FALSE(Answer(program, architecture, call, {kBluetooth}).allows()) << where;
        EXPECT_EQ(Answer(program, architecture, call, {kVsock}).allows(),
                  lists_denials || Answer(plain, architecture, call, {kVsock}).allows())
            << where;
      }
    }
    EXPECT_EQ(Intersect(met, Ours(), tuning).filter, met) << name;
  }
}

TEST(SeccompTuning, KillsEverythingButTheNative64BitArchitecture) {
  const SeccompTuning tuning{.only_64_bit = true};
  for (const Incoming& incoming : EveryKind()) {
    const SeccompFilter met = Intersect(incoming.filter, Ours(), tuning).filter;
    EXPECT_THAT(met.architectures, ElementsAre("SCMP_ARCH_X86_64")) << incoming.name;
    const SeccompProgram program = Compiled(met);
    EXPECT_TRUE(Answer(program, "SCMP_ARCH_X86_64", "getpid").allows()) << incoming.name;
    for (const char* architecture : {"SCMP_ARCH_X86", "SCMP_ARCH_X32"}) {
      EXPECT_EQ(Answer(program, architecture, "getpid").value, SECCOMP_RET_KILL_THREAD)
          << incoming.name << " on " << architecture;
    }
    EXPECT_EQ(Intersect(met, Ours(), tuning).filter, met) << incoming.name;
  }
}

TEST(SeccompTuning, KnowsWhichArchitecturesHave64Bits) {
  const struct {
    const char* native;
    Strings met;
  } cases[] = {{"amd64", {"SCMP_ARCH_X86_64"}},
               {"arm64", {"SCMP_ARCH_AARCH64"}},
               {"s390x", {"SCMP_ARCH_S390X"}},
               {"riscv64", {"SCMP_ARCH_RISCV64"}},
               {"mips64", {"SCMP_ARCH_MIPS64"}},
               {"386", DefaultSeccompFilter({{}, "386", 6, 18}).architectures},
               {"arm", DefaultSeccompFilter({{}, "arm", 6, 18}).architectures}};
  for (const auto& [native, met] : cases) {
    const SeccompFilter ours = DefaultSeccompFilter({{}, native, 6, 18});
    EXPECT_EQ(Intersect({}, ours, {.only_64_bit = true}).filter.architectures, met) << native;
  }
}

struct ModeCase {
  const char* call;
  std::array<std::uint64_t, 6> arguments;
  bool is_allowed;
};

constexpr std::uint64_t kCreate = 0100;          // O_CREAT
constexpr std::uint64_t kTemporary = 020200000;  // O_TMPFILE
constexpr std::uint64_t kSomeFlags = 02002001;   // O_WRONLY | O_APPEND | O_CLOEXEC
constexpr std::uint64_t kRegular = 0100000;      // S_IFREG
constexpr std::uint64_t kSticky = 01777;
constexpr std::uint64_t kGarbage = 0xFFFFFFFF;

constexpr ModeCase kModeCases[] = {
    {"chmod", {0, 0755}, true},
    {"chmod", {0, kSticky}, true},
    {"chmod", {0, 04755}, false},
    {"chmod", {0, 02755}, false},
    {"chmod", {0, 06777}, false},
    {"chmod", {0, 04000 | 0xABCD0000}, false},
    {"chmod", {04000, 0700, 04000}, true},
    {"fchmod", {3, 0644}, true},
    {"fchmod", {3, 04000}, false},
    {"fchmod", {3, 02000}, false},
    {"fchmodat", {3, 0, 0777}, true},
    {"fchmodat", {3, 0, 04711}, false},
    {"fchmodat", {3, 0, 02711}, false},
    {"creat", {0, 0666}, true},
    {"creat", {0, 04666}, false},
    {"mknod", {0, kRegular | 0644}, true},
    {"mknod", {0, kRegular | 04755}, false},
    {"mknod", {0, kRegular | 02755}, false},
    {"mknodat", {3, 0, kRegular | 0644}, true},
    {"mknodat", {3, 0, kRegular | 04755}, false},
    {"open", {0, kCreate, 0644}, true},
    {"open", {0, kCreate, 04644}, false},
    {"open", {0, kCreate | kSomeFlags, 02644}, false},
    {"open", {0, kTemporary, 04644}, false},
    {"open", {0, kTemporary, 0600}, true},
    // No file is made: the mode is whatever the register held.
    {"open", {0, kSomeFlags, kGarbage}, true},
    {"open", {0, 0, 06000}, true},
    {"openat", {3, 0, kCreate, 0600}, true},
    {"openat", {3, 0, kCreate, 04600}, false},
    {"openat", {3, 0, kTemporary | kSomeFlags, 02600}, false},
    {"openat", {3, 0, kSomeFlags, kGarbage}, true},
};

TEST(SeccompTuning, DeniesSettingSetIdBits) {
  const SeccompTuning tuning{.deny_set_id = true};
  for (const Incoming& incoming : EveryKind()) {
    const SeccompFilter met = Intersect(incoming.filter, Ours(), tuning).filter;
    const SeccompProgram program = Compiled(met);
    for (const char* architecture : kX86) {
      for (const auto& [call, arguments, is_allowed] : kModeCases) {
        EXPECT_EQ(Answer(program, architecture, call, arguments).allows(), is_allowed)
            << incoming.name << " on " << architecture << ": " << call << " "
            << ::testing::PrintToString(arguments);
      }
      EXPECT_FALSE(Answer(program, architecture, "openat2").allows()) << incoming.name;
    }
    EXPECT_EQ(Intersect(met, Ours(), tuning).filter, met) << incoming.name;
  }
}

TEST(SeccompTuning, DeniesCallsWhoseModesAFilterCannotSee) {
  const SeccompFilter met =
      Intersect({}, Ours(), {.allow = {"io_uring_setup", "chmod"}, .deny_set_id = true}).filter;
  const SeccompProgram program = Compiled(met);
  EXPECT_FALSE(Answer(program, "SCMP_ARCH_X86_64", "io_uring_setup").allows());
  EXPECT_FALSE(Answer(program, "SCMP_ARCH_X86_64", "chmod", {0, 04755}).allows());
  EXPECT_TRUE(Answer(program, "SCMP_ARCH_X86_64", "chmod", {0, 0755}).allows());
  EXPECT_EQ(Answer(program, "SCMP_ARCH_X86_64", "openat2").errno_value(), 38)
      << "programs turn to openat";
}

struct ArgumentCase {
  const char* denied;
  const char* call;
  std::array<std::uint64_t, 6> arguments;
  bool is_allowed;
};

constexpr std::uint64_t kUpper = std::uint64_t{1} << 32;
constexpr std::uint64_t kExtended = 0xFFFFFFFF00000000;
const ArgumentCase kArgumentCases[] = {
    {"setsockopt arg1==41 arg2==64", "setsockopt", {3, 41, 64}, false},
    {"setsockopt arg1==41 arg2==64", "setsockopt", {3, kUpper | 41, kExtended | 64}, false},
    {"setsockopt arg1==41 arg2==64", "setsockopt", {3, 41, 65, 1, 4}, true},
    {"setsockopt arg1==41 arg2==64", "setsockopt", {3, 40, 64, 1, 4}, true},
    {"setsockopt arg1==41 arg2==64", "setsockopt", {3, 0x80000029, 64}, true},
    {"setsockopt arg1==41 arg2==64", "getsockopt", {3, 41, 64}, true},
    {"ioctl arg1==21522", "ioctl", {0, 0x5412, 0xFFFF}, false},
    {"ioctl arg1==21522", "ioctl", {0, kUpper | 0x5412, 0xFFFF}, false},
    {"ioctl arg1==21522", "ioctl", {0, 0x5413, 0xFFFF}, true},
    {"ioctl arg1==21522", "ioctl", {0x5412, 0, 0x5412}, true},
    {"madvise arg2==4294967295", "madvise", {0, 0, 0xFFFFFFFF}, false},
    {"madvise arg2==4294967295", "madvise", {0, 0, ~std::uint64_t{0}}, false},
    {"madvise arg2==4294967295", "madvise", {0, 0, 0x7FFFFFFF}, true},
    {"madvise arg2==0", "madvise", {0, 0, 0}, false},
    {"madvise arg2==0", "madvise", {0, 0, kUpper}, false},
    {"madvise arg2==0", "madvise", {0, 0, 0x80000000}, true},
    {"madvise arg2<10", "madvise", {0, 0, kUpper | 9}, false},
    {"madvise arg2<10", "madvise", {0, 0, 10}, true},
    {"madvise arg2<=9", "madvise", {0, 0, 9}, false},
    {"madvise arg2>9", "madvise", {0, 0, 10}, false},
    {"madvise arg2>9", "madvise", {0, 0, 9}, true},
    {"madvise arg2>=9", "madvise", {0, 0, 9}, false},
    {"madvise arg2!=4", "madvise", {0, 0, 5}, false},
    {"madvise arg2!=4", "madvise", {0, 0, 4}, true},
    {"madvise arg2&0x6==0x2", "madvise", {0, 0, 3}, false},
    {"madvise arg2&0x6==0x2", "madvise", {0, 0, kUpper | 2}, false},
    {"madvise arg2&0x6==0x2", "madvise", {0, 0, 6}, true},
    {"socket arg0==2 arg2==262", "socket", {2, 1, 262}, false},
    {"socket arg0==2 arg2==262", "socket", {2, 1, kUpper | 262}, false},
    {"socket arg0==2 arg2==262", "socket", {2, 1, 6}, true},
    {"socket arg0==2 arg2==262", "socket", {10, 1, 262}, true},
    {"socket arg0==2 arg2==262", "socket", {1, 1, 0}, true},
};

// What `program` says to the cases of `denied`.
void ExpectDenied(const char* denied, const SeccompProgram& program, const std::string& where) {
  for (const ArgumentCase& each : kArgumentCases) {
    if (std::string_view(each.denied) != denied) continue;
    for (const char* architecture : kX86) {
      auto arguments = each.arguments;
      // The kernel's entries for 32-bit programs have no upper halves.
      if (architecture == std::string_view("SCMP_ARCH_X86")) {
        for (std::uint64_t& argument : arguments) argument &= UINT32_MAX;
      }
      EXPECT_EQ(Answer(program, architecture, each.call, arguments).allows(), each.is_allowed)
          << denied << ", " << where << " on " << architecture << ": " << each.call << " "
          << ::testing::PrintToString(arguments);
    }
    // No filter sees the arguments there.
    if (std::string_view(each.call) == "setsockopt") {
      EXPECT_FALSE(Answer(program, "SCMP_ARCH_X86", "socketcall", {14}).allows()) << where;
    }
  }
}

TEST(SeccompTuning, DeniesCallsWithArguments) {
  std::set<std::string> known;
  for (const ArgumentCase& each : kArgumentCases) {
    if (!known.insert(each.denied).second) continue;
    const SeccompTuning tuning{.deny = {each.denied}};
    for (const Incoming& incoming : EveryKind()) {
      const SeccompIntersection met = Intersect(incoming.filter, Ours(), tuning);
      EXPECT_THAT(met.lost, IsEmpty());
      ExpectDenied(each.denied, Compiled(met.filter), incoming.name);
      EXPECT_EQ(Intersect(met.filter, Ours(), tuning).filter, met.filter) << each.denied;
    }
  }
}

// Whatever else allows the call.
TEST(SeccompTuning, DeniesArgumentsOfAllowedCalls) {
  for (const char* denied :
       {"setsockopt arg1==41 arg2==64", "madvise arg2>9", "socket arg0==2 arg2==262"}) {
    const std::string name = ParseDeniedCall(denied)->name;
    const SeccompTuning tuning{.allow = {name}, .deny = {denied}};
    ExpectDenied(denied, Compiled(Intersect({}, Ours(), tuning).filter), "allowed by the policy");
  }
}

// libseccomp compares 32 bits for x32, too.
TEST(SeccompTuning, DeniesLargeArgumentsOf64Bits) {
  for (const char* denied : {"madvise arg2>9", "madvise arg2>=10", "madvise arg2!=9"}) {
    const SeccompProgram program = Compiled(Intersect({}, Ours(), {.deny = {denied}}).filter);
    for (const std::uint64_t argument : {kUpper, kUpper | 9, ~std::uint64_t{0}}) {
      EXPECT_FALSE(Answer(program, "SCMP_ARCH_X86_64", "madvise", {0, 0, argument}).allows())
          << denied << " " << argument;
    }
  }
}

TEST(SeccompTuning, DeniesSeveralValuesOfAnArgument) {
  SeccompTuning tuning;
  for (const char* denied : {"ioctl arg1==21522", "ioctl arg1==21532", "ioctl arg1==21523"}) {
    tuning.deny.emplace_back(denied);
  }
  const SeccompIntersection met = Intersect({}, Ours(), tuning);
  EXPECT_THAT(Sentences(met), IsEmpty());
  const SeccompProgram program = Compiled(met.filter);
  for (const char* architecture : kX86) {
    for (std::uint64_t request = 21500; request < 21600; ++request) {
      const bool is_allowed = request != 21522 && request != 21532 && request != 21523;
      EXPECT_EQ(Answer(program, architecture, "ioctl", {0, request}).allows(), is_allowed)
          << request;
    }
  }
}

// More than is asked for is denied, and said.
TEST(SeccompTuning, SaysWhatTakesTooManyRules) {
  const SeccompTuning tuning{.deny = {"setsockopt arg1==41 arg2==64 arg4==8"}};
  const SeccompIntersection met = Intersect({}, Ours(), tuning);
  ASSERT_EQ(met.dropped.size(), 1U);
  EXPECT_EQ(met.dropped[0].kind, SeccompDropped::Kind::kTooManyRules);
  EXPECT_EQ(met.dropped[0].call, "setsockopt");
  EXPECT_EQ(met.dropped[0].sentence,
            "\"setsockopt\": a condition is dropped because it would need too many rules");
  EXPECT_FALSE(
      Answer(Compiled(met.filter), "SCMP_ARCH_X86_64", "setsockopt", {3, 41, 64, 0, 8}).allows());
}

SeccompFilter Notifying() {
  SeccompFilter theirs = DockerWith("keyctl", "SCMP_ACT_ERRNO");
  for (SeccompRule& rule : theirs.rules) std::erase(rule.names, "mkdir");
  theirs.rules.push_back({{"mkdir", "mount"}, "SCMP_ACT_NOTIFY", {}, {}});
  theirs.flags = {"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"};
  theirs.listener_path = "/run/agent.sock";
  theirs.listener_metadata = "for the agent";
  return theirs;
}

TEST(SeccompTuning, KeepsNotificationsForAListedListener) {
  const SeccompTuning tuning{.listeners = {"/run/other.sock", "/run/agent.sock"}};
  const SeccompIntersection met = Intersect(Notifying(), Ours(), tuning);
  EXPECT_EQ(met.filter.listener_path, "/run/agent.sock");
  EXPECT_EQ(met.filter.listener_metadata, "for the agent");
  EXPECT_THAT(*met.filter.flags, ElementsAre("SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"));
  EXPECT_THAT(Sentences(met), ElementsAre(HasSubstr("SPEC_ALLOW")));
  const SeccompProgram program = Compiled(met.filter);
  for (const char* architecture : kX86) {
    EXPECT_EQ(Answer(program, architecture, "mkdir").value, SECCOMP_RET_USER_NOTIF);
    EXPECT_EQ(Answer(program, architecture, "mount").errno_value(), 1)
        << "what is denied without the listener is not its to decide";
    EXPECT_TRUE(Answer(program, architecture, "rmdir").allows());
  }
  EXPECT_EQ(Intersect(met.filter, Ours(), tuning).filter, met.filter);
}

TEST(SeccompTuning, PassesAllowedCallsToAListener) {
  const SeccompFilter met =
      Intersect(Notifying(), Ours(), {.allow = {"mount"}, .listeners = {"/run/agent.sock"}}).filter;
  EXPECT_EQ(Answer(Compiled(met), "SCMP_ARCH_X86_64", "mount").value, SECCOMP_RET_USER_NOTIF);
}

TEST(SeccompTuning, RemovesUnlistedListeners) {
  const SeccompTuning tunings[] = {{},
                                   {.listeners = {"/run/agent.sock2", "/run"}},
                                   {.deny = {"mkdir"}, .listeners = {"/run/agent.sock"}}};
  for (const SeccompTuning& tuning : tunings) {
    const SeccompFilter met = Intersect(Notifying(), Ours(), tuning).filter;
    EXPECT_EQ(met.listener_path, "");
    EXPECT_EQ(met.listener_metadata, "");
    EXPECT_TRUE(met.flags->empty());
    EXPECT_FALSE(Answer(Compiled(met), "SCMP_ARCH_X86_64", "mkdir").allows());
  }
}

// A permission and a question about the same call, or a question under a condition: libseccomp
// would keep one of them.
TEST(SeccompTuning, RemovesNotificationsThatConflictWithAnotherRule) {
  SeccompFilter both = Notifying();
  both.rules.push_back({{"mkdir"}, "SCMP_ACT_ALLOW", {}, {}});
  SeccompFilter conditional = Notifying();
  conditional.rules.back().arguments = {{0, 5, 0, SeccompOperator::kEqual}};
  for (const SeccompFilter& theirs : {both, conditional}) {
    const SeccompFilter met = Intersect(theirs, Ours(), {.listeners = {"/run/agent.sock"}}).filter;
    EXPECT_EQ(met.listener_path, "");
    for (const std::uint64_t argument : {0, 5}) {
      EXPECT_EQ(Answer(Compiled(met), "SCMP_ARCH_X86_64", "mkdir", {argument}).errno_value(), 1);
    }
  }
}

}  // namespace
}  // namespace runclad::privilege::seccomp_tuning_test
