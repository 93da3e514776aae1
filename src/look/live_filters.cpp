// Reads seccomp filters out of running tasks by ptrace(2).
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <tuple>

#include <poll.h>

#include "runclad/base/unique_fd.hpp"
#include "runclad/look/filters.hpp"
#include "runclad/sys/process.hpp"

#include "proc.hpp"

namespace runclad::look {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMaxFilters = 64;  // of one task; engines and programs load one or two
constexpr std::size_t kMaxInstructions = BPF_MAXINSNS;

enum class Fault : int { kNone, kTraced, kGone, kBusy, kForbidden, kTooMany, kUnsupported };

std::string Text(Fault fault) {
  switch (fault) {
    case Fault::kNone:
      return {};
    case Fault::kTraced:
      return "another program traces the task";
    case Fault::kGone:
      return "the task has ended";
    case Fault::kBusy:
      return "the task did not stop in time";
    case Fault::kForbidden:
      return "the kernel forbids tracing it (kernel.yama.ptrace_scope, or CAP_SYS_PTRACE and "
             "CAP_SYS_ADMIN are missing)";
    case Fault::kTooMany:
      return "the task has more than " + std::to_string(kMaxFilters) + " filters";
    case Fault::kUnsupported:
      break;
  }
  return "the kernel does not hand out filters (CONFIG_CHECKPOINT_RESTORE)";
}

bool WriteAll(int fd, const void* bytes, std::size_t size) {
  const char* at = static_cast<const char*>(bytes);
  while (size > 0) {
    const ssize_t written = ::write(fd, at, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    at += written;
    size -= static_cast<std::size_t>(written);
  }
  return true;
}

// Waits until the task has stopped. The signal that it stopped for and that is to be delivered when
// it goes on; -1: it did not stop.
int AwaitStop(pid_t task, std::chrono::milliseconds patience, Fault& fault) {
  constexpr int kEventShift = 16;
  constexpr timespec kPause{.tv_sec = 0, .tv_nsec = 20'000};
  const auto deadline = Clock::now() + patience;
  for (;;) {
    int status = 0;
    const pid_t changed = ::waitpid(task, &status, __WALL | WNOHANG);
    if (changed == task && WIFSTOPPED(status)) {
      return status >> kEventShift == 0 ? WSTOPSIG(status) : 0;
    }
    if (changed != 0) {
      fault = Fault::kGone;
      return -1;
    }
    if (Clock::now() > deadline) {
      fault = Fault::kBusy;
      return -1;
    }
    ::nanosleep(&kPause, nullptr);
  }
}

Fault FaultOf(int error_number) {
  if (error_number == ESRCH) return Fault::kGone;
  if (error_number == EPERM || error_number == EACCES) return Fault::kForbidden;
  return Fault::kUnsupported;
}

// The filters of a task that has stopped; the kernel numbers them from the oldest on.
Fault Fetch(pid_t task, std::vector<privilege::FilterProgram>& programs) {
  for (std::size_t index = 0; index <= kMaxFilters; ++index) {
    const long size = ::ptrace(PTRACE_SECCOMP_GET_FILTER, task, index, nullptr);
    // EINVAL: the task has no filter at all.
    if (size < 0 && (errno == ENOENT || errno == EINVAL)) {
      std::ranges::reverse(programs);
      return Fault::kNone;
    }
    if (size < 0) return FaultOf(errno);
    if (index == kMaxFilters) return Fault::kTooMany;
    privilege::FilterProgram program(static_cast<std::size_t>(size));
    if (::ptrace(PTRACE_SECCOMP_GET_FILTER, task, index, program.data()) != size) {
      return FaultOf(errno);
    }
    programs.push_back(std::move(program));
  }
  return Fault::kNone;
}

bool IsTraced(const Task& task) {
  const UniqueFd process = OpenProcess(task.id, task.start_time);
  const auto status = process ? ReadOf(process.get(), "status") : std::nullopt;
  const auto credentials = status ? CredentialsFrom(*status) : std::nullopt;
  return credentials && credentials->tracer != 0;
}

Fault ReadTask(const Task& task, std::chrono::milliseconds patience,
               std::vector<privilege::FilterProgram>& programs) {
  // Seized, unlike attached, it gets no signal; it is stopped by the interrupt alone.
  if (::ptrace(PTRACE_SEIZE, task.id, nullptr, nullptr) != 0) {
    const Fault fault = FaultOf(errno);
    return fault == Fault::kForbidden && IsTraced(task) ? Fault::kTraced : fault;
  }
  Fault fault = Fault::kNone;
  if (sys::GroupStartTime(task.id) != task.start_time) fault = Fault::kGone;
  if (::ptrace(PTRACE_INTERRUPT, task.id, nullptr, nullptr) != 0) return FaultOf(errno);
  Fault wait_fault = Fault::kNone;
  const int signal = AwaitStop(task.id, patience, wait_fault);
  // Not stopped: it is released when this process ends.
  if (signal < 0) return wait_fault;
  if (fault == Fault::kNone) fault = Fetch(task.id, programs);
  // As long as it is stopped: a thread that was not listed could start a program in its place.
  const bool has_others = task.threads != 0 && ThreadsOf(task.process) != task.threads;
  const bool is_released = ::ptrace(PTRACE_DETACH, task.id, nullptr, signal) == 0;
  if (fault == Fault::kNone && (has_others || !is_released)) fault = Fault::kGone;
  return fault;
}

// In the child: an answer for each task, until one does not stop.
void AnswerAll(std::span<const Task> tasks, std::chrono::milliseconds patience, int report) {
  for (const Task& task : tasks) {
    std::vector<privilege::FilterProgram> programs;
    const Fault fault = ReadTask(task, patience, programs);
    const std::array<std::uint32_t, 2> head = {static_cast<std::uint32_t>(fault),
                                               static_cast<std::uint32_t>(programs.size())};
    if (!WriteAll(report, head.data(), sizeof head)) return;
    for (const privilege::FilterProgram& program : programs) {
      const auto size = static_cast<std::uint32_t>(program.size());
      if (!WriteAll(report, &size, sizeof size) ||
          !WriteAll(report, program.data(), program.size() * sizeof(sock_filter))) {
        return;
      }
    }
    // What is seized and has not stopped would stop later, with nobody to let it go on.
    if (fault == Fault::kBusy) return;
  }
}

class Answers {
 public:
  Answers(int fd, Clock::time_point deadline) : fd_(fd), deadline_(deadline) {}

  bool Read(void* bytes, std::size_t size) {
    char* at = static_cast<char*>(bytes);
    while (size > 0) {
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - Clock::now()).count();
      pollfd waiting{.fd = fd_, .events = POLLIN, .revents = 0};
      if (left <= 0 || ::poll(&waiting, 1, static_cast<int>(left)) <= 0) return false;
      const ssize_t got = ::read(fd_, at, size);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return false;
      at += got;
      size -= static_cast<std::size_t>(got);
    }
    return true;
  }

 private:
  int fd_;
  Clock::time_point deadline_;
};

struct HelperAnswer {
  TaskFilters filters;
  bool is_busy = false;  // it did not stop in time
};

bool ReadAnswer(Answers& answers, HelperAnswer& answer) {
  std::array<std::uint32_t, 2> head{};
  if (!answers.Read(head.data(), sizeof head) || head[1] > kMaxFilters) return false;
  const auto fault = static_cast<Fault>(head[0]);
  answer.is_busy = fault == Fault::kBusy;
  TaskFilters& filters = answer.filters;
  filters.has_ended = fault == Fault::kGone;
  filters.unknown_because = Text(fault);
  for (std::uint32_t i = 0; i < head[1]; ++i) {
    std::uint32_t size = 0;
    if (!answers.Read(&size, sizeof size) || size > kMaxInstructions) return false;
    privilege::FilterProgram program(size);
    if (!answers.Read(program.data(), size * sizeof(sock_filter))) return false;
    filters.programs.push_back(std::move(program));
  }
  return true;
}

// Of the first tasks; how many were answered.
std::size_t ReadSome(std::span<const Task> tasks, std::chrono::milliseconds patience,
                     std::vector<HelperAnswer>& found) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return 0;
  const UniqueFd result(ends[0]);
  UniqueFd report(ends[1]);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) return 0;
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::signal(SIGPIPE, SIG_DFL);
    if (::getppid() == parent) AnswerAll(tasks, patience, report.get());
    ::_exit(EXIT_SUCCESS);
  }
  report = UniqueFd();
  constexpr auto kMargin = std::chrono::seconds(2);
  Answers answers(result.get(), Clock::now() + kMargin + patience * static_cast<int>(tasks.size()));
  std::size_t answered = 0;
  for (const Task& task : tasks) {
    HelperAnswer answer{{task.id, {}, {}}};
    if (!ReadAnswer(answers, answer)) break;
    found.push_back(std::move(answer));
    ++answered;
  }
  // It ends by itself; one that hangs in the kernel is not waited for without a signal.
  if (answered < tasks.size()) ::kill(child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return answered;
}

