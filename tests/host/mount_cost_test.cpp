// What a long mount table costs: system calls are counted, since times say nothing on a busy
// machine.
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <map>
#include <string>
#include <tuple>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "runclad/base/sanitizers.hpp"
#include "runclad/host/sources.hpp"
#include "runclad/policy/effective.hpp"
#include "runclad/rules/parameters.hpp"
#include "runclad/rules/rule.hpp"

#include "../mount_namespace.hpp"

namespace runclad::host::mount_cost_test {
namespace {

using namespace runclad::testing;  // NOLINT(google-build-using-namespace): mounts, files

// The sanitizer makes system calls of its own; the release build counts.
class MountCost : public ::testing::Test {
 protected:
  void SetUp() override {
#ifdef RUNCLAD_UNDER_ASAN
    GTEST_SKIP() << "counted without the sanitizers";
#endif
  }
};

// How often `body` makes each system call, in a traced child.
std::map<unsigned long long, int> CountCalls(const std::function<void()>& body) {
  std::map<unsigned long long, int> calls;
  const pid_t child = ::fork();
  if (child == 0) {
    ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    std::ignore = ::raise(SIGSTOP);
    body();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  bool is_entry = false;
  while (::ptrace(PTRACE_SYSCALL, child, nullptr, nullptr) == 0 &&
         ::waitpid(child, &status, 0) == child && WIFSTOPPED(status)) {
    is_entry = !is_entry;
    user_regs_struct registers{};
    ::ptrace(PTRACE_GETREGS, child, nullptr, &registers);
    if (is_entry) ++calls[registers.orig_rax];
  }
  return calls;
}

// The calls that do not read what was opened: the table's length shows in read(2) alone, and in the
// memory that it takes.
int CallsBesidesReading(const oci::Spec& spec, const policy::RuleSetting& setting) {
  int count = 0;
  for (const auto& [number, times] : CountCalls([&] {
         engine::OwnFiles nothing;
         std::map<std::string, SourceFacts> sources;
         GatherSources(spec, rules::PathListsOf(setting), {}, "/srv", nothing, sources);
       })) {
    const bool is_memory =
        number == SYS_brk || number == SYS_mmap || number == SYS_munmap || number == SYS_mremap;
    if (number != SYS_read && !is_memory) count += times;
  }
  return count;
}

TEST_F(MountCost, IsIndependentOfTheHostsMounts) {
  InPrivateMounts([] {
    const auto policy = policy::Parse("{}", "policy.json", rules::Schemas());
    ASSERT_TRUE(policy) << policy.error().message;
    const policy::RuleSetting& setting = policy->rule("host-mounts");
    const json::Document bind = {
        {"destination", "/x"}, {"type", "bind"}, {"source", "/srv/x"}, {"options", {"rbind"}}};
    const auto spec = oci::Spec::Parse(json::Document{{"mounts", {bind, bind}}}.dump());
    ASSERT_TRUE(spec);
    MakeDirectories("/srv/x");
    TmpfsMount("/mnt");
    const int few = CallsBesidesReading(*spec, setting);
    EXPECT_GT(few, 0);
    constexpr int kMounts = 5000;
    for (int i = 0; i < kMounts; ++i) TmpfsMount("/mnt/pods/" + std::to_string(i));
    // Not equal: other tests of the run make and remove directories that are looked at, and a call
    // or two is theirs. One call for each mount would be thousands.
    EXPECT_LT(CallsBesidesReading(*spec, setting), few + kMounts / 100);
    engine::OwnFiles nothing;
    std::map<std::string, SourceFacts> sources;
    GatherSources(*spec, rules::PathListsOf(setting), {}, "/srv", nothing, sources);
    EXPECT_EQ(sources["/srv/x"].access, SourceFacts::Access::kAllowed);
  });
}

TEST_F(MountCost, IsZeroIfEverySourceIsTheEnginesOwn) {
  const auto policy = policy::Parse("{}", "policy.json", rules::Schemas());
  ASSERT_TRUE(policy) << policy.error().message;
  const auto spec = oci::Spec::Parse(R"({"mounts":[{"destination":"/proc","type":"proc"}]})");
  ASSERT_TRUE(spec);
  EXPECT_LE(CallsBesidesReading(*spec, policy->rule("host-mounts")), 1) << "exit_group";
}

}  // namespace
}  // namespace runclad::host::mount_cost_test
