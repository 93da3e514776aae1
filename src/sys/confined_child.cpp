#include "runclad/sys/confined_child.hpp"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <exception>
#include <new>
#include <string_view>

#include <grp.h>
#include <poll.h>

#include "runclad/base/sanitizers.hpp"
#include "runclad/base/unique_fd.hpp"
#include "runclad/sys/process.hpp"

#include "compute_only_filter.hpp"

namespace runclad::sys {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kOutput = 0;
constexpr int kNotUnderstood = 3;
constexpr int kNotConfined = 4;

bool Limit(int resource, rlim_t value) {
  const rlimit limit{value, value};
  return ::setrlimit(static_cast<__rlimit_resource>(resource), &limit) == 0;
}

bool LimitResources(const ConfinedLimits& limits) {
#if !defined(RUNCLAD_UNDER_ASAN)  // whose shadow is larger than any limit
  if (!Limit(RLIMIT_AS, limits.memory_bytes)) return false;
#endif
  return Limit(RLIMIT_CPU, limits.cpu_seconds) && Limit(RLIMIT_NOFILE, 0) &&
         Limit(RLIMIT_FSIZE, 0) && Limit(RLIMIT_CORE, 0) && Limit(RLIMIT_NPROC, 0);
}

bool DropAuthority() {
  constexpr unsigned kNobody = 65534;
  if (::geteuid() == 0 &&
      (::setgroups(0, nullptr) != 0 || ::setresgid(kNobody, kNobody, kNobody) != 0 ||
       ::setresuid(kNobody, kNobody, kNobody) != 0)) {
    return false;
  }
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> none{};
  return ::syscall(SYS_capset, &header, none.data()) == 0 &&
         ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

bool WriteAll(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(kOutput, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

[[noreturn]] void Work(int input, std::size_t size, int output, const ConfinedWork& work,
                       const ConfinedLimits& limits) {
  // Mapped, not read: of a large file, only the accessed pages are loaded.
  void* const content = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, input, 0);
  const bool is_confined =
      content != MAP_FAILED && (output == kOutput || ::dup2(output, kOutput) == kOutput) &&
      // Before Linux 5.9 they stay open, and no call is left that would take them.
      (::syscall(SYS_close_range, kOutput + 1, ~0U, 0) == 0 || errno == ENOSYS) &&
      DropAuthority() &&
      // Not earlier: a change of the user takes it back.
      ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 && LimitResources(limits) &&
      AllowOnlyComputing(kOutput);
  if (!is_confined) ::_exit(kNotConfined);
  std::set_new_handler(nullptr);  // the program's own way to end without memory is the parent's
  try {
    const auto answer = work({static_cast<char*>(content), size});
    ::_exit(answer && WriteAll(*answer) ? 0 : kNotUnderstood);
  } catch (const std::exception&) {  // no memory
    ::_exit(kNotUnderstood);
  }
}

// Until the child closes its end.
Result<std::string> ReadAnswer(int pipe, const ConfinedLimits& limits) {
  const auto deadline = Clock::now() + std::chrono::seconds(limits.seconds);
  std::string answer;
  while (true) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) {
      return Error{"parsing it took longer than " + std::to_string(limits.seconds) + " s"};
    }
    pollfd wanted{.fd = pipe, .events = POLLIN, .revents = 0};
    if (::poll(&wanted, 1, static_cast<int>(left.count())) <= 0) continue;
    std::array<char, 65536> chunk;
    const ssize_t got = ::read(pipe, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return SystemError("reading the parser's answer failed", errno);
    if (got == 0) return answer;
    answer.append(chunk.data(), static_cast<std::size_t>(got));
    if (answer.size() > limits.max_output_bytes) return Error{"its content exceeds the limit"};
  }
}

Status WhyEnded(int status) {
  if (WIFSIGNALED(status)) {
    return Error{"the parser was killed by signal " + std::to_string(WTERMSIG(status))};
  }
  switch (WEXITSTATUS(status)) {
    case 0:
      return {};
    case kNotConfined:
      return Error{"the parser cannot be sandboxed"};
    default:
      return Error{"it is damaged or in an unknown format"};
  }
}

}  // namespace

Result<std::string> RunConfined(int input, const ConfinedWork& work, const ConfinedLimits& limits) {
  struct stat file {};
  if (::fstat(input, &file) != 0) return SystemError("it cannot be examined", errno);
  if (!S_ISREG(file.st_mode)) return Error{"it is not a regular file"};
  if (file.st_size == 0) return Error{"it is empty"};
  const auto size = static_cast<std::size_t>(file.st_size);
  if (size > limits.max_input_bytes) {
    return Error{"it is larger than the " + std::to_string(limits.max_input_bytes) +
                 " bytes allowed"};
  }
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return SystemError("a pipe cannot be created", errno);
  const UniqueFd here(ends[0]);
  UniqueFd there(ends[1]);
  // Where a caller ignores SIGCHLD the kernel keeps no status to wait for.
  const SignalAction sigchld(SIGCHLD, SIG_DFL);
  const pid_t child = ::fork();
  if (child < 0) return SystemError("a process cannot be created", errno);
  if (child == 0) Work(input, size, there.get(), work, limits);
  there = UniqueFd();
  auto answer = ReadAnswer(here.get(), limits);
  if (!answer) ::kill(child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return SystemError("waiting for the parser failed", errno);
  }
  if (!answer) return answer;
  if (auto ended = WhyEnded(status); !ended) return ended.error();
  return answer;
}

}  // namespace runclad::sys
