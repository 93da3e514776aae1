// Random filters, compiled: what the intersection allows, both allow.
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <random>

#include <gtest/gtest.h>

#include "runclad/base/sanitizers.hpp"
#include "runclad/privilege/capabilities.hpp"
#include "runclad/privilege/denied_call.hpp"

#include "seccomp_simulation.hpp"

namespace runclad::privilege::seccomp_random_test {
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

  SeccompTuning Tuning() {
    SeccompTuning tuning;
    if (Below(3) == 0) tuning.allow = {Pick(kNames), Pick(kNames)};
    if (Below(3) == 0) tuning.deny = {Pick(kNames), Pick(kNames)};
    tuning.deny_socketcall = Below(2) == 0;
    tuning.only_64_bit = Below(4) == 0;
    tuning.deny_set_id = Below(2) == 0;
    if (Below(3) == 0) tuning.families = {static_cast<std::uint16_t>(Below(48))};
    if (Below(3) == 0) {
      tuning.deny.push_back(ToText(Denied()));
      tuning.deny.push_back(ToText(Denied()));
    }
    return tuning;
  }

  std::vector<std::string> Some(const std::vector<std::string>& names) {
    std::vector<std::string> some;
    std::ranges::copy_if(names, std::back_inserter(some),
                         [&](const std::string&) { return Below(4) == 0; });
    return some;
  }

  std::size_t Below(std::size_t limit) { return random_() % limit; }

 private:
  static constexpr const char* kNames[] = {
      "socket", "socketpair", "bind",   "socketcall",  "ipc",
      "semget", "clone",      "clone3", "personality", "prctl",
      "ioctl",  "mmap",       "read",   "chmod",       "not_a_syscall"};

  template <std::size_t N>
  const char* Pick(const char* const (&from)[N]) {
    return from[Below(N)];
  }

