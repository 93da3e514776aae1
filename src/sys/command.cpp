#include "runclad/sys/command.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string_view>

#include <poll.h>
#include <spawn.h>

#include "runclad/base/unique_fd.hpp"

#include "pointers.hpp"

namespace runclad::sys {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMaxOutputBytes = std::size_t{64} << 20U;

struct Pipe {
  UniqueFd reader;
  UniqueFd writer;
};

Result<Pipe> OpenPipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return SystemError("a pipe cannot be opened", errno);
  return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

// The actions and attributes of posix_spawn(3), released with it.
class Spawn {
 public:
  Spawn(const std::string& input, int out, int err) {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, input.c_str(), O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions_, out, STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions_, err, STDERR_FILENO);
    ::posix_spawnattr_init(&attributes_);
    // A group of its own, so that its children end with it if it takes too long.
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETPGROUP);
  }
  ~Spawn() {
    ::posix_spawnattr_destroy(&attributes_);
    ::posix_spawn_file_actions_destroy(&actions_);
  }
  Spawn(const Spawn&) = delete;
  Spawn& operator=(const Spawn&) = delete;

  // Zero, or the errno value.
  int Start(const std::vector<char*>& argv, const std::vector<char*>& environment, pid_t& child) {
    return ::posix_spawnp(&child, argv[0], &actions_, &attributes_, argv.data(),
                          environment.data());
  }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

std::vector<std::string> Environment(
    const std::vector<std::pair<std::string, std::string>>& added) {
  std::vector<std::string> environment;
  for (const auto& [name, value] : added) environment.push_back(name + "=" + value);
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view variable = *entry;
    bool is_replaced = false;
    for (const auto& [name, value] : added) is_replaced |= variable.starts_with(name + "=");
    if (!is_replaced) environment.emplace_back(variable);
  }
  return environment;
}

// Reads what is there; false at the end of the output.
bool ReadSome(int fd, std::string& text) {
  std::array<char, 65536> buffer{};
  const ssize_t got = ::read(fd, buffer.data(), buffer.size());
  if (got < 0) return errno == EINTR || errno == EAGAIN;
  if (text.size() < kMaxOutputBytes) text.append(buffer.data(), static_cast<std::size_t>(got));
  return got > 0;
}

// Until both outputs have ended; false if that takes too long.
bool ReadBoth(const Pipe& out, const Pipe& err, Clock::time_point deadline, CommandOutput& output) {
  std::array<pollfd, 2> fds = {pollfd{out.reader.get(), POLLIN, 0},
                               pollfd{err.reader.get(), POLLIN, 0}};
  while (fds[0].fd >= 0 || fds[1].fd >= 0) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) return false;
    if (::poll(fds.data(), fds.size(), static_cast<int>(left.count())) < 0) continue;
    if (fds[0].revents != 0 && !ReadSome(fds[0].fd, output.out)) fds[0].fd = -1;
    if (fds[1].revents != 0 && !ReadSome(fds[1].fd, output.err)) fds[1].fd = -1;
  }
  return true;
}

int WaitFor(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return -1;
  }
  constexpr int kSignalled = 128;
  return WIFEXITED(status) ? WEXITSTATUS(status) : kSignalled + WTERMSIG(status);
}

}  // namespace

Result<CommandOutput> RunCommand(const std::vector<std::string>& argv,
                                 const CommandOptions& options) {
  auto out = OpenPipe();
  if (!out) return out.error();
  auto err = OpenPipe();
  if (!err) return err.error();
  const std::vector<std::string> environment = Environment(options.environment);
  pid_t child = -1;
  const int fault = Spawn(options.input, out->writer.get(), err->writer.get())
                        .Start(Pointers(argv), Pointers(environment), child);
  if (fault != 0) return SystemError(argv[0] + " cannot be started", fault);
  out->writer = UniqueFd();
  err->writer = UniqueFd();
  CommandOutput output;
  if (!ReadBoth(*out, *err, Clock::now() + options.limit, output)) {
    ::kill(-child, SIGKILL);
    WaitFor(child);
    return Error{argv[0] + " did not end within " + std::to_string(options.limit.count()) +
                 " seconds"};
  }
  output.status = WaitFor(child);
  return output;
}

std::string FindInPath(const std::string& name) {
  const char* value = ::getenv("PATH");  // NOLINT(concurrency-mt-unsafe)
  std::string_view rest = value != nullptr ? value : "/usr/sbin:/usr/bin:/sbin:/bin";
  while (!rest.empty()) {
    const std::size_t end = rest.find(':');
    const std::string path = std::string(rest.substr(0, end)) + "/" + name;
    if (path.starts_with('/') && ::access(path.c_str(), X_OK) == 0) return path;
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  }
  return {};
}

}  // namespace runclad::sys
