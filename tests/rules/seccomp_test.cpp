#include <algorithm>

#include "rule_test.hpp"

namespace runclad::rules::seccomp_test {
namespace {

policy::Parameters Tuning() {
  policy::Parameters parameters;
  parameters.Set("deny-socketcall", true);
  return parameters;
}

Facts Kernel() {
  Facts facts;
  facts.Get<KernelFacts>().major = 6;
  return facts;
}

enforce::Decision Decide(std::string_view spec) {
  return DecideBy("seccomp", spec, Tuning(), Kernel());
}

bool Allows(const enforce::Decision& decision, std::string_view syscall) {
  const auto filter = decision.spec.seccomp();
  return filter && std::ranges::any_of(filter->rules, [&](const privilege::SeccompRule& rule) {
           return rule.action == "SCMP_ACT_ALLOW" && rule.arguments.empty() &&
                  std::ranges::find(rule.names, syscall) != rule.names.end();
         });
}

// An engine's filter that was resolved for CAP_SYS_ADMIN.
constexpr std::string_view kStale =
    R"({"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86_64"],"syscalls":[)"
    R"({"action":"SCMP_ACT_ALLOW","names":["brk","clone","execve","exit","exit_group","ioctl",)"
    R"("mmap","mount","mprotect","munmap","openat","prctl","read","rt_sigaction","rt_sigreturn",)"
    R"("unshare","wait4","write","futex","close"]}]})";

std::string With(std::string_view seccomp, std::string_view bounding) {
  return R"({"linux":{"seccomp":)" + std::string(seccomp) +
         R"(},"process":{"capabilities":{"bounding":[)" + std::string(bounding) + "]}}}";
}

TEST(Seccomp, IsAddedIfTheEngineSentNone) {
  const auto decision = Decide(R"({"process":{}})");
  ASSERT_EQ(decision.outcome, enforce::Outcome::kRewritten);
  EXPECT_TRUE(Allows(decision, "read"));
  EXPECT_FALSE(Allows(decision, "mount"));
}

TEST(Seccomp, UsesTheImagesListsIfTheEngineSentNone) {
  policy::Parameters parameters = Tuning();
  parameters.Set("allow", std::vector<std::string>{"add_key", "keyctl"});
  parameters.Set("deny", std::vector<std::string>{"keyctl", "ptrace"});
  const auto decision = DecideBy("seccomp", R"({"process":{}})", parameters, Kernel());
  EXPECT_TRUE(Allows(decision, "add_key"));
  EXPECT_FALSE(Allows(decision, "keyctl"));
  EXPECT_FALSE(Allows(decision, "ptrace"));
  EXPECT_FALSE(Allows(decision, "socketcall"));
  EXPECT_TRUE(Allows(decision, "bind"));
}

TEST(Seccomp, AddsListedAddressFamilies) {
  policy::Parameters parameters = Tuning();
  parameters.Set("families", std::vector<std::string>{"AF_CAN", "46"});
  const auto decision = DecideBy("seccomp", R"({"process":{}})", parameters, Kernel());
  const privilege::SeccompFilter filter = decision.spec.seccomp().value();
  std::vector<std::uint64_t> families;
  for (const privilege::SeccompRule& rule : filter.rules) {
    if (rule.names != std::vector<std::string>{"socket", "socketpair"}) continue;
    families.push_back(rule.arguments.at(0).value);
  }
  EXPECT_EQ(families, (std::vector<std::uint64_t>{1, 2, 10, 16, 29, 46}));
}

TEST(Seccomp, DeniesArgumentsWhateverIsAllowed) {
  policy::Parameters parameters = Tuning();
  parameters.Set("allow", std::vector<std::string>{"madvise"});
  parameters.Set("deny", std::vector<std::string>{"madvise arg2>9"});
  const auto decision = DecideBy("seccomp", R"({"process":{}})", parameters, Kernel());
  EXPECT_FALSE(Allows(decision, "madvise"));
  std::vector<privilege::SeccompRule> rules = decision.spec.seccomp()->rules;
  std::erase_if(rules, [](const privilege::SeccompRule& rule) {
    return std::ranges::find(rule.names, "madvise") == rule.names.end();
  });
  ASSERT_EQ(rules.size(), 1U);
  EXPECT_EQ(rules[0].action, "SCMP_ACT_ALLOW");
  EXPECT_EQ(
      rules[0].arguments,
      (std::vector<privilege::SeccompArgument>{{2, 9, 0, privilege::SeccompOperator::kLessEqual}}));
}

// No filter sees the requests of a ring.
TEST(Seccomp, NoRingGetsAroundWhatIsDenied) {
  using List = std::vector<std::string>;
  const struct {
    List deny;
    bool has_rings;
  } cases[] = {
      {{}, true},          {{"keyctl", "ptrace"}, true},     {{"keyctl", "AF_ALG"}, false},
      {{"splice"}, false}, {{"setsockopt arg1==41"}, false},
  };
  for (const auto& [deny, has_rings] : cases) {
    policy::Parameters parameters = Tuning();
    parameters.Set("allow", List{"io_uring_setup"});
    parameters.Set("deny", deny);
    const auto decision = DecideBy("seccomp", R"({"process":{}})", parameters, Kernel());
    EXPECT_EQ(Allows(decision, "io_uring_setup"), has_rings) << ::testing::PrintToString(deny);
  }
}

TEST(Seccomp, DeniedFamiliesWinOverAllowedOnes) {
  const auto families_of = [](const policy::Parameters& parameters) {
    const auto decision = DecideBy("seccomp", R"({"process":{}})", parameters, Kernel());
    const privilege::SeccompFilter filter = decision.spec.seccomp().value();
    std::vector<std::uint64_t> families;
    for (const privilege::SeccompRule& rule : filter.rules) {
      if (std::ranges::find(rule.names, "socket") == rule.names.end()) continue;
      families.push_back(rule.arguments.empty() ? 0 : rule.arguments.at(0).value);
    }
    return families;
  };
  policy::Parameters parameters = Tuning();
  parameters.Set("families", std::vector<std::string>{"AF_ALG", "AF_CAN"});
  parameters.Set("deny", std::vector<std::string>{"AF_ALG", "AF_NETLINK"});
  EXPECT_EQ(families_of(parameters), (std::vector<std::uint64_t>{1, 2, 10, 29}));
  parameters.Set("allow", std::vector<std::string>{"socket", "socketcall"});
  EXPECT_EQ(families_of(parameters), (std::vector<std::uint64_t>{1, 2, 10, 29}));
  parameters.Set("deny", std::vector<std::string>{});
  EXPECT_EQ(families_of(parameters), (std::vector<std::uint64_t>{0})) << "every one, without it";
}

TEST(Seccomp, AllowsAnImageNoMoreThanTheEngine) {
  policy::Parameters parameters = Tuning();
  parameters.Set("allow", std::vector<std::string>{"unshare", "setns"});
  const auto decision = DecideBy("seccomp", With(kStale, ""), parameters, Kernel());
  EXPECT_TRUE(Allows(decision, "unshare"));
  EXPECT_FALSE(Allows(decision, "setns"));
}

TEST(Seccomp, MatchesTheRemainingCapabilities) {
  const auto without = Decide(With(kStale, ""));
  EXPECT_TRUE(Allows(without, "read"));
  EXPECT_FALSE(Allows(without, "unshare"));
  EXPECT_FALSE(Allows(without, "mount"));
  const auto with = Decide(With(kStale, R"("CAP_SYS_ADMIN")"));
  EXPECT_TRUE(Allows(with, "unshare"));
  EXPECT_FALSE(Allows(with, "setns")) << "the engine does not allow it";
}

const privilege::SeccompRule* RuleWith(const privilege::SeccompFilter& filter,
                                       const std::string& syscall) {
  const auto found = std::ranges::find_if(filter.rules, [&](const privilege::SeccompRule& rule) {
    return std::ranges::find(rule.names, syscall) != rule.names.end();
  });
  return found == filter.rules.end() ? nullptr : &*found;
}

TEST(Seccomp, KeepsOnlyTheNativeArchitectureIf64BitOnly) {
  policy::Parameters parameters = Tuning();
  parameters.Set("64-bit-only", true);
  for (const std::string& spec : {std::string(R"({"process":{}})"), With(kStale, "")}) {
    const auto decision = DecideBy("seccomp", spec, parameters, Kernel());
    EXPECT_EQ(decision.spec.seccomp()->architectures, std::vector<std::string>{"SCMP_ARCH_X86_64"});
    EXPECT_TRUE(Allows(decision, "read"));
    EXPECT_NE(decision.findings.at(0).finding.why.find("32-bit programs are killed"),
              std::string::npos);
  }
}

TEST(Seccomp, DeniesSetIdBitsOnRequest) {
  using privilege::SeccompOperator;
  policy::Parameters parameters = Tuning();
  parameters.Set("deny-set-id", true);
  const auto decision = DecideBy("seccomp", R"({"process":{}})", parameters, Kernel());
  const privilege::SeccompFilter filter = decision.spec.seccomp().value();
  const auto* chmod = RuleWith(filter, "chmod");
  ASSERT_NE(chmod, nullptr);
  EXPECT_EQ(chmod->action, "SCMP_ACT_ALLOW");
  EXPECT_EQ(
      chmod->arguments,
      (std::vector<privilege::SeccompArgument>{{1, 06000, 0, SeccompOperator::kMaskedEqual}}));
  const auto* openat2 = RuleWith(filter, "openat2");
  ASSERT_NE(openat2, nullptr);
  EXPECT_EQ(openat2->errno_return, 38);
  const auto again = DecideBy("seccomp", decision.spec.Write(), parameters, Kernel());
  EXPECT_EQ(again.outcome, enforce::Outcome::kUnchanged);
}

TEST(Seccomp, KeepsAListedListener) {
  std::string filter(kStale);
  filter.replace(filter.find(R"("openat",)"), 9, "");
  filter.insert(filter.rfind("]}"), R"(,{"action":"SCMP_ACT_NOTIFY","names":["openat"]})");
  filter.insert(1, R"("listenerPath":"/run/agent.sock","listenerMetadata":"m",)");
  policy::Parameters parameters = Tuning();
  const auto without = DecideBy("seccomp", With(filter, ""), parameters, Kernel());
  EXPECT_EQ(without.spec.seccomp()->listener_path, "");
  EXPECT_EQ(RuleWith(*without.spec.seccomp(), "openat"), nullptr);
  parameters.Set("listener", std::vector<std::string>{"/run/agent.sock"});
  const auto with = DecideBy("seccomp", With(filter, ""), parameters, Kernel());
  EXPECT_EQ(with.spec.seccomp()->listener_path, "/run/agent.sock");
  EXPECT_EQ(with.spec.seccomp()->listener_metadata, "m");
  ASSERT_NE(RuleWith(*with.spec.seccomp(), "openat"), nullptr);
  EXPECT_EQ(RuleWith(*with.spec.seccomp(), "openat")->action, "SCMP_ACT_NOTIFY");
}

TEST(Seccomp, ReportsAProgramThatTheFilterWouldKill) {
  const auto outcome = [](const std::string& program, bool only_64_bit) {
    policy::Parameters parameters = Tuning();
    parameters.Set("64-bit-only", only_64_bit);
    Facts facts = Kernel();
    facts.Get<Program>().emplace();
    facts.Get<Program>()->architecture = program;
    return DecideBy("seccomp", R"({"process":{"args":["app"]}})", parameters, facts).outcome;
  };
  EXPECT_EQ(outcome("386", true), enforce::Outcome::kRefused);
  EXPECT_EQ(outcome("x32", true), enforce::Outcome::kRefused);
  EXPECT_EQ(outcome("386", false), enforce::Outcome::kRewritten);
  EXPECT_EQ(outcome("amd64", true), enforce::Outcome::kRewritten);
  EXPECT_EQ(outcome("arm64", true), enforce::Outcome::kRewritten) << "an emulator's";
  EXPECT_EQ(outcome("", true), enforce::Outcome::kRewritten) << "not known";
}

TEST(Seccomp, ReportsA32BitProgramThatTheFilterWouldKillOnArm64) {
  const auto outcome = [](const std::string& program, bool only_64_bit) {
    policy::Parameters parameters = Tuning();
    parameters.Set("64-bit-only", only_64_bit);
    Facts facts = Kernel();
    facts.Get<KernelFacts>().architecture = "arm64";
    facts.Get<Program>().emplace();
    facts.Get<Program>()->architecture = program;
    return DecideBy("seccomp", R"({"process":{"args":["app"]}})", parameters, facts);
  };
  EXPECT_EQ(outcome("arm", true).outcome, enforce::Outcome::kRefused);
  EXPECT_EQ(outcome("arm", false).outcome, enforce::Outcome::kRewritten);
  EXPECT_EQ(outcome("386", true).outcome, enforce::Outcome::kRewritten) << "an emulator's";
  EXPECT_EQ(outcome("arm64", false).spec.seccomp()->architectures,
            std::vector<std::string>({"SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"}));
  EXPECT_EQ(outcome("arm64", true).spec.seccomp()->architectures,
            std::vector<std::string>({"SCMP_ARCH_AARCH64"}));
}

TEST(Seccomp, AppliedTwiceChangesNothing) {
  const auto once = Decide(With(kStale, ""));
  EXPECT_EQ(Decide(once.spec.Write()).outcome, enforce::Outcome::kUnchanged);
  const auto absent = Decide(R"({"process":{}})");
  EXPECT_EQ(Decide(absent.spec.Write()).outcome, enforce::Outcome::kUnchanged);
}

// "Above 5" and "without the bits of CLONE_NEW*" of one argument: OCI has no way to say both.
TEST(Seccomp, RefusesTheLossOfAnEssentialCall) {
  std::string filter(kStale);
  filter.replace(filter.find(R"("clone",)"), 8, "");
  filter.insert(filter.rfind("]}"), R"(,{"action":"SCMP_ACT_ALLOW","names":["clone"],"args":[)"
                                    R"({"index":0,"op":"SCMP_CMP_GT","value":5}]})");
  const auto decision = Decide(With(filter, ""));
  ASSERT_EQ(decision.outcome, enforce::Outcome::kRefused) << decision.spec.Write();
  EXPECT_NE(enforce::RefusalSentence(decision).find("denies clone"), std::string::npos)
      << enforce::RefusalSentence(decision);
}

// With mount and unshare a container without capabilities makes a user namespace in which it has
// all.
TEST(Seccomp, RemedyNeverNamesCallsThatNeedACapability) {
  const std::vector<std::string> none = {
      "withheld: none: these system calls are allowed with the capability that they need"};
  const auto said = [](const std::string& document) {
    return CodesAndRemedies(DecideBy("seccomp", document, Tuning(), Kernel()));
  };
  EXPECT_EQ(said(With(kStale, "")), none);
  for (const char* syscall :
       {"bpf", "chroot", "clone3", "fsopen", "init_module", "iopl", "kcmp", "mount_setattr",
        "move_mount", "open_by_handle_at", "open_tree", "perf_event_open", "pidfd_getfd", "reboot",
        "setns", "syslog", "umount2", "unshare"}) {
    std::string filter(kStale);
    filter.insert(filter.find(R"("brk")"), '"' + std::string(syscall) + "\",");
    EXPECT_EQ(said(With(filter, "")), none) << syscall;
  }
}

TEST(Seccomp, RemedyRestoresTheLostCalls) {
  policy::Parameters parameters = Tuning();
  const auto said = [&](const std::string& document, const Facts& facts = Kernel()) {
    ExpectRemediesHelp("seccomp", SpecOf(document), parameters, facts);
    return CodesAndRemedies(DecideBy("seccomp", document, parameters, facts));
  };
  using List = std::vector<std::string>;
  EXPECT_EQ(said(R"({"process":{}})"), List{"absent"});
  std::string filter(kStale);
  filter.insert(filter.find(R"("brk")"), R"("add_key","keyctl","syscall",)");
  EXPECT_EQ(said(With(filter, "")), List{"syscalls: allow += add_key keyctl"});
  parameters.Set("deny", List{"keyctl"});
  EXPECT_EQ(said(With(filter, "")), List{"syscalls: allow += add_key"});
  parameters.Set("allow", List{"add_key", "mount", "unshare"});
  EXPECT_EQ(said(With(filter, "")), List{"withheld"});
  parameters.Set("allow", List{});
  parameters.Set("deny", List{});
  filter = kStale;
  filter.replace(filter.find(R"("clone",)"), 8, "");
  filter.insert(filter.rfind("]}"), R"(,{"action":"SCMP_ACT_ALLOW","names":["clone"],"args":[)"
                                    R"({"index":0,"op":"SCMP_CMP_GT","value":5}]})");
  EXPECT_EQ(said(With(filter, "")),
            List{"essential: ask: request a filter that allows them without conditions"});
  Facts facts = Kernel();
  facts.Get<Program>().emplace();
  facts.Get<Program>()->architecture = "386";
  EXPECT_EQ(said(With(kStale, ""), facts).front(),
            "architecture: ask: request a filter that contains SCMP_ARCH_X86");
  parameters.Set("64-bit-only", true);
  EXPECT_EQ(said(R"({"process":{}})", facts).front(), "architecture: 64-bit-only = false");
}

}  // namespace
}  // namespace runclad::rules::seccomp_test
