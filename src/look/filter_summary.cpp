#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "runclad/look/filters.hpp"
#include "runclad/privilege/seccomp_program.hpp"
#include "runclad/privilege/socket_families.hpp"

namespace runclad::look {
namespace {

#if defined(__x86_64__)
constexpr std::string_view kArchitectures[] = {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86",
                                               "SCMP_ARCH_X32"};
#elif defined(__aarch64__)
constexpr std::string_view kArchitectures[] = {"SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"};
#elif defined(__riscv)
constexpr std::string_view kArchitectures[] = {"SCMP_ARCH_RISCV64"};
#elif defined(__s390x__)
constexpr std::string_view kArchitectures[] = {"SCMP_ARCH_S390X", "SCMP_ARCH_S390"};
#elif defined(__powerpc64__)
constexpr std::string_view kArchitectures[] = {"SCMP_ARCH_PPC64LE"};
#else
#error "the native seccomp architecture is not known"
#endif

constexpr std::uint32_t kLastNumber = 511;  // of native calls; the newest is below 480

// Calls, with the first argument that makes them what they are feared for.
struct Risk {
  std::string_view shown;
  const char* syscall;
  std::uint64_t first = 0;
};
constexpr std::uint64_t kNewUser = 0x10000000;  // CLONE_NEWUSER

constexpr Risk kRisks[] = {
    {"mount", "mount"},
    {"fsopen", "fsopen"},
    {"unshare(NEWUSER)", "unshare", kNewUser},
    {"clone(NEWUSER)", "clone", kNewUser},
    {"clone3", "clone3"},
    {"setns", "setns"},
    {"ptrace", "ptrace"},
    {"process_vm_writev", "process_vm_writev"},
    {"bpf", "bpf"},
    {"perf_event_open", "perf_event_open"},
    {"io_uring_setup", "io_uring_setup"},
    {"userfaultfd", "userfaultfd"},
    {"keyctl", "keyctl"},
    {"add_key", "add_key"},
    {"open_by_handle_at", "open_by_handle_at"},
    {"init_module", "init_module"},
    {"finit_module", "finit_module"},
    {"kexec_load", "kexec_load"},
    {"AF_PACKET", "socket", AF_PACKET},
    {"AF_ALG", "socket", AF_ALG},
    {"AF_RXRPC", "socket", AF_RXRPC},
    {"AF_VSOCK", "socket", AF_VSOCK},
    {"AF_TIPC", "socket", AF_TIPC},
    {"AF_BLUETOOTH", "socket", AF_BLUETOOTH},
};

bool Allows(std::span<const privilege::FilterProgram> programs, std::uint32_t number,
            std::uint64_t first) {
  const auto call = privilege::ToSeccompData({kArchitectures[0], number, {first, 0, 0, 0, 0, 0}});
  if (!call) return false;
  const std::uint32_t action = privilege::RunFilters(programs, *call) & SECCOMP_RET_ACTION_FULL;
  return action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG;
}

}  // namespace

std::span<const std::string_view> Architectures() { return kArchitectures; }

Result<std::vector<privilege::FilterProgram>> ProgramsOf(
    const std::optional<privilege::SeccompFilter>& filter) {
  if (!filter) return std::vector<privilege::FilterProgram>();
  constexpr unsigned kSeconds = 5;
  // libseccomp does not finish with some filters.
  if (auto tried = privilege::SeccompProgram::TryCompile(*filter, kSeconds); !tried) {
    return tried.error();
  }
  auto program = privilege::SeccompProgram::Compile(*filter);
  if (!program) return program.error();
  return std::vector<privilege::FilterProgram>{program->instructions()};
}

FilterSummary Summarize(std::span<const privilege::FilterProgram> programs) {
  FilterSummary summary;
  summary.source = programs.empty() ? FilterSummary::Source::kNone : FilterSummary::Source::kKernel;
  static const std::vector<std::string> kNames = [] {
    std::vector<std::string> names;
    for (std::uint32_t number = 0; number <= kLastNumber; ++number) {
      names.push_back(privilege::SyscallName(kArchitectures[0], number));
    }
    return names;
  }();
  for (std::uint32_t number = 0; number < kNames.size(); ++number) {
    const std::string& name = kNames[number];
    if (name.empty()) continue;
    ++summary.known;
    const bool is_socket = name == "socket" || name == "socketpair";
    if (Allows(programs, number, is_socket ? AF_UNIX : 0)) ++summary.allowed;
  }
  for (const Risk& risk : kRisks) {
    const auto number = privilege::SyscallNumber(kArchitectures[0], risk.syscall);
    if (number && Allows(programs, *number, risk.first)) {
      summary.risky.emplace_back(risk.shown);
    }
  }
  return summary;
}

}  // namespace runclad::look
