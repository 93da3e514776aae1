// seccomp: a filter built for the remaining capabilities that never allows more than the engine's.
#include "runclad/rules/rule.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "runclad/policy/table.hpp"
#include "runclad/privilege/compat_calls.hpp"
#include "runclad/privilege/seccomp.hpp"
#include "runclad/privilege/socket_families.hpp"
#include "runclad/privilege/syscalls.hpp"
#include "runclad/rules/parameters.hpp"

#include "rules/binding.hpp"

namespace runclad::rules {
namespace {

struct Parameters {
  policy::StringList allow;
  policy::StringList deny;
  policy::StringList families;
  bool deny_socketcall = false;
  bool only_64_bit = false;
  bool deny_set_id = false;
  policy::StringList listener;
};

// Docker's profile denies two families.
constexpr bool IsOfDocker(std::string_view family) {
  return family != "AF_ALG" && family != "AF_VSOCK";
}
constexpr auto kFamiliesOfDocker = [] {
  std::array<std::string_view, privilege::kFamilyNames.size() - 2> families;
  std::ranges::copy_if(privilege::kFamilyNames, families.begin(), IsOfDocker);
  return families;
}();
constexpr auto kParameters = policy::TableOf<Parameters>({
    {&Parameters::allow,
     {.name = "allow",
      .vocabulary = policy::Vocabulary::kSyscall,
      .description =
          "system calls allowed in addition to runclad's profile, if the engine allows them"}},
    {&Parameters::deny,
     {.name = "deny",
      .merge = policy::Merge::kAccumulate,
      .vocabulary = policy::Vocabulary::kSyscall,
      .description =
          "system calls, system calls with arguments (setsockopt arg1==41 arg2==64), "
          "and socket address families (AF_ALG) that are always denied, whatever `allow` "
          "and `families` name; arguments are counted from 0 and compared by ==, !=, <, "
          "<=, >, >= or &MASK==, and an entry applies if all its comparisons hold"}},
    {&Parameters::families,
     {.name = "families",
      .vocabulary = policy::Vocabulary::kSocketFamily,
      .description =
          "socket address families allowed in addition to UNIX, INET, INET6 and NETLINK (and "
          "PACKET with CAP_NET_RAW), if the engine allows them: AF_CAN, VSOCK, 45",
      .docker_default = std::span<const std::string_view>(kFamiliesOfDocker)}},
    {&Parameters::deny_socketcall,
     {.name = "deny-socketcall",
      .description = "deny the 32-bit socketcall, with which no filter can see the address family; "
                     "32-bit programs that use glibc have no other way to create a socket",
      .order = policy::Order::kFalseIsLooser,
      .docker_default = false}},
    {&Parameters::only_64_bit,
     {.name = "64-bit-only",
      .description =
          "programs that are 32-bit or use the 32-bit system call entry are killed with SIGSYS",
      .order = policy::Order::kFalseIsLooser,
      .docker_default = false}},
    {&Parameters::deny_set_id,
     {.name = "deny-set-id",
      .description =
          "deny setting set-user-ID and set-group-ID bits, so that a container's root cannot leave "
          "such a program in a host directory; tar, install, dpkg and git get EPERM for files and "
          "directories with these bits, and openat2 is not available",
      .order = policy::Order::kFalseIsLooser,
      .docker_default = false}},
    {&Parameters::listener,
     {.name = "listener",
      .vocabulary = policy::Vocabulary::kAbsolutePath,
      .description =
          "sockets of agents that a filter may ask (listenerPath, SCMP_ACT_NOTIFY) about "
          "allowed calls"}},
});

constexpr Code kAbsent{"absent", "no filter is requested", Symptom::kNotPermitted};
constexpr Code kSyscalls{"syscalls",
                         "the engine's filter allows system calls that the policy's does not",
                         Symptom::kNotPermitted};
constexpr Code kWithheld{"withheld",
                         "all the system calls that the engine's filter allows in addition need a "
                         "capability or are on deny",
                         Symptom::kNotPermitted};
constexpr Code kConditions{"conditions",
                           "the engine's filter allows some system calls with more arguments",
                           Symptom::kNotPermitted};
constexpr Code kEssential{"essential",
                          "the filters together deny a system call that every program needs"};
constexpr Code kArchitecture{"architecture",
                             "the filter does not contain the program's architecture"};
constexpr Code kCodes[] = {kAbsent, kSyscalls, kWithheld, kConditions, kEssential, kArchitecture};

std::vector<std::uint16_t> FamiliesOf(policy::StringList names) {
  std::vector<std::uint16_t> numbers;
  for (const std::string& name : names) {
    if (const auto number = privilege::FamilyNumber(name)) numbers.push_back(*number);
  }
  return numbers;
}

// Takes the denied families out of the rules for sockets, each of which allows one.
void Deny(std::span<const std::uint16_t> families, privilege::SeccompFilter& filter) {
  const auto allows_denied = [&](const privilege::SeccompRule& rule) {
    return !rule.names.empty() && rule.names.front() == "socket" && rule.arguments.size() == 1 &&
           std::ranges::find(families, rule.arguments.front().value) != families.end();
  };
  if (!families.empty()) std::erase_if(filter.rules, allows_denied);
}

// Makes, uses or changes a ring.
bool IsOfRings(std::string_view name) { return name.starts_with("io_uring_"); }

// Whether a ring, whose requests no filter sees, would get around an entry of `deny`.
bool DeniesRings(policy::StringList deny) {
  return std::ranges::any_of(deny, [](std::string_view entry) {
    return entry.starts_with("AF_") || privilege::IsRingCall(entry.substr(0, entry.find(' ')));
  });
}

privilege::SeccompConditions ConditionsOf(const oci::Spec& spec, const KernelFacts& kernel) {
  privilege::SeccompConditions conditions;
  for (oci::CapabilitySet& set : spec.capabilities()) {
    if (set.name == "bounding") conditions.capabilities = std::move(set.capabilities);
  }
  conditions.architecture = kernel.architecture;
  conditions.kernel_major = kernel.major;
  conditions.kernel_minor = kernel.minor;
  return conditions;
}

// No setting adds an architecture to the engine's filter.
Remedy Admitting(std::string_view architecture, const oci::Spec& spec, const Context& context) {
  const auto requested = spec.seccomp();
  const bool is_asked_for =
      !requested ||
      std::ranges::find(requested->architectures, architecture) != requested->architectures.end();
  if (is_asked_for && kParameters.Read(context.parameters).only_64_bit) {
    return SetTo(kParameters[&Parameters::only_64_bit], false);
  }
  return AskEngine("request a filter that contains " + std::string(architecture));
}

// The calls that `allow` could return. deny, deny-socketcall (on in nearly every policy) and
// deny-set-id take precedence over it. "syscall", which podman's filter names, exists on few
// architectures. What a capability guards is never suggested: with unshare and mount, a container
// would make a user namespace in which it has every capability.
Remedy Allowing(std::vector<std::string> withheld, const Parameters& parameters) {
  const policy::StringList denied = parameters.deny;
  bool has_guarded = false;
  std::erase_if(withheld, [&](const std::string& name) {
    const bool is_guarded = privilege::IsForCapability(name);
    has_guarded = has_guarded || is_guarded;
    const bool is_denied = std::ranges::any_of(
        denied, [&](std::string_view entry) { return privilege::IsSameCall(entry, name); });
    return is_guarded || name == "syscall" || is_denied ||
           (name == "socketcall" && parameters.deny_socketcall) ||
           ((name == "openat2" || name == "io_uring_setup") && parameters.deny_set_id) ||
           (IsOfRings(name) && DeniesRings(denied));
  });
  if (!withheld.empty()) return AddTo(kParameters[&Parameters::allow], std::move(withheld));
  return has_guarded ? NoRemedy("these system calls are allowed with the capability that they need")
                     : Remedy();
}

privilege::SeccompTuning TuningOf(const Parameters& read) {
  std::vector<std::string> allow = policy::Copied(read.allow);
  std::vector<std::uint16_t> families = FamiliesOf(read.families);
  std::vector<std::string> deny = policy::Copied(read.deny);
  if (DeniesRings(read.deny)) std::erase_if(allow, IsOfRings);
  const std::vector<std::uint16_t> denied = FamiliesOf(read.deny);
  if (!denied.empty()) {
    // With these, every family would be allowed.
    std::erase_if(allow, [](const std::string& name) {
      return name == "socket" || name == "socketpair" || name == "socketcall";
    });
    std::erase_if(deny, [](const std::string& name) { return name.starts_with("AF_"); });
    std::erase_if(families, [&](std::uint16_t family) {
      return std::ranges::find(denied, family) != denied.end();
    });
  }
  return {.allow = std::move(allow),
          .deny = std::move(deny),
          // The family is in memory there.
          .deny_socketcall = read.deny_socketcall || !denied.empty(),
          .only_64_bit = read.only_64_bit,
          .deny_set_id = read.deny_set_id,
          .listeners = policy::Copied(read.listener),
          .families = std::move(families)};
}

// The kernel kills a program whose architecture is not in the filter with SIGSYS at its first
// system call, without a message: it is better reported beforehand. Programs for another machine
// run in an emulator, which is a native program.
void CheckProgram(const oci::Spec& spec, const privilege::SeccompFilter& filter,
                  const Context& context, const Program& program, const KernelFacts& kernel,
                  Findings& findings) {
  struct Abi {
    std::string_view kernel;
    std::string_view program;
    std::string_view name;
  };
  constexpr Abi kOthers[] = {
      {"amd64", "386", "SCMP_ARCH_X86"},
      {"amd64", "x32", "SCMP_ARCH_X32"},
      {"arm64", "arm", "SCMP_ARCH_ARM"},
  };
  if (!program) return;
  for (const Abi& abi : kOthers) {
    const bool is_it = abi.kernel == kernel.architecture && abi.program == program->architecture;
    const auto& architectures = filter.architectures;
    if (!is_it || std::ranges::find(architectures, abi.name) != architectures.end()) continue;
    const std::string asked = spec.arguments().empty() ? "" : spec.arguments().front();
    findings.push_back(Refuse(kArchitecture, "/process/args/0", asked,
                              "is a program for the architecture " + program->architecture +
                                  ", which the filter would kill with SIGSYS",
                              Admitting(abi.name, spec, context)));
  }
}

Findings Check(const oci::Spec& spec, const Context& context, const Program& program,
               const KernelFacts& kernel) {
  privilege::SeccompFilter ours = privilege::DefaultSeccompFilter(ConditionsOf(spec, kernel));
  Deny(FamiliesOf(kParameters.Read(context.parameters).deny), ours);
  const auto requested = spec.seccomp();
  privilege::SeccompIntersection meet =
      privilege::Intersect(requested.value_or(privilege::SeccompFilter()), ours,
                           TuningOf(kParameters.Read(context.parameters)));
  if (!meet.lost.empty()) {
    std::string lost;
    for (const std::string& name : meet.lost) lost += ' ' + name;
    return {Refuse(kEssential, "/linux/seccomp",
                   requested ? "the engine's filter" : "the policy's filter",
                   "denies" + lost + ", without which no program runs",
                   AskEngine("request a filter that allows them without conditions"))};
  }
  Findings findings;
  CheckProgram(spec, meet.filter, context, program, kernel, findings);
  if (requested && *requested == meet.filter) return findings;
  std::string why = requested ? "allows more than the remaining capabilities need"
                              : "is absent: every system call would be allowed";
  for (const privilege::SeccompDropped& dropped : meet.dropped) why += "; " + dropped.sentence;
  const bool is_withheld = !meet.withheld.empty();
  Remedy remedy = requested
                      ? Allowing(std::move(meet.withheld), kParameters.Read(context.parameters))
                      : Remedy();
  const Code& code = !requested                              ? kAbsent
                     : !is_withheld                          ? kConditions
                     : remedy.kind == Remedy::Kind::kSetting ? kSyscalls
                                                             : kWithheld;
  findings.push_back(
      Propose(code, "/linux/seccomp", oci::ToJson(meet.filter), std::move(why), std::move(remedy)));
  return findings;
}

constexpr std::string_view kBenchmarks[] = {"CIS 5.22", "PSS baseline", "PSS restricted"};
constexpr std::string_view kPaths[] = {"/linux/seccomp"};
constexpr policy::Action kActions[] = {policy::Action::kFix, policy::Action::kRefuse,
                                       policy::Action::kWarn, policy::Action::kOff};

}  // namespace

extern constinit const Rule kSeccomp{
    .schema = {.id = "seccomp", .actions = kActions, .parameters = kParameters.schemas()},
    .title = "A seccomp filter that matches the capabilities",
    .rationale =
        "Engines build their filter for the capabilities that they grant, before runclad removes "
        "most of these: a filter built for CAP_SYS_ADMIN would still allow unshare and mount. "
        "runclad builds its own filter for the remaining capabilities and passes on what both "
        "filters allow. Only a few socket address families are allowed: each of the others is a "
        "kernel module that hardly any container needs, and some have led to root on the host "
        "(AF_ALG, AF_RXRPC, AF_VSOCK).",
    .way_out =
        "add the system call to seccomp.allow or the address family to seccomp.families; the "
        "engine's filter must allow it too",
    .codes = kCodes,
    .benchmarks = kBenchmarks,
    .paths = kPaths,
    .scope = Scope::kContainer,
    .check = Bind<Check>(),
};

extern constinit const ParameterPlace kAllowedSyscalls{kSeccomp, kParameters[&Parameters::allow]};
extern constinit const ParameterPlace kDeniedSyscalls{kSeccomp, kParameters[&Parameters::deny]};

privilege::SeccompTuning SeccompTuningOf(const policy::RuleSetting& setting) {
  return TuningOf(kParameters.ReadForOthers(setting));
}

}  // namespace runclad::rules
