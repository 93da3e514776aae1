#include "runclad/sys/unix_socket.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <cstring>

#include "runclad/base/unique_fd.hpp"
#include "runclad/sys/file.hpp"

namespace runclad::sys {
namespace {

// Through the descriptor: sun_path has room for 107 bytes, a path may be longer.
bool Connect(int client, int file) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = "/proc/self/fd/" + std::to_string(file);
  path.copy(static_cast<char*>(address.sun_path), sizeof address.sun_path - 1);
  // NOLINTNEXTLINE(*-reinterpret-cast): how the socket calls take addresses
  return ::connect(client, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

// Both may be refused: the link of a process that we may not trace, the other one never.
std::string ProgramOf(pid_t pid) {
  const std::string directory = "/proc/" + std::to_string(pid);
  std::array<char, PATH_MAX> target;
  const ssize_t size = ::readlink((directory + "/exe").c_str(), target.data(), target.size());
  if (size > 0) {
    const std::string_view path(target.data(), static_cast<std::size_t>(size));
    return std::string(path.substr(path.rfind('/') + 1));
  }
  constexpr std::size_t kMaxBytes = 64;
  const UniqueFd file(::open((directory + "/comm").c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return {};
  auto name = ReadRegularFile(file.get(), kMaxBytes);
  if (!name) return {};
  if (name->ends_with('\n')) name->pop_back();
  return *std::move(name);
}

}  // namespace

std::string ListenerOf(const Located& socket) {
  const auto file = OpenWithoutLinks(AT_FDCWD, socket.path, O_PATH);
  struct stat status {};
  if (!file || ::fstat(file->get(), &status) != 0 ||
      socket.inode != Inode{.device = status.st_dev, .number = status.st_ino}) {
    return {};
  }
  for (const int type : {SOCK_STREAM, SOCK_SEQPACKET}) {
    const UniqueFd client(::socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!client || !Connect(client.get(), file->get())) continue;
    ucred listener{};  // who called listen(2)
    socklen_t size = sizeof listener;
    if (::getsockopt(client.get(), SOL_SOCKET, SO_PEERCRED, &listener, &size) != 0) return {};
    return ProgramOf(listener.pid);
  }
  return {};
}

}  // namespace runclad::sys
