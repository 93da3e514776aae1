#include "task_state.hpp"

#include <sys/personality.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "runclad/privilege/capabilities.hpp"
#include "runclad/privilege/seccomp_program.hpp"

#include "proc.hpp"
#include "same_programs.hpp"

namespace runclad::look {
namespace {

constexpr std::size_t kMaxTasks = 8192;

bool AreSame(const Credentials& left, const Credentials& right) {
  return left.uids == right.uids && left.gids == right.gids && left.groups == right.groups &&
         left.effective == right.effective && left.permitted == right.permitted &&
         left.inheritable == right.inheritable && left.bounding == right.bounding &&
         left.ambient == right.ambient && left.no_new_privileges == right.no_new_privileges &&
         left.seccomp_mode == right.seccomp_mode;
}

// Tries a call in a process of its own: a kernel without that entry kills it.
template <typename Try>
bool Works(Try&& attempt) {
  const pid_t child = ::fork();
  if (child < 0) return false;
  if (child == 0) ::_exit(attempt() ? EXIT_SUCCESS : EXIT_FAILURE);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
}

std::string NameOfError(std::uint32_t number) {
  const char* const name = ::strerrorname_np(static_cast<int>(number));
  return name == nullptr ? "errno " + std::to_string(number) : name;
}

}  // namespace

std::vector<TaskState> TaskStatesOf(const Container& container, Attach attach) {
  std::vector<Task> tasks;
  std::vector<TaskState> states;
  std::optional<std::vector<privilege::FilterProgram>> document;
  for (const Task& task : TasksOf(container.processes, kMaxTasks)) {
    const UniqueFd process = OpenProcess(task.id, task.start_time);
    const auto status = process ? ReadOf(process.get(), "status") : std::nullopt;
    const auto credentials = status ? CredentialsFrom(*status) : std::nullopt;
    if (!credentials) continue;
    states.push_back({task.id, *credentials, {}, {}, {}});
    if (credentials->seccomp_mode == 0) continue;
    if (attach == Attach::kYes) {
      tasks.push_back(task);
    } else {
      states.back().filters_unknown_because = "its filters are not read with --no-attach";
      if (!document) document = DocumentPrograms(container);
      states.back().document = document;
    }
  }
  for (TaskFilters& filters : ReadFilters(tasks)) {
    const auto state = std::ranges::find(states, filters.task, &TaskState::task);
    if (state == states.end()) continue;
    // It can do nothing any more, and says nothing of the others.
    if (filters.has_ended && states.size() > 1) {
      states.erase(state);
      continue;
    }
    state->programs = std::move(filters.programs);
    state->filters_unknown_because = std::move(filters.unknown_because);
    if (!state->filters_unknown_because.empty()) state->document = DocumentPrograms(container);
  }
  std::vector<TaskState> distinct;
  for (TaskState& state : states) {
    const bool is_known = std::ranges::any_of(distinct, [&](const TaskState& other) {
      return AreSame(state.credentials, other.credentials) &&
             state.filters_unknown_because == other.filters_unknown_because &&
             SamePrograms(state.programs, other.programs);
    });
    if (!is_known) distinct.push_back(std::move(state));
  }
  return distinct;
}

const KernelAbis& AbisOfKernel() {
#if defined(__x86_64__)
  static const KernelAbis kAbis = {
      .has_32_bit = Works([] {
        constexpr int kGetPid = 20;
        int result = kGetPid;
        // NOLINTNEXTLINE(hicpp-no-assembler): there is no other way in
        __asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
        return result > 0;
      }),
      .has_x32 = Works([] {
        constexpr long kX32Bit = 0x40000000;
        return ::syscall(kX32Bit | SYS_getpid) > 0;
      })};
#elif defined(__aarch64__)
  // Refused where neither the kernel nor the processor has 32-bit programs (arm64's
  // sys_arm64_personality).
  static const KernelAbis kAbis = {.has_32_bit =
                                       Works([] { return ::personality(PER_LINUX32) != -1; })};
#else
  static const KernelAbis kAbis;
#endif
  return kAbis;
}

bool HasRings() {
  // Asked for no entry, a kernel that has rings for everybody answers EFAULT or EINVAL.
  static const bool kHas =
      ::syscall(SYS_io_uring_setup, 0, nullptr) >= 0 || (errno != ENOSYS && errno != EPERM);
  return kHas;
}

bool HasEntry(const KernelAbis& kernel, std::string_view architecture) {
  if (architecture == "SCMP_ARCH_X86" || architecture == "SCMP_ARCH_ARM") return kernel.has_32_bit;
  return architecture != "SCMP_ARCH_X32" || kernel.has_x32;
}

Answer Yes() { return {Verdict::kYes, {}, {}, {}, 0}; }

Answer No(std::string layer, std::string because) {
  return {Verdict::kNo, std::move(layer), std::move(because), {}, 0};
}

Answer Unknown(std::string layer, std::string because) {
  return {Verdict::kUnknown, std::move(layer), std::move(because), {}, 0};
}

bool Has(std::uint64_t mask, std::string_view capability) {
  const auto number = privilege::CapabilityNumber(capability);
  return number && (mask >> *number & 1) != 0;
}

Answer AskFilters(const TaskState& task, std::string_view architecture, std::uint32_t number,
                  const std::array<std::uint64_t, 6>& arguments) {
  if (task.credentials.seccomp_mode == 0) return Yes();
  if (task.credentials.seccomp_mode == 1) {
    return No("seccomp", "strict mode allows read, write and exit alone");
  }
  const auto call = privilege::ToSeccompData({architecture, number, arguments});
  if (!call) return Unknown("seccomp", "the architecture is not known");
  if (!task.filters_unknown_because.empty()) {
    std::string because = task.filters_unknown_because;
    if (task.document) {
      const bool is_allowed = privilege::RunFilters(*task.document, *call) == SECCOMP_RET_ALLOW;
      because += is_allowed ? "; the filter in its document lets it through"
                            : "; the filter in its document does not let it through";
    }
    return Unknown("seccomp", std::move(because));
  }
  const std::uint32_t answer = privilege::RunFilters(task.programs, *call);
  switch (answer & SECCOMP_RET_ACTION_FULL) {
    case SECCOMP_RET_ALLOW:
    case SECCOMP_RET_LOG:
      return Yes();
    case SECCOMP_RET_ERRNO:
      return No("seccomp", "a filter answers " + NameOfError(answer & SECCOMP_RET_DATA));
    case SECCOMP_RET_USER_NOTIF:
      return Unknown("seccomp", "a filter asks an agent");
    case SECCOMP_RET_TRACE:
      return No("seccomp", "a filter asks a tracer, and there is none");
    case SECCOMP_RET_TRAP:
      return No("seccomp", "a filter answers with SIGSYS");
    default:
      return No("seccomp", "a filter kills the process");
  }
}

Answer AskFiltersByName(const TaskState& task, const std::string& name,
                        const std::array<std::uint64_t, 6>& arguments) {
  std::optional<Answer> first;
  for (const std::string_view architecture : Architectures()) {
    if (!HasEntry(AbisOfKernel(), architecture)) continue;
    const auto number = NumberOf(architecture, name);
    if (!number) continue;
    Answer answer = AskFilters(task, architecture, *number, arguments);
    if (answer.verdict != Verdict::kNo) {
      if (answer.verdict == Verdict::kYes && architecture != Architectures().front()) {
        answer.because = "through " + std::string(architecture);
      }
      return answer;
    }
    if (!first) first = std::move(answer);
  }
  return first ? *std::move(first) : No("kernel", "no architecture of this machine has the call");
}

}  // namespace runclad::look
