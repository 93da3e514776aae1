#include "runclad/sys/pipe.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include <poll.h>

#include "runclad/sys/file.hpp"

namespace runclad::sys {
namespace {

using std::chrono::steady_clock;

// Waits until there are bytes or the last writer has closed its end; false: neither in time.
Result<bool> Wait(int fd, steady_clock::time_point deadline) {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now());
    if (left.count() <= 0) return false;
    pollfd waiting = {.fd = fd, .events = POLLIN, .revents = 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(left.count()));
    if (ready < 0 && errno != EINTR) return SystemError("waiting for the pipe failed", errno);
    // POLLHUP comes only when there has been a writer.
    if (ready > 0) return true;
  }
}

Result<std::string> ReadPipe(int fd, std::size_t max_bytes, std::chrono::milliseconds limit) {
  const auto deadline = steady_clock::now() + limit;
  std::string bytes;
  std::array<char, 4096> buffer;
  while (true) {
    const auto is_ready = Wait(fd, deadline);
    if (!is_ready) return is_ready.error();
    if (!*is_ready) {
      return Error{"a pipe that was not closed within " +
                   std::to_string(std::chrono::ceil<std::chrono::seconds>(limit).count()) + " s"};
    }
    const ssize_t size = ::read(fd, buffer.data(), buffer.size());
    if (size < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (size < 0) return SystemError("reading the pipe failed", errno);
    if (size == 0) return bytes;
    bytes.append(buffer.data(), static_cast<std::size_t>(size));
    if (bytes.size() > max_bytes) {
      return Error{"larger than the " + std::to_string(max_bytes) + " bytes allowed"};
    }
  }
}

}  // namespace

Result<Input> ReadFileOrPipe(int fd, std::size_t max_bytes, std::chrono::milliseconds limit) {
  struct stat status {};
  const bool is_pipe = ::fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode);
  auto bytes = is_pipe ? ReadPipe(fd, max_bytes, limit) : ReadRegularFile(fd, max_bytes);
  if (!bytes) return bytes.error();
  return Input{*std::move(bytes), is_pipe};
}

}  // namespace runclad::sys
