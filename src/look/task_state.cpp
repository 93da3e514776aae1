#include "task_state.hpp"

#include <sys/personality.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "runclad/privilege/capabilities.hpp"
#include "runclad/privilege/seccomp_program.hpp"
#include "runclad/sys/process.hpp"

#include "bundle.hpp"
#include "other_ways.hpp"
#include "proc.hpp"
#include "same_programs.hpp"
#include "task_list.hpp"

namespace runclad::look {
namespace {

bool AreSame(const Credentials& left, const Credentials& right) {
  return left.uids == right.uids && left.gids == right.gids && left.groups == right.groups &&
         left.effective == right.effective && left.permitted == right.permitted &&
         left.inheritable == right.inheritable && left.bounding == right.bounding &&
         left.ambient == right.ambient && left.no_new_privileges == right.no_new_privileges &&
         left.seccomp_mode == right.seccomp_mode;
}

bool CanDoTheSame(const TaskState& left, const TaskState& right) {
  return AreSame(left.credentials, right.credentials) &&
         left.filters_unknown_because == right.filters_unknown_because &&
         SamePrograms(left.programs, right.programs);
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

bool IsDeadTask(const Task& task) {
  const UniqueFd process = OpenProcess(task.id, task.start_time);
  const auto status = process ? ReadOf(process.get(), "status") : std::nullopt;
  return !status || IsDead(*status);
}

// What was read of a container's tasks, each of them once.
class TaskReader {
 public:
  using Clock = std::chrono::steady_clock;

  TaskReader(const Container& container, Attach attach, Clock::time_point deadline)
      : container_(container), attach_(attach), deadline_(deadline) {}

  // False where one of them ended before it was read.
  bool Read(const std::vector<Task>& tasks) {
    bool has_all = true;
    std::vector<Task> with_filters;
    std::vector<TaskState> states;
    for (const Task& task : tasks) {
      if (IsKnown(task)) continue;
      const UniqueFd process = OpenProcess(task.id, task.start_time);
      const auto status = process ? ReadOf(process.get(), "status") : std::nullopt;
      const auto credentials = status ? CredentialsFrom(*status) : std::nullopt;
      if (!credentials) {
        has_all = false;
        continue;
      }
      TaskState state;
      state.task = task.id;
      state.credentials = *credentials;
      if (IsDead(*status)) {
        // It lived when it was listed, and may have left a child since then.
        known_.emplace_back(task, std::nullopt);
        has_all = false;
      } else if (credentials->seccomp_mode != 0 && attach_ == Attach::kYes) {
        with_filters.push_back(task);
        states.push_back(std::move(state));
      } else {
        if (credentials->seccomp_mode != 0) {
          state.filters_unknown_because = "its filters are not read with --no-attach";
        } else if (container_.is_waiting) {
          state.filters_unknown_because = kNotStarted;
        }
        Add(task, std::move(state));
      }
    }
    const std::vector<TaskFilters> read = ReadFilters(with_filters, kPatience, deadline_);
    for (std::size_t i = 0; i < read.size(); ++i) {
      const Task& task = with_filters[i];
      // It can do nothing any more, and says nothing of the others.
      const bool is_unknown = !read[i].unknown_because.empty();
      if (read[i].has_ended || (is_unknown && IsDeadTask(task))) {
        has_all = false;
        continue;
      }
      states[i].programs = read[i].programs;
      states[i].filters_unknown_because = read[i].unknown_because;
      Add(task, std::move(states[i]));
    }
    return has_all;
  }

  [[nodiscard]] bool HasAll(const std::vector<Task>& tasks) const {
    return std::ranges::all_of(tasks, [&](const Task& task) { return IsKnown(task); });
  }

  // A thread that starts a program goes on under the id and the start time of its process's first
  // one, and the others end: what was read of a process is no longer true of its first thread where
  // another one is gone, and of none where that one was not read, or could do something else. False
  // where that is so.
  bool ForgetChanged(const std::vector<Task>& before, const std::vector<Task>& now) {
    std::vector<pid_t> smaller;
    std::vector<pid_t> changed;
    for (const Task& task : before) {
      const bool is_there =
          std::ranges::any_of(now, [&](const Task& other) { return AreOne(other, task); });
      if (is_there) continue;
      smaller.push_back(task.process);
      if (!IsLikeItsProcess(task)) changed.push_back(task.process);
    }
    const auto is_forgotten = [&](const Task& task) {
      return std::ranges::find(changed, task.process) != changed.end() ||
             (task.id == task.process && std::ranges::find(smaller, task.process) != smaller.end());
    };
    std::erase_if(known_, [&](const auto& entry) { return is_forgotten(entry.first); });
    return std::ranges::none_of(now, is_forgotten);
  }

  // What has ended was perhaps the runtime's, on its way into the container.
  void KeepOnly(const std::vector<Task>& tasks) {
    std::erase_if(known_, [&](const auto& entry) {
      return std::ranges::find(tasks, entry.first.process, &Task::process) == tasks.end();
    });
  }

  std::vector<TaskState> Take() {
    std::vector<TaskState> states;
    for (auto& [task, state] : known_) {
      if (state) states.push_back(*std::move(state));
    }
    return states;
  }

 private:
  static constexpr std::chrono::milliseconds kPatience{200};

  static bool AreOne(const Task& left, const Task& right) {
    return left.id == right.id && left.start_time == right.start_time;
  }
  // Whether the task was read, and all that was read of its process can do the same.
  [[nodiscard]] bool IsLikeItsProcess(const Task& task) const {
    const auto own =
        std::ranges::find_if(known_, [&](const auto& entry) { return AreOne(entry.first, task); });
    return own != known_.end() && own->second &&
           std::ranges::all_of(known_, [&](const auto& entry) {
             return entry.first.process != task.process || !entry.second ||
                    CanDoTheSame(*entry.second, *own->second);
           });
  }
  [[nodiscard]] bool IsKnown(const Task& task) const {
    return std::ranges::any_of(known_,
                               [&](const auto& entry) { return AreOne(entry.first, task); });
  }
  void Add(const Task& task, TaskState&& state) {
    if (!state.filters_unknown_because.empty()) {
      if (!document_) document_ = DocumentPrograms(container_);
      state.document = document_;
    }
    known_.emplace_back(task, std::move(state));
  }

  const Container& container_;
  Attach attach_;
  Clock::time_point deadline_;
  std::optional<std::vector<privilege::FilterProgram>> document_;
  std::vector<std::pair<Task, std::optional<TaskState>>> known_;  // no state: it is dead
};

bool Denies(std::uint32_t answer) {
  switch (answer & SECCOMP_RET_ACTION_FULL) {
    case SECCOMP_RET_ALLOW:
    case SECCOMP_RET_LOG:
    case SECCOMP_RET_TRACE:
    case SECCOMP_RET_USER_NOTIF:
      return false;
    default:
      return true;
  }
}

// Whether a filter denies the call without calculating: for its number, architecture and arguments
// alone, wherever it is made.
bool IsDeniedForItself(std::span<const privilege::FilterProgram> programs,
                       const seccomp_data& call) {
  return std::ranges::any_of(programs, [&](const privilege::FilterProgram& program) {
    privilege::Comparisons asked;
    return Denies(privilege::RunFilter(program, call, asked)) && asked.are_complete;
  });
}

std::string NameOfError(std::uint32_t number) {
  const char* const name = ::strerrorname_np(static_cast<int>(number));
  return name == nullptr ? "errno " + std::to_string(number) : name;
}

}  // namespace

TaskStates TaskStatesOf(const Container& container, Attach attach) {
  using Clock = TaskReader::Clock;
  constexpr int kRounds = 8;
  constexpr std::chrono::seconds kPatience(5);
  const auto deadline = Clock::now() + kPatience;
  const TaskLister lister(container);
  TaskReader reader(container, attach, deadline);
  TaskListing listing = lister.List();
  TaskStates states;
  for (int rounds_left = kRounds; rounds_left > 0; --rounds_left) {
    if (Clock::now() > deadline) {
      states.incomplete_because =
          "its tasks cannot be read in " + std::to_string(kPatience.count()) + " seconds";
      break;
    }
    const bool are_read = reader.Read(listing.tasks);
    const TaskListing before = std::exchange(listing, lister.List());
    const bool are_the_same = reader.ForgetChanged(before.tasks, listing.tasks);
    states.has_rings = states.has_rings || listing.has_rings;
    states.incomplete_because = listing.incomplete_because;
    if (!states.incomplete_because.empty()) continue;
    states.incomplete_because = before.incomplete_because;
    if (!states.incomplete_because.empty()) continue;
    if (are_read && are_the_same && reader.HasAll(listing.tasks)) break;
    states.incomplete_because = "it starts or ends tasks faster than they can be read";
  }
  if (sys::GroupStartTime(container.pid) != container.start_time) return {};
  if (states.incomplete_because.empty()) reader.KeepOnly(listing.tasks);
  for (const Task& task : listing.tasks) {
    if (states.processes.empty() || states.processes.back() != task.process) {
      states.processes.push_back(task.process);
    }
  }
  for (TaskState& state : reader.Take()) {
    const bool is_known = std::ranges::any_of(
        states.distinct, [&](const TaskState& other) { return CanDoTheSame(state, other); });
    if (!is_known) states.distinct.push_back(std::move(state));
  }
  FindOlderRings(container, states);
  return states;
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

Rings RingsOfKernel() {
  // Asked for no entry, a kernel that has rings for everybody answers EFAULT or EINVAL.
  static const Rings kRings = [] {
    if (::syscall(SYS_io_uring_setup, 0, nullptr) >= 0) return Rings::kOpen;
    if (errno == ENOSYS) return Rings::kNone;
    return errno == EPERM ? Rings::kClosed : Rings::kOpen;
  }();
  return kRings;
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
  const bool is_unknown = !task.filters_unknown_because.empty();
  if (task.credentials.seccomp_mode == 0 && !is_unknown) return Yes();
  if (task.credentials.seccomp_mode == 1) {
    return No("seccomp", "strict mode allows read, write and exit alone");
  }
  const auto call = privilege::ToSeccompData({architecture, number, arguments});
  if (!call) return Unknown("seccomp", "the architecture is not known");
  if (is_unknown) {
    std::string because = task.filters_unknown_because;
    if (task.document) {
      const bool is_allowed = privilege::RunFilters(*task.document, *call) == SECCOMP_RET_ALLOW;
      because += is_allowed ? "; the filter in its document lets it through"
                            : "; the filter in its document does not let it through";
    }
    return Unknown("seccomp", std::move(because));
  }
  const std::uint32_t answer = privilege::RunFilters(task.programs, *call);
  if (Denies(answer) && !IsDeniedForItself(task.programs, *call)) {
    return Unknown("seccomp", "a filter calculates its answer");
  }
  switch (answer & SECCOMP_RET_ACTION_FULL) {
    case SECCOMP_RET_ALLOW:
    case SECCOMP_RET_LOG:
      return Yes();
    case SECCOMP_RET_ERRNO:
      return No("seccomp", "a filter answers " + NameOfError(answer & SECCOMP_RET_DATA));
    case SECCOMP_RET_USER_NOTIF:
      return Unknown("seccomp", "a filter asks an agent");
    case SECCOMP_RET_TRACE:
      // A container's process may trace its children, and then decides.
      return Unknown("seccomp", "a filter asks a tracer");
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
