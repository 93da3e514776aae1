// The filters that engines hand over, met with ours: never wider than either.
#include <sys/socket.h>

#include <algorithm>
#include <random>
#include <set>

#include <gmock/gmock.h>

#include "runclad/privilege/capabilities.hpp"

#include "seccomp_simulation.hpp"

namespace runclad::privilege::seccomp_documents_test {
namespace {

using Strings = std::vector<std::string>;

const Strings& Documents() {
  static const Strings names = {"docker_default",     "docker_drop_all", "docker_sys_admin",
                                "docker_net_admin",   "podman_default",  "podman_cap_add",
                                "podman_cap_add_all", "cri_plain",       "cri_caps",
                                "cri_all_caps"};
  return names;
}

SeccompFilter Ours(Strings capabilities) {
  return DefaultSeccompFilter({std::move(capabilities), "amd64", 6, 18});
}

// `met` allows nothing that one of the two does not, and meeting ours again changes nothing.
void ExpectNeverWider(const SeccompFilter& theirs, const SeccompFilter& ours,
                      const std::string& where) {
  const SeccompFilter met = Intersect(theirs, ours, {}).filter;
  const CallEdges edges({&theirs, &ours, &met});
  const SeccompProgram program = Compiled(met);
  EXPECT_EQ(edges.FirstBeyond(program, Compiled(theirs)), "") << where << ", wider than theirs";
  EXPECT_EQ(edges.FirstBeyond(program, Compiled(ours)), "") << where << ", wider than ours";
  EXPECT_EQ(Intersect(met, ours, {}).filter, met) << where;
}

TEST(SeccompDocuments, AreNeverWidened) {
  for (const std::string& name : Documents()) {
    const EngineDocument document = ReadDocument(name);
    ExpectNeverWider(document.filter, Ours(document.capabilities), name);
    ExpectNeverWider(document.filter, Ours({}), name + " without capabilities");
  }
}

TEST(SeccompDocuments, AreNeverWidenedForAnyCapabilities) {
  std::mt19937 random(20261102);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same sets each time
  for (const std::string& name : Documents()) {
    const EngineDocument document = ReadDocument(name);
    Strings some;
    std::ranges::copy_if(AllCapabilities(), std::back_inserter(some),
                         [&](const std::string&) { return random() % 4 == 0; });
    ExpectNeverWider(document.filter, Ours(some), name + ::testing::PrintToString(some));
  }
}

std::set<std::string> AllowedNames(const SeccompFilter& filter) {
  std::set<std::string> names;
  for (const SeccompRule& rule : filter.rules) {
    if (rule.action == "SCMP_ACT_ALLOW") names.insert(rule.names.begin(), rule.names.end());
  }
  return names;
}

// What ours allows beyond Docker 20.10's filter for the same capabilities: calls that came later,
// and those that Docker asks a capability for no more.
TEST(SeccompDocuments, OursEqualsDockersExceptForListedCalls) {
  const std::set<std::string> later = {"cachestat",
                                       "fchmodat2",
                                       "futex_requeue",
                                       "futex_wait",
                                       "futex_wake",
                                       "getxattrat",
                                       "listmount",
                                       "listxattrat",
                                       "lsm_get_self_attr",
                                       "lsm_list_modules",
                                       "lsm_set_self_attr",
                                       "map_shadow_stack",
                                       "mseal",
                                       "name_to_handle_at",
                                       "pkey_alloc",
                                       "pkey_free",
                                       "pkey_mprotect",
                                       "process_vm_readv",
                                       "process_vm_writev",
                                       "removexattrat",
                                       "riscv_hwprobe",
                                       "setxattrat",
                                       "statmount",
                                       "uretprobe"};
  for (const char* name : {"docker_default", "docker_drop_all", "docker_sys_admin"}) {
    const EngineDocument document = ReadDocument(name);
    const auto ours = AllowedNames(Ours(document.capabilities));
    const auto theirs = AllowedNames(document.filter);
    std::set<std::string> beyond;
    std::ranges::set_difference(ours, theirs, std::inserter(beyond, beyond.end()));
    EXPECT_THAT(beyond, ::testing::IsSubsetOf(later)) << name;
  }
}

// Capabilities dropped and the engine's filter left as it was: user namespaces stay open, since
// unshare(CLONE_NEWUSER) needs no capability.
TEST(SeccompDocuments, RemovesCallsOfDroppedCapabilities) {
  constexpr std::uint64_t kNewUser = 0x10000000;
  for (const char* name : {"docker_sys_admin", "cri_all_caps", "podman_default"}) {
    const EngineDocument document = ReadDocument(name);
    const SeccompProgram stale = Compiled(document.filter);
    const SeccompProgram met = Compiled(Intersect(document.filter, Ours({}), {}).filter);
    for (const char* architecture : {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"}) {
      const auto answer = [&](const SeccompProgram& program, const char* call,
                              std::uint64_t flags) {
        return program.Answer({architecture, SyscallNumber(architecture, call).value(), {flags}});
      };
      for (const char* call : {"unshare", "setns", "mount", "umount2", "fsopen", "clone"}) {
        if (std::string_view(name) != "podman_default" || std::string_view(call) != "setns") {
          EXPECT_TRUE(answer(stale, call, kNewUser).allows()) << name << " " << call;
        }
        EXPECT_FALSE(answer(met, call, kNewUser).allows()) << name << " " << call;
      }
      EXPECT_EQ(answer(met, "clone3", 0).errno_value(), 38) << name;
      EXPECT_TRUE(answer(met, "clone", 17).allows()) << name;  // SIGCHLD: fork
      for (const std::uint64_t flag : {0x00020000U, 0x02000000U, 0x04000000U, 0x08000000U,
                                       0x10000000U, 0x20000000U, 0x40000000U}) {
        EXPECT_FALSE(answer(met, "clone", 17 | flag).allows()) << name << " " << flag;
      }
    }
  }
}

// Every family of the kernel's headers and some that are yet to come, asked of the compiled program
// of each engine's filter, on each ABI of x86, by each call that makes a socket.
TEST(SeccompDocuments, AllowOnlyListedSocketFamiliesOnEveryAbi) {
  constexpr std::uint64_t kUpper = std::uint64_t{1} << 32U;
  constexpr std::uint64_t kSign = 0x80000000;
  constexpr std::uint64_t kLast = AF_MAX + 20;
  const SeccompTuning tuning{.deny_socketcall = true};
  for (const std::string& name : Documents()) {
    const EngineDocument document = ReadDocument(name);
    const auto& capabilities = document.capabilities;
    std::set<std::uint64_t> allowed = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};
    if (std::ranges::find(capabilities, "CAP_NET_RAW") != capabilities.end()) {
      allowed.insert(AF_PACKET);
    }
    const SeccompProgram met =
        Compiled(Intersect(document.filter, Ours(capabilities), tuning).filter);
    for (const char* architecture : {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"}) {
      const bool is_wide = std::string_view(architecture) == "SCMP_ARCH_X86_64";
      for (const char* call : {"socket", "socketpair"}) {
        const std::uint32_t number = NumberOf(architecture, call).value();
        for (std::uint64_t family = 0; family <= kLast; ++family) {
          EXPECT_EQ(met.Answer({architecture, number, {family}}).allows(), allowed.contains(family))
              << name << " " << architecture << " " << call << " " << family;
          EXPECT_FALSE(met.Answer({architecture, number, {kSign | family}}).allows()) << family;
          // The others compare 32 bits, as the kernel does.
          EXPECT_EQ(met.Answer({architecture, number, {kUpper + family}}).allows(),
                    !is_wide && allowed.contains(family))
              << name << " " << architecture << " 2^32 + " << family;
        }
      }
    }
    // libseccomp opens socketcall for each call that a filter allows under a condition: only a rule
    // of its own that denies it is stronger.
    const std::uint32_t socketcall = SyscallNumber("SCMP_ARCH_X86", "socketcall").value();
    for (std::uint64_t call = 0; call <= 21; ++call) {
      EXPECT_FALSE(met.Answer({"SCMP_ARCH_X86", socketcall, {call}}).allows()) << name << call;
    }
  }
}

}  // namespace
}  // namespace runclad::privilege::seccomp_documents_test
