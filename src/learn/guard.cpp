#include "guard.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include <poll.h>

#include "runclad/base/unique_fd.hpp"

namespace runclad::learn {
namespace {

// Whoever reads the learner's output must not wait for this process.
void LeaveStreams() {
  const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (const int stream : std::array{STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (nothing >= 0) ::dup2(nothing, stream);
  }
}

}  // namespace

Guard::Guard(const std::function<void()>& clean_up) {
  // Readable once the process has closed all its files.
  const UniqueFd self(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)));
  if (!self) return;
  process_ = ::fork();
  if (process_ != 0) return;
  ::setsid();
  LeaveStreams();
  pollfd ended{self.get(), POLLIN, 0};
  while (::poll(&ended, 1, -1) < 0 && errno == EINTR) {
  }
  if ((ended.revents & POLLIN) != 0) clean_up();
  ::_exit(0);
}

Guard::~Guard() {
  if (process_ <= 0) return;
  ::kill(process_, SIGKILL);
  while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace runclad::learn
