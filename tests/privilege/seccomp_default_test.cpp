// The compiled-in tables against profiles/seccomp/default.json, and what the profile says.
#include <sys/socket.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <map>
#include <random>
#include <set>
#include <string>
#include <tuple>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "runclad/privilege/capabilities.hpp"
#include "runclad/privilege/seccomp.hpp"

#include "test_paths.hpp"

namespace runclad::privilege::seccomp_default_test {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
using Names = std::set<std::string>;
using Strings = std::vector<std::string>;

const json& Profile() {
  static const json profile = [] {
    std::ifstream file(RUNCLAD_SOURCE_DIR "/profiles/seccomp/default.json");
    return json::parse(file);
  }();
  return profile;
}

SeccompConditions Amd64(Strings capabilities = {}) {
  return {std::move(capabilities), "amd64", 6, 18};
}

const Strings docker_capabilities = {
    "CAP_CHOWN",   "CAP_DAC_OVERRIDE", "CAP_FSETID",      "CAP_FOWNER",          "CAP_MKNOD",
    "CAP_NET_RAW", "CAP_SETGID",       "CAP_SETUID",      "CAP_SETFCAP",         "CAP_SETPCAP",
    "CAP_KILL",    "CAP_SYS_CHROOT",   "CAP_AUDIT_WRITE", "CAP_NET_BIND_SERVICE"};

Names Allowed(const SeccompFilter& filter) {
  Names names;
  for (const SeccompRule& rule : filter.rules) {
    if (rule.action == "SCMP_ACT_ALLOW") names.insert(rule.names.begin(), rule.names.end());
  }
  return names;
}

Names Without(const Names& all, const Names& some) {
  Names rest;
  std::ranges::set_difference(all, some, std::inserter(rest, rest.end()));
  return rest;
}

std::vector<SeccompRule> RulesFor(const SeccompFilter& filter, const std::string& name) {
  std::vector<SeccompRule> rules;
  for (const SeccompRule& rule : filter.rules) {
    if (std::ranges::find(rule.names, name) == rule.names.end()) continue;
    rules.push_back({{name}, rule.action, rule.errno_return, rule.arguments});
  }
  return rules;
}

// name, action, errno, arguments as text: everything a filter says, without order or grouping.
using Sayings = std::set<std::tuple<std::string, std::string, std::int64_t, std::string>>;

const std::map<std::string, SeccompOperator> operators = {
    {"SCMP_CMP_NE", SeccompOperator::kNotEqual},
    {"SCMP_CMP_LT", SeccompOperator::kLess},
    {"SCMP_CMP_LE", SeccompOperator::kLessEqual},
    {"SCMP_CMP_EQ", SeccompOperator::kEqual},
    {"SCMP_CMP_GE", SeccompOperator::kGreaterEqual},
    {"SCMP_CMP_GT", SeccompOperator::kGreater},
    {"SCMP_CMP_MASKED_EQ", SeccompOperator::kMaskedEqual}};

std::string Text(std::uint32_t index, std::uint64_t value, std::uint64_t value_two,
                 SeccompOperator op) {
  return std::to_string(index) + " " + std::to_string(static_cast<int>(op)) + " " +
         std::to_string(value) + " " + std::to_string(value_two) + ";";
}

Sayings Said(const SeccompFilter& filter) {
  Sayings said;
  for (const SeccompRule& rule : filter.rules) {
    std::string arguments;
    for (const SeccompArgument& argument : rule.arguments) {
      arguments += Text(argument.index, argument.value, argument.value_two, argument.op);
    }
    for (const std::string& name : rule.names) {
      const std::int64_t errno_return = rule.errno_return ? std::int64_t{*rule.errno_return} : -1;
      EXPECT_TRUE(said.emplace(name, rule.action, errno_return, arguments).second) << name;
    }
  }
  return said;
}

bool Meets(const json& condition, const SeccompConditions& conditions, const std::string& arch,
           bool wanted) {
  const auto has = [&](const json& name) {
    return std::ranges::find(conditions.capabilities, name.get<std::string>()) !=
           conditions.capabilities.end();
  };
  for (const json& name : condition.value("caps", json::array())) {
    if (has(name) != wanted) return false;
  }
  if (condition.contains("arches")) {
    const json& all = condition.at("arches");
    if ((std::ranges::find(all, json(arch)) != all.end()) != wanted) return false;
  }
  if (condition.contains("minKernel")) {
    const auto version = condition.at("minKernel").get<std::string>();
    const int major = std::stoi(version);
    const int minor = std::stoi(version.substr(version.find('.') + 1));
    const bool new_enough = conditions.kernel_major > major ||
                            (conditions.kernel_major == major && conditions.kernel_minor >= minor);
    if (new_enough != wanted) return false;
  }
  return true;
}

// What an engine makes of the JSON file; `arch` is libseccomp's name.
Sayings SaidByTheFile(const SeccompConditions& conditions, const std::string& arch) {
  Sayings said;
  for (const json& rule : Profile().at("syscalls")) {
    if (!Meets(rule.value("includes", json::object()), conditions, arch, true)) continue;
    if (!Meets(rule.value("excludes", json::object()), conditions, arch, false)) continue;
    std::string arguments;
    for (const json& argument : rule.value("args", json::array())) {
      arguments +=
          Text(argument.at("index"), argument.at("value"),
               argument.value("valueTwo", std::uint64_t{0}), operators.at(argument.at("op")));
    }
    for (const json& name : rule.at("names")) {
      said.emplace(name, rule.at("action"), rule.value("errnoRet", std::int64_t{-1}), arguments);
    }
  }
  return said;
}

TEST(DefaultSeccomp, TablesMatchTheFile) {
  const std::map<std::string, std::string> architectures = {
      {"amd64", "amd64"},       {"386", "x86"},
      {"arm64", "arm64"},       {"arm", "arm"},
      {"s390x", "s390x"},       {"ppc64le", "ppc64le"},
      {"riscv64", "riscv64"},   {"loong64", "loongarch64"},
      {"mips64le", "mipsel64"}, {"z80", "none"}};
  const auto expect_same = [](const SeccompConditions& conditions, const std::string& file_name) {
    EXPECT_EQ(Said(DefaultSeccompFilter(conditions)), SaidByTheFile(conditions, file_name))
        << conditions.architecture << " " << ::testing::PrintToString(conditions.capabilities);
  };
  for (const auto& [go_name, file_name] : architectures) {
    for (const auto& [major, minor] : {std::pair{0, 0}, {4, 7}, {4, 8}, {6, 18}}) {
      expect_same({{}, go_name, major, minor}, file_name);
      expect_same({AllCapabilities(), go_name, major, minor}, file_name);
    }
  }
  expect_same(Amd64(docker_capabilities), "amd64");
  for (const std::string& capability : AllCapabilities()) expect_same(Amd64({capability}), "amd64");
  std::mt19937 random(20261101);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same sets each time
  for (int i = 0; i < 20; ++i) {
    Strings some;
    std::ranges::copy_if(AllCapabilities(), std::back_inserter(some),
                         [&](const std::string&) { return random() % 3 == 0; });
    expect_same(Amd64(some), "amd64");
  }
}

TEST(DefaultSeccomp, DefaultsAndArchitecturesMatchTheFile) {
  const SeccompFilter filter = DefaultSeccompFilter(Amd64());
  EXPECT_EQ(filter.default_action, Profile().at("defaultAction"));
  EXPECT_EQ(filter.default_errno_return, Profile().at("defaultErrnoRet"));
  EXPECT_THAT(filter.architectures,
              ElementsAre("SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"));
  EXPECT_THAT(DefaultSeccompFilter({{}, "arm64", 6, 1}).architectures,
              ElementsAre("SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"));
  EXPECT_THAT(DefaultSeccompFilter({{}, "z80", 6, 1}).architectures, IsEmpty());
}

TEST(DefaultSeccomp, CountsPerCapabilitySet) {
  const struct {
    const char* name;
    Strings extra;
    std::size_t allowed;
  } cases[] = {{"none", {}, 369},
               {"chroot", {"CAP_SYS_CHROOT"}, 370},
               {"chroot and tracing", {"CAP_SYS_CHROOT", "CAP_SYS_PTRACE"}, 373},
               {"chroot and administration", {"CAP_SYS_CHROOT", "CAP_SYS_ADMIN"}, 395}};
  for (const auto& [name, extra, allowed] : cases) {
    EXPECT_EQ(Allowed(DefaultSeccompFilter(Amd64(extra))).size(), allowed) << name;
  }
  EXPECT_EQ(Allowed(DefaultSeccompFilter(Amd64(docker_capabilities))).size(), 370U);
}

TEST(DefaultSeccomp, EachCapabilityAddsOnlyItsCalls) {
  const std::map<std::string, Names> additions = {
      {"CAP_BPF", {"bpf"}},
      {"CAP_DAC_READ_SEARCH", {"open_by_handle_at"}},
      {"CAP_PERFMON", {"perf_event_open"}},
      {"CAP_SYSLOG", {"syslog"}},
      {"CAP_SYS_ADMIN",
       {"bpf",
        "clone3",
        "fanotify_init",
        "fsconfig",
        "fsmount",
        "fsopen",
        "fspick",
        "lookup_dcookie",
        "lsm_get_self_attr",
        "lsm_list_modules",
        "lsm_set_self_attr",
        "mount",
        "mount_setattr",
        "move_mount",
        "open_tree",
        "perf_event_open",
        "quotactl",
        "quotactl_fd",
        "setdomainname",
        "sethostname",
        "setns",
        "syslog",
        "umount",
        "umount2",
        "unshare"}},
      {"CAP_SYS_BOOT", {"reboot"}},
      {"CAP_SYS_CHROOT", {"chroot"}},
      {"CAP_SYS_MODULE", {"delete_module", "finit_module", "init_module"}},
      {"CAP_SYS_NICE", {"get_mempolicy", "mbind", "set_mempolicy", "set_mempolicy_home_node"}},
      {"CAP_SYS_PACCT", {"acct"}},
      {"CAP_SYS_PTRACE", {"kcmp", "pidfd_getfd", "process_madvise"}},
      {"CAP_SYS_RAWIO", {"ioperm", "iopl"}},
      {"CAP_SYS_TIME", {"clock_settime", "clock_settime64", "settimeofday", "stime"}},
      {"CAP_SYS_TTY_CONFIG", {"vhangup"}}};
  const Names without = Allowed(DefaultSeccompFilter(Amd64()));
  for (const std::string& capability : AllCapabilities()) {
    const Names with = Allowed(DefaultSeccompFilter(Amd64({capability})));
    const auto adds = additions.find(capability);
    EXPECT_EQ(Without(with, without), adds == additions.end() ? Names() : adds->second)
        << capability;
    EXPECT_EQ(Without(without, with), Names()) << capability;
  }
}

TEST(DefaultSeccomp, PtraceNeedsACapabilityOnKernelsBefore48) {
  const Names traced = {"process_vm_readv", "process_vm_writev", "ptrace"};
  const auto allowed = [](int minor, Strings capabilities) {
    return Allowed(DefaultSeccompFilter({std::move(capabilities), "amd64", 4, minor}));
  };
  EXPECT_EQ(Without(allowed(8, {}), allowed(7, {})), traced);
  EXPECT_EQ(allowed(8, {"CAP_SYS_PTRACE"}), allowed(7, {"CAP_SYS_PTRACE"}));
}

TEST(DefaultSeccomp, CloneCannotCreateNamespacesWithoutSysAdmin) {
  constexpr std::uint64_t kNamespaces = 0x7E020000;
  const SeccompFilter amd64 = DefaultSeccompFilter(Amd64());
  EXPECT_THAT(
      RulesFor(amd64, "clone"),
      ElementsAre(SeccompRule{
          {"clone"}, "SCMP_ACT_ALLOW", {}, {{0, kNamespaces, 0, SeccompOperator::kMaskedEqual}}}));
  EXPECT_THAT(
      RulesFor(DefaultSeccompFilter({{}, "s390x", 6, 1}), "clone"),
      ElementsAre(SeccompRule{
          {"clone"}, "SCMP_ACT_ALLOW", {}, {{1, kNamespaces, 0, SeccompOperator::kMaskedEqual}}}));
  EXPECT_THAT(RulesFor(amd64, "clone3"),
              ElementsAre(SeccompRule{{"clone3"}, "SCMP_ACT_ERRNO", 38, {}}));
  const SeccompFilter admin = DefaultSeccompFilter(Amd64({"CAP_SYS_ADMIN"}));
  EXPECT_THAT(RulesFor(admin, "clone"),
              ElementsAre(SeccompRule{{"clone"}, "SCMP_ACT_ALLOW", {}, {}}));
  EXPECT_THAT(RulesFor(admin, "clone3"),
              ElementsAre(SeccompRule{{"clone3"}, "SCMP_ACT_ALLOW", {}, {}}));
}

// The kernel reads the family as an int, a filter 64 bits: no comparison may pass a family whose
// upper half is set, or 2^32 + 40 is AF_VSOCK.
TEST(DefaultSeccomp, ComparesAddressFamiliesOneByOne) {
  const auto families_of = [](const SeccompFilter& filter, const std::string& call) {
    std::vector<std::uint64_t> families;
    for (const SeccompRule& rule : RulesFor(filter, call)) {
      EXPECT_EQ(rule.action, "SCMP_ACT_ALLOW");
      EXPECT_EQ(rule.arguments.size(), 1U);
      for (const SeccompArgument& family : rule.arguments) {
        EXPECT_EQ(family.index, 0U);
        EXPECT_EQ(family.op, SeccompOperator::kEqual);
        families.push_back(family.value);
      }
    }
    return families;
  };
  for (const char* call : {"socket", "socketpair"}) {
    EXPECT_THAT(families_of(DefaultSeccompFilter(Amd64()), call),
                UnorderedElementsAre(AF_UNIX, AF_INET, AF_INET6, AF_NETLINK))
        << call;
    EXPECT_THAT(families_of(DefaultSeccompFilter(Amd64({"CAP_NET_RAW"})), call),
                UnorderedElementsAre(AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET))
        << call;
  }
}

TEST(DefaultSeccomp, DeniesKeyringIoUringAndUserfaultfd) {
  const Names everything = Allowed(DefaultSeccompFilter(Amd64(AllCapabilities())));
  for (const char* name : {"add_key", "keyctl", "request_key", "io_uring_setup", "io_uring_enter",
                           "io_uring_register", "userfaultfd", "kexec_load", "kexec_file_load",
                           "swapon", "swapoff", "nfsservctl", "vm86", "uselib", "pivot_root"}) {
    EXPECT_FALSE(everything.contains(name)) << name;
  }
}

TEST(DefaultSeccomp, FileIsSortedAndExplainsEachGroup) {
  for (const json& rule : Profile().at("syscalls")) {
    const Strings names = rule.at("names");
    EXPECT_TRUE(std::ranges::is_sorted(names)) << rule;
    EXPECT_EQ(std::ranges::adjacent_find(names), names.end()) << rule;
    EXPECT_FALSE(rule.at("comment").get<std::string>().empty()) << rule;
  }
}

}  // namespace
}  // namespace runclad::privilege::seccomp_default_test