  DeniedCall Denied() {
    DeniedCall call{Pick(kNames), {}};
    while (call.arguments.empty() || !WhyNotDenied(call).empty()) {
      call = {Pick(kNames), Arguments()};
    }
    return call;
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

#if defined(NDEBUG) && !defined(RUNCLAD_UNDER_ASAN)
constexpr std::uint32_t kSeeds = 2000;
constexpr std::uint32_t kSeedsOfEngines = 60;
#else
constexpr std::uint32_t kSeeds = 150;
constexpr std::uint32_t kSeedsOfEngines = 6;
#endif

// What the names of `tuning.deny` and, with deny_set_id, modes with such bits come to: a filter
// that the result may not be wider than.
SeccompFilter Denials(const SeccompTuning& tuning) {
  SeccompFilter filter;
  filter.default_action = "SCMP_ACT_ALLOW";
  filter.architectures = {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"};
  if (!tuning.deny.empty()) filter.rules.push_back({tuning.deny, "SCMP_ACT_ERRNO", {}, {}});
  for (const std::string& entry : tuning.deny) {
    if (entry.find(' ') == std::string::npos) continue;
    const DeniedCall call = *ParseDeniedCall(entry);
    SeccompRule rule{{call.name}, "SCMP_ACT_ERRNO", {}, call.arguments};
    filter.rules.push_back(rule);
    for (SeccompArgument& comparison : rule.arguments) {
      if (comparison.op != SeccompOperator::kEqual) continue;
      comparison = {comparison.index, UINT32_MAX, comparison.value, SeccompOperator::kMaskedEqual};
    }
    filter.rules.push_back(std::move(rule));
  }
  if (!tuning.deny_set_id) return filter;
  for (const std::uint64_t bit : {04000, 02000}) {
    const SeccompArgument has_bit{1, bit, bit, SeccompOperator::kMaskedEqual};
    filter.rules.push_back({{"chmod", "fchmod"}, "SCMP_ACT_ERRNO", {}, {has_bit}});
  }
  return filter;
}

SeccompFilter Ours(const std::vector<std::string>& capabilities) {
  return DefaultSeccompFilter({capabilities, "amd64", 6, 18});
}

struct Question {
  SeccompFilter theirs;
  SeccompFilter ours;
  SeccompTuning tuning;
};

// What is wrong with the intersection; empty: nothing.
std::string Fault(const Question& question, const SeccompProgram& theirs,
                  const SeccompProgram& ours) {
  const auto& [their_filter, our_filter, tuning] = question;
  const SeccompFilter met = Intersect(their_filter, our_filter, tuning).filter;
  const auto program = SeccompProgram::Compile(met);
  if (!program) return "does not compile: " + program.error().message;
  const SeccompFilter denials = Denials(tuning);
  const CallEdges edges({&their_filter, &our_filter, &met, &denials});
  const auto wider = [&](const char* than, const std::string& call, const SeccompFilter& filter) {
    return call.empty() ? ""
                        : ::testing::PrintToString(met) + "is wider than " + than + ", " +
                              ::testing::PrintToString(filter) + "at " + call;
  };
  std::string fault =
      wider("theirs", edges.FirstBeyond(*program, theirs, &their_filter), their_filter);
  const bool adds_to_ours = !tuning.allow.empty() || !tuning.families.empty();
  if (fault.empty() && !adds_to_ours) {
    fault = wider("ours", edges.FirstBeyond(*program, ours, &our_filter), our_filter);
  }
  const bool is_denying = !tuning.deny.empty() || tuning.deny_set_id;
  if (fault.empty() && is_denying) {
    const auto denying = SeccompProgram::Compile(denials);
    if (!denying) return denying.error().message;
    fault = wider("the policy", edges.FirstBeyond(*program, *denying), denials);
  }
  const SeccompIntersection again = Intersect(met, our_filter, tuning);
  // What denied arguments leave of a call may take so many rules that, met with several of ours
  // which overlap, they do not all fit: less is allowed then, and it is said.
  const bool is_cut = std::ranges::any_of(again.dropped, [](const SeccompDropped& dropped) {
    return dropped.kind == SeccompDropped::Kind::kTooManyRules;
  });
  const bool may_change = is_cut && std::ranges::any_of(tuning.deny, [](const std::string& entry) {
                            return entry.find(' ') != std::string::npos;
                          });
  if (fault.empty() && again.filter != met && !may_change) {
    fault = ::testing::PrintToString(met) + "changes again";
  }
  return fault;
}

enum class Verdict { kFine, kFaulty, kNotCompiled, kEndless };

// In a process of its own, since libseccomp 2.5.4 does not come to an end with some filters.
class Judge {
 public:
  static Verdict Of(const Question& question) {
    const pid_t child = fork();
    if (child == 0) Answer(question);
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? static_cast<Verdict>(WEXITSTATUS(status)) : Verdict::kFaulty;
  }

 private:
  [[noreturn]] static void Answer(const Question& question) {
    const itimerval limit{{}, {.tv_sec = 3, .tv_usec = 0}};  // of the processor's time
    std::signal(SIGPROF, [](int) { _exit(static_cast<int>(Verdict::kEndless)); });
    setitimer(ITIMER_PROF, &limit, nullptr);
    const auto theirs = SeccompProgram::Compile(question.theirs);
    const auto ours = SeccompProgram::Compile(question.ours);
    if (!theirs || !ours) _exit(static_cast<int>(Verdict::kNotCompiled));
    const std::string fault = Fault(question, *theirs, *ours);
    if (!fault.empty()) std::fprintf(stderr, "%s\n", fault.c_str());
    _exit(static_cast<int>(fault.empty() ? Verdict::kFine : Verdict::kFaulty));
  }
};

TEST(SeccompIntersection, OfRandomFiltersIsNeverWider) {
  std::uint32_t compiled = 0;
  std::uint32_t endless = 0;
  for (std::uint32_t seed = 1; seed <= kSeeds && !HasFailure(); ++seed) {
    RandomFilters random(seed);
    Question question{random.Filter(true), random.Filter(false), {}};
    if (seed % 2 == 0) question.tuning = random.Tuning();
    const Verdict verdict = Judge::Of(question);
    EXPECT_NE(verdict, Verdict::kFaulty) << "seed " << seed;
    compiled += verdict == Verdict::kFine ? 1 : 0;
    endless += verdict == Verdict::kEndless ? 1 : 0;
  }
  EXPECT_GT(compiled, kSeeds / 2);  // the others contradict themselves, and libseccomp says so
  EXPECT_LE(endless, 1 + kSeeds / 100);
}

// An engine's filter with some rules gone and some random ones more, for capabilities that were
// taken away or not.
TEST(SeccompIntersection, OfChangedEnginesFiltersIsNeverWider) {
  constexpr const char* kDocuments[] = {"docker_default", "docker_sys_admin", "podman_default",
                                        "podman_cap_add_all", "cri_plain"};
  std::uint32_t compiled = 0;
  for (std::uint32_t seed = 1; seed <= kSeedsOfEngines && !HasFailure(); ++seed) {
    RandomFilters random(seed);
    Question question{ReadDocument(kDocuments[seed % std::size(kDocuments)]).filter,
                      Ours(random.Some(AllCapabilities())), random.Tuning()};
    std::vector<SeccompRule>& rules = question.theirs.rules;
    std::erase_if(rules, [&](const SeccompRule&) { return random.Below(8) == 0; });
    const std::vector<SeccompRule> more = random.Filter(false).rules;
    rules.insert(rules.end(), more.begin(), more.begin() + 2);
    const Verdict verdict = Judge::Of(question);
    EXPECT_NE(verdict, Verdict::kFaulty) << "seed " << seed;
    compiled += verdict == Verdict::kFine ? 1 : 0;
  }
  EXPECT_GT(compiled, kSeedsOfEngines / 2);
}

}  // namespace
}  // namespace runclad::privilege::seccomp_random_test
