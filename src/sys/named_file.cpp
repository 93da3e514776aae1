#include "runclad/sys/named_file.hpp"

#include <fcntl.h>

#include <cerrno>
#include <utility>

#include "runclad/base/unique_fd.hpp"
#include "runclad/sys/file.hpp"

namespace runclad::sys {

Result<std::string> ReadFile(const std::string& path, std::size_t max_bytes) {
  // O_NONBLOCK: opening a FIFO must not block.
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file) return SystemError(path + " cannot be opened", errno);
  auto bytes = ReadRegularFile(file.get(), max_bytes);
  if (!bytes) return bytes.error().In(path);
  return bytes;
}

std::string ContentOf(const std::string& path) {
  constexpr std::size_t kMaxBytes = std::size_t{64} << 20U;
  auto bytes = ReadFile(path, kMaxBytes);
  return bytes ? *std::move(bytes) : std::string();
}

}  // namespace runclad::sys
