#include "runclad/sys/process.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>

#include <spawn.h>

#include "runclad/base/unique_fd.hpp"
#include "runclad/sys/file.hpp"

#include "pointers.hpp"

namespace runclad::sys {
namespace {

Error NotExecuted(const std::string& path, int error_number) {
  return SystemError("the lower runtime " + path + " cannot be executed", error_number);
}

}  // namespace

namespace {

// `of_group`: of the process as a whole.
std::optional<std::uint64_t> StartTime(pid_t pid, bool of_group) {
  constexpr std::size_t kMaxBytes = 4096;
  const std::string path = "/proc/" + std::to_string(pid) + "/stat";
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return std::nullopt;
  const auto text = ReadRegularFile(file.get(), kMaxBytes);
  if (!text) return std::nullopt;
  // Field 2 is the program's name in brackets and may itself hold brackets and blanks.
  std::size_t at = text->rfind(')');
  if (at == std::string::npos) return std::nullopt;
  if (at + 2 >= text->size()) return std::nullopt;
  const char state = (*text)[at + 2];
  const bool has_ended = state == 'Z' || state == 'X' || state == 'x';
  constexpr int kFieldsFromNameToThreads = 18;
  constexpr int kFieldsFromNameToStartTime = 20;
  for (int field = 0; field < kFieldsFromNameToStartTime; ++field) {
    at = text->find(' ', at + 1);
    if (at == std::string::npos) return std::nullopt;
    if (!has_ended || field + 1 != kFieldsFromNameToThreads) continue;
    // How many threads it has; none, where it is being removed.
    const std::string_view threads = std::string_view(*text).substr(at, 3);
    if (!of_group || threads == " 1 " || threads == " 0 ") return std::nullopt;
  }
  std::uint64_t ticks = 0;
  const auto [end, fault] =
      std::from_chars(text->data() + at + 1, text->data() + text->size(), ticks);
  if (fault != std::errc()) return std::nullopt;
  return ticks;
}

}  // namespace

std::optional<std::uint64_t> StartTime(pid_t pid) { return StartTime(pid, /*of_group=*/false); }

std::optional<std::uint64_t> GroupStartTime(pid_t pid) { return StartTime(pid, /*of_group=*/true); }

bool RunsAsRoot(const std::string& process) {
  constexpr std::size_t kMaxBytes = 16384;
  const UniqueFd file(::open((process + "/status").c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return false;
  const auto status = ReadRegularFile(file.get(), kMaxBytes);
  return status && status->find("\nUid:\t0\t0\t0\t0\n") != std::string::npos;
}

void KeepStandardStreams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(stream, F_GETFD) >= 0 || errno != EBADF) continue;
    // The lowest number that is free is the stream's; it stays open in the program that we become.
    if (::open("/dev/null", O_RDWR | O_NOCTTY) < 0) ::open("/", O_PATH);  // NOLINT(*-cloexec)
  }
}

SignalAction::SignalAction(int signal, void (*handler)(int)) : signal_(signal) {
  struct sigaction action {};
  action.sa_handler = handler;
  ::sigaction(signal_, &action, &before_);
}

SignalAction::~SignalAction() { ::sigaction(signal_, &before_, nullptr); }

Error Exec(const std::string& path, const std::vector<std::string>& argv) {
  ::execv(path.c_str(), Pointers(argv).data());
  return NotExecuted(path, errno);
}

Result<int> RunAndWait(const std::string& path, const std::vector<std::string>& argv) {
  // A caller that ignores SIGCHLD would leave us without the status.
  const SignalAction sigchld(SIGCHLD, SIG_DFL);
  pid_t child = 0;
  const int fault =
      ::posix_spawn(&child, path.c_str(), nullptr, nullptr, Pointers(argv).data(), environ);
  if (fault != 0) return NotExecuted(path, fault);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return SystemError(path + " cannot be waited for", errno);
  }
  constexpr int kSignalled = 128;
  return WIFEXITED(status) ? WEXITSTATUS(status) : kSignalled + WTERMSIG(status);
}

}  // namespace runclad::sys
