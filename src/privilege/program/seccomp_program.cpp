#include "runclad/privilege/seccomp_program.hpp"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <limits>
#include <memory>
#include <tuple>

#include <seccomp.h>

#include "runclad/base/unique_fd.hpp"
#include "runclad/privilege/filter_program.hpp"

namespace runclad::privilege {
namespace {

struct Architecture {
  std::string_view name;
  std::uint32_t token;  // libseccomp's
};

constexpr Architecture kArchitectures[] = {
    {"SCMP_ARCH_AARCH64", SCMP_ARCH_AARCH64},
    {"SCMP_ARCH_ARM", SCMP_ARCH_ARM},
    {"SCMP_ARCH_MIPS", SCMP_ARCH_MIPS},
    {"SCMP_ARCH_MIPS64", SCMP_ARCH_MIPS64},
    {"SCMP_ARCH_MIPS64N32", SCMP_ARCH_MIPS64N32},
    {"SCMP_ARCH_MIPSEL", SCMP_ARCH_MIPSEL},
    {"SCMP_ARCH_MIPSEL64", SCMP_ARCH_MIPSEL64},
    {"SCMP_ARCH_MIPSEL64N32", SCMP_ARCH_MIPSEL64N32},
    {"SCMP_ARCH_PPC", SCMP_ARCH_PPC},
    {"SCMP_ARCH_PPC64", SCMP_ARCH_PPC64},
    {"SCMP_ARCH_PPC64LE", SCMP_ARCH_PPC64LE},
    {"SCMP_ARCH_RISCV64", SCMP_ARCH_RISCV64},
    {"SCMP_ARCH_S390", SCMP_ARCH_S390},
    {"SCMP_ARCH_S390X", SCMP_ARCH_S390X},
    {"SCMP_ARCH_X32", SCMP_ARCH_X32},
    {"SCMP_ARCH_X86", SCMP_ARCH_X86},
    {"SCMP_ARCH_X86_64", SCMP_ARCH_X86_64},
};

std::optional<std::uint32_t> TokenOf(std::string_view architecture) {
  const auto* found = std::ranges::find(kArchitectures, architecture, &Architecture::name);
  if (found == std::end(kArchitectures)) return std::nullopt;
  return found->token;
}

std::optional<std::uint32_t> ActionOf(std::string_view name,
                                      const std::optional<std::uint32_t>& errno_return) {
  // runc narrows the number so.
  const auto code = static_cast<std::uint16_t>(errno_return.value_or(EPERM));
  if (name == "SCMP_ACT_KILL" || name == "SCMP_ACT_KILL_THREAD") return SCMP_ACT_KILL_THREAD;
  if (name == "SCMP_ACT_KILL_PROCESS") return SCMP_ACT_KILL_PROCESS;
  if (name == "SCMP_ACT_TRAP") return SCMP_ACT_TRAP;
  if (name == "SCMP_ACT_ERRNO") return SCMP_ACT_ERRNO(code);
  if (name == "SCMP_ACT_TRACE") return SCMP_ACT_TRACE(code);
  if (name == "SCMP_ACT_NOTIFY") return SCMP_ACT_NOTIFY;
  if (name == "SCMP_ACT_LOG") return SCMP_ACT_LOG;
  if (name == "SCMP_ACT_ALLOW") return SCMP_ACT_ALLOW;
  return std::nullopt;
}

scmp_compare CompareOf(SeccompOperator op) {
  switch (op) {
    case SeccompOperator::kNotEqual:
      return SCMP_CMP_NE;
    case SeccompOperator::kLess:
      return SCMP_CMP_LT;
    case SeccompOperator::kLessEqual:
      return SCMP_CMP_LE;
    case SeccompOperator::kEqual:
      return SCMP_CMP_EQ;
    case SeccompOperator::kGreaterEqual:
      return SCMP_CMP_GE;
    case SeccompOperator::kGreater:
      return SCMP_CMP_GT;
    case SeccompOperator::kMaskedEqual:
      break;
  }
  return SCMP_CMP_MASKED_EQ;
}

using Context = std::unique_ptr<void, decltype(&seccomp_release)>;
using Comparisons = std::vector<scmp_arg_cmp>;

// The conjunctions that runc makes of one rule's arguments.
std::vector<Comparisons> AlternativesOf(const SeccompRule& rule) {
  Comparisons all;
  bool repeats = false;
  for (const SeccompArgument& argument : rule.arguments) {
    repeats = repeats || std::ranges::find(all, argument.index, &scmp_arg_cmp::arg) != all.end();
    all.push_back({argument.index, CompareOf(argument.op), argument.value, argument.value_two});
  }
  if (!repeats) return {all};
  std::vector<Comparisons> each;
  for (const scmp_arg_cmp& comparison : all) each.push_back({comparison});
  return each;
}

Status AddRule(const Context& context, const SeccompRule& rule, std::uint32_t default_action) {
  const auto action = ActionOf(rule.action, rule.errno_return);
  if (!action) return Error{"runc does not know the seccomp action \"" + rule.action + "\""};
  if (*action == default_action) return {};
  const std::vector<Comparisons> alternatives = AlternativesOf(rule);
  for (const std::string& name : rule.names) {
    const int number = seccomp_syscall_resolve_name(name.c_str());
    if (number == __NR_SCMP_ERROR) continue;
    for (const Comparisons& comparisons : alternatives) {
      const int result =
          seccomp_rule_add_array(context.get(), *action, number,
                                 static_cast<unsigned>(comparisons.size()), comparisons.data());
      if (result < 0)
        return SystemError("libseccomp does not accept this rule for " + name, -result);
    }
  }
  return {};
}

Result<std::vector<sock_filter>> Export(const Context& context) {
  const UniqueFd file(memfd_create("seccomp", MFD_CLOEXEC));
  if (!file) return SystemError("cannot create a memory file", errno);
  if (const int result = seccomp_export_bpf(context.get(), file.get()); result < 0) {
    return SystemError("libseccomp cannot compile the filter", -result);
  }
  const off_t bytes = lseek(file.get(), 0, SEEK_END);
  std::vector<sock_filter> instructions(static_cast<std::size_t>(bytes) / sizeof(sock_filter));
  if (pread(file.get(), instructions.data(), static_cast<std::size_t>(bytes), 0) != bytes) {
    return SystemError("cannot read the compiled filter", errno);
  }
  return instructions;
}

// The call as a filter of this kernel sees it.
seccomp_data DataOf(const SeccompCall& call, std::uint32_t token) {
  seccomp_data data{};
  data.nr = static_cast<int>(call.number);
  data.arch = token == SCMP_ARCH_X32 ? SCMP_ARCH_X86_64 : token;
  // A 32-bit process has 32-bit registers; x32 has 64-bit ones.
  const bool is_narrow = (token & __AUDIT_ARCH_64BIT) == 0 && token != SCMP_ARCH_X32;
  for (std::size_t i = 0; i < call.arguments.size(); ++i) {
    const std::uint64_t argument = call.arguments.at(i);
    // NOLINTNEXTLINE(cppcoreguidelines-pro-bounds-constant-array-index): as long as call.arguments
    data.args[i] = is_narrow ? argument & std::numeric_limits<std::uint32_t>::max() : argument;
  }
  return data;
}

}  // namespace

bool SeccompAnswer::allows() const { return value == SECCOMP_RET_ALLOW; }

std::optional<int> SeccompAnswer::errno_value() const {
  if ((value & SECCOMP_RET_ACTION_FULL) != SECCOMP_RET_ERRNO) return std::nullopt;
  return static_cast<int>(value & SECCOMP_RET_DATA);
}

Result<SeccompProgram> SeccompProgram::Compile(const SeccompFilter& filter) {
  const auto default_action = ActionOf(filter.default_action, filter.default_errno_return);
  if (!default_action || *default_action == SCMP_ACT_NOTIFY) {
    return Error{"runc does not accept the default seccomp action \"" + filter.default_action +
                 "\""};
  }
  const Context context(seccomp_init(*default_action), &seccomp_release);
  if (!context) return Error{"libseccomp cannot create a filter for this kernel"};
  for (const std::string& name : filter.architectures) {
    const auto token = TokenOf(name);
    if (!token) return Error{"runc does not know the seccomp architecture \"" + name + "\""};
    const int result = seccomp_arch_add(context.get(), *token);
    if (result < 0 && result != -EEXIST) {
      return SystemError("libseccomp cannot filter for " + name, -result);
    }
  }
  std::size_t calls = 0;
  for (const SeccompRule& rule : filter.rules) calls += rule.names.size();
  constexpr std::size_t kLinearAtMost = 32;  // runc asks for a binary tree above
  constexpr std::uint32_t kBinaryTree = 2;
  if (calls > kLinearAtMost) {
    std::ignore = seccomp_attr_set(context.get(), SCMP_FLTATR_CTL_OPTIMIZE, kBinaryTree);
  }
  for (const SeccompRule& rule : filter.rules) {
    if (auto added = AddRule(context, rule, *default_action); !added) return added.error();
  }
  auto instructions = Export(context);
  if (!instructions) return instructions.error();
  return SeccompProgram(*std::move(instructions));
}

Status SeccompProgram::TryCompile(const SeccompFilter& filter, unsigned seconds) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return SystemError("cannot make a pipe", errno);
  const UniqueFd result(ends[0]);
  UniqueFd report(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) return SystemError("cannot start a process", errno);
  if (child == 0) {
    std::ignore = std::signal(SIGPROF, SIG_DFL);
    const itimerval limit{{}, {.tv_sec = static_cast<time_t>(seconds), .tv_usec = 0}};
    std::ignore = ::setitimer(ITIMER_PROF, &limit, nullptr);
    const auto program = Compile(filter);
    const std::string fault = program ? "" : program.error().message;
    const bool is_reported =
        ::write(report.get(), fault.data(), fault.size()) == static_cast<ssize_t>(fault.size());
    ::_exit(program && is_reported ? EXIT_SUCCESS : EXIT_FAILURE);
  }
  report = UniqueFd();
  std::string fault;
  std::array<char, 4096> buffer{};
  for (ssize_t size = 1; size > 0;) {
    size = ::read(result.get(), buffer.data(), buffer.size());
    if (size > 0) fault.append(buffer.data(), static_cast<std::size_t>(size));
    if (size < 0 && errno == EINTR) size = 1;
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return SystemError("cannot wait for the compiler", errno);
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS) return {};
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGPROF) {
    return Error{"libseccomp did not finish within " + std::to_string(seconds) +
                 " seconds; starting a container would hang"};
  }
  return Error{fault.empty() ? "libseccomp crashed" : std::move(fault)};
}

SeccompAnswer SeccompProgram::Answer(const SeccompCall& call) const {
  const auto token = TokenOf(call.architecture);
  if (!token) return {SECCOMP_RET_KILL_PROCESS};
  return {RunFilter(instructions_, DataOf(call, *token))};
}

std::optional<seccomp_data> ToSeccompData(const SeccompCall& call) {
  const auto token = TokenOf(call.architecture);
  if (!token) return std::nullopt;
  return DataOf(call, *token);
}

std::optional<std::uint32_t> SyscallNumber(std::string_view architecture, const std::string& name) {
  const auto token = TokenOf(architecture);
  if (!token) return std::nullopt;
  const int number = seccomp_syscall_resolve_name_arch(*token, name.c_str());
  if (number < 0) return std::nullopt;
  return static_cast<std::uint32_t>(number);
}

std::string SyscallName(std::string_view architecture, std::uint32_t number) {
  const auto token = TokenOf(architecture);
  if (!token) return {};
  char* const name = seccomp_syscall_resolve_num_arch(*token, static_cast<int>(number));
  if (name == nullptr) return {};
  std::string text = name;
  std::free(name);  // NOLINT(cppcoreguidelines-no-malloc): libseccomp's
  return text;
}

}  // namespace runclad::privilege