// A busy processor keeps a task from stopping as the kernel does. Those that did not stop are asked
// once more, and may take ten times as long, all together.
void AskAgain(std::span<const Task> tasks, std::chrono::milliseconds patience,
              std::vector<HelperAnswer>& found) {
  constexpr int kLonger = 10;
  const auto deadline = Clock::now() + patience * kLonger;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (!found[i].is_busy) continue;
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) return;
    std::vector<HelperAnswer> again;
    if (ReadSome(tasks.subspan(i, 1), left, again) == 1) found[i] = std::move(again.front());
  }
}

}  // namespace

std::size_t ThreadsOf(pid_t process) {
  // The kernel counts a directory for each (proc_task_getattr).
  constexpr nlink_t kOwnLinks = 2;
  struct stat status {};
  const std::string path = "/proc/" + std::to_string(process) + "/task";
  if (::stat(path.c_str(), &status) != 0 || status.st_nlink < kOwnLinks) return 0;
  return status.st_nlink - kOwnLinks;
}

std::vector<TaskFilters> ReadFilters(std::span<const Task> tasks,
                                     std::chrono::milliseconds patience,
                                     std::chrono::steady_clock::time_point deadline) {
  std::vector<HelperAnswer> answers;
  for (std::span<const Task> rest = tasks; !rest.empty();) {
    const bool is_late = Clock::now() > deadline;
    std::size_t answered = is_late ? 0 : ReadSome(rest, patience, answers);
    if (answered == 0) {
      answers.push_back({{rest.front().id, {}, "its filters could not be read"}});
      answered = 1;
    }
    rest = rest.subspan(answered);
  }
  if (Clock::now() <= deadline) AskAgain(tasks, patience, answers);
  std::vector<TaskFilters> found;
  for (HelperAnswer& answer : answers) found.push_back(std::move(answer.filters));
  return found;
}

}  // namespace runclad::look
