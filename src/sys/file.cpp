#include "runclad/sys/file.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include "runclad/sys/directory.hpp"

namespace runclad::sys {
namespace {

// For kernels before 5.6 and for valgrind, which lack openat2.
Result<UniqueFd> WalkWithoutLinks(int dir_fd, const std::string& path, int flags) {
  const std::string_view rest = path;
  UniqueFd directory;
  int at = dir_fd;
  if (rest.starts_with('/')) {
    directory = UniqueFd(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
    at = directory.get();
  }
  std::size_t begin = rest.find_first_not_of('/');
  while (begin != std::string_view::npos) {
    const std::size_t end = rest.find('/', begin);
    const std::size_t next_begin = rest.find_first_not_of('/', end);
    const bool is_last = next_begin == std::string_view::npos;
    const std::string component(rest.substr(begin, end - begin));
    const int open_flags = is_last ? flags : O_PATH | O_DIRECTORY;
    UniqueFd next(::openat(at, component.c_str(), open_flags | O_NOFOLLOW | O_CLOEXEC));
    if (!next) return SystemError(path + " cannot be opened", errno);
    struct stat status {};
    // O_PATH with O_NOFOLLOW opens the link itself.
    if (::fstat(next.get(), &status) == 0 && S_ISLNK(status.st_mode)) {
      return SystemError(path + " cannot be opened", ELOOP);
    }
    if (is_last) return next;
    directory = std::move(next);
    at = directory.get();
    begin = next_begin;
  }
  UniqueFd itself(::openat(at, path.empty() ? "." : path.c_str(), flags | O_CLOEXEC));
  if (!itself) return SystemError(path + " cannot be opened", errno);
  return itself;
}

// A file in /proc, which does not say its size: a page at a time, which is not cleared before.
Result<std::string> ReadToEnd(int fd, std::size_t max_bytes, const Error& too_large) {
  std::string bytes;
  char page[4096];
  while (true) {
    const ssize_t got = ::read(fd, page, sizeof page);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return SystemError("cannot be read", errno);
    if (got == 0) return bytes;
    bytes.append(page, static_cast<std::size_t>(got));
    if (bytes.size() > max_bytes) return too_large;
  }
}

Status WriteAll(int fd, std::string_view bytes, const std::string& name) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemError(name + " cannot be written", errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

}  // namespace

Result<UniqueFd> OpenWithoutLinks(int dir_fd, const std::string& path, int flags) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  const long fd = ::syscall(SYS_openat2, dir_fd, path.c_str(), &how, sizeof how);
  if (fd >= 0) return UniqueFd(static_cast<int>(fd));
  if (errno == ENOSYS) return WalkWithoutLinks(dir_fd, path, flags);
  return SystemError(path + " cannot be opened", errno);
}

Result<UniqueFd> OpenDirectory(const std::string& path) {
  UniqueFd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return SystemError("the directory " + path + " cannot be opened", errno);
  return directory;
}

Result<std::string> ReadRegularFile(int fd, std::size_t max_bytes) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return SystemError("cannot be examined", errno);
  if (!S_ISREG(status.st_mode)) return Error{"not a regular file"};
  const Error too_large{"larger than the " + std::to_string(max_bytes) + " bytes allowed"};
  if (static_cast<std::uint64_t>(status.st_size) > max_bytes) return too_large;
  if (status.st_size == 0) return ReadToEnd(fd, max_bytes, too_large);
  // Until the end, whatever the size said: one byte more finds it.
  std::string bytes(static_cast<std::size_t>(status.st_size) + 1, '\0');
  std::size_t filled = 0;
  while (true) {
    if (filled > max_bytes) return too_large;
    if (filled == bytes.size()) bytes.resize(bytes.size() * 2);
    const ssize_t got = ::read(fd, bytes.data() + filled, bytes.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return SystemError("cannot be read", errno);
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  bytes.resize(filled);
  return bytes;
}

std::string WhyUntrusted(const struct stat& status) {
  if (status.st_uid != 0 && status.st_uid != ::geteuid()) {
    return "owned by uid " + std::to_string(status.st_uid) + ", not by root";
  }
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) return "writable by others than its owner";
  return {};
}

Result<std::optional<UniqueFd>> OpenTrusted(int dir_fd, std::string_view path) {
  UniqueFd at;
  for (std::size_t start = 0; start < path.size();) {
    const std::size_t end = std::min(path.find('/', start), path.size());
    const std::string name(path.substr(start, end - start));
    const std::string title(path.substr(0, end));
    if (name.empty() || name == "." || name == "..")
      return Error{title + " contains an empty, \".\" or \"..\" component"};
    // O_NONBLOCK: opening a FIFO must not block.
    const int kind = end == path.size() ? O_NOCTTY : O_DIRECTORY;
    UniqueFd next(::openat(at ? at.get() : dir_fd, name.c_str(),
                           O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | kind));
    if (!next && errno == ENOENT) return std::optional<UniqueFd>();
    if (!next) return SystemError(title + " cannot be opened", errno);
    struct stat status {};
    if (::fstat(next.get(), &status) != 0) return SystemError(title + " cannot be examined", errno);
    if (std::string why = WhyUntrusted(status); !why.empty()) {
      return Error{title + why.insert(0, " is ")};
    }
    at = std::move(next);
    start = end + 1;
  }
  if (!at) return Error{"an empty path does not name a file"};
  return std::optional<UniqueFd>(std::move(at));
}

Result<std::string> ReadTrustedFile(int dir_fd, const std::string& name, std::size_t max_bytes) {
  // O_NONBLOCK: opening a FIFO must not block.
  const auto file = OpenWithoutLinks(dir_fd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!file) return file.error();
  struct stat status {};
  if (::fstat(file->get(), &status) != 0) return SystemError(name + " cannot be examined", errno);
  if (const std::string why = WhyUntrusted(status); !why.empty()) {
    return Error{name + " is " + why};
  }
  auto bytes = ReadRegularFile(file->get(), max_bytes);
  if (!bytes) return bytes.error().In(name);
  return bytes;
}

Status ReplaceFile(int dir_fd, const std::string& name, std::string_view bytes, mode_t mode,
                   uid_t owner, gid_t group) {
  // Without `name`, which may be as long as a name can be.
  const std::string temporary = std::string(kTemporaryPrefix) + std::to_string(::getpid());
  const auto create = [&] {
    return UniqueFd(::openat(dir_fd, temporary.c_str(),
                             O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR));
  };
  UniqueFd file = create();
  if (!file && errno == EEXIST) {  // left by a process of the same number that died
    if (::unlinkat(dir_fd, temporary.c_str(), 0) != 0) {
      RemoveEmptyDirectories("/proc/self/fd/" + std::to_string(dir_fd) + '/' + temporary);
    }
    file = create();
  }
  if (!file) return SystemError(name + " cannot be replaced", errno);
  Status is_replaced = [&]() -> Status {
    if (auto written = WriteAll(file.get(), bytes, name); !written) return written;
    if (owner != ::geteuid() || group != ::getegid()) {
      if (::fchown(file.get(), owner, group) != 0) {
        return SystemError(name + " cannot be given its previous owner", errno);
      }
    }
    if (::fchmod(file.get(), mode) != 0)
      return SystemError(name + " cannot be given its previous mode", errno);
    // No fsync: the rename makes the change visible whole or not at all, and no container of
    // this boot outlives a power cut (fsync would cost 350 µs on every start).
    const auto rename = [&] {
      return ::renameat(dir_fd, temporary.c_str(), dir_fd, name.c_str()) == 0;
    };
    if (rename()) return {};
    // A user of dockerd can have had a directory made there.
    const int fault = errno;
    const bool is_free =
        fault == EISDIR &&
        RemoveEmptyDirectories("/proc/self/fd/" + std::to_string(dir_fd) + '/' + name);
    return is_free && rename() ? Status() : SystemError(name + " cannot be replaced", fault);
  }();
  if (!is_replaced) ::unlinkat(dir_fd, temporary.c_str(), 0);
  return is_replaced;
}

Result<UniqueFd> SealedMemory(const char* name, std::string_view bytes, int lowest_fd) {
  const UniqueFd memory(::memfd_create(name, MFD_ALLOW_SEALING | MFD_CLOEXEC));
  if (!memory) return SystemError("an anonymous file cannot be created", errno);
  if (auto written = WriteAll(memory.get(), bytes, "an anonymous file"); !written) {
    return written.error();
  }
  if (::lseek(memory.get(), 0, SEEK_SET) != 0 ||
      ::fcntl(memory.get(), F_ADD_SEALS,
              F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0) {
    return SystemError("an anonymous file cannot be sealed", errno);
  }
  UniqueFd inherited(::fcntl(memory.get(), F_DUPFD, lowest_fd));
  if (!inherited) return SystemError("no free file descriptor", errno);
  return inherited;
}

}  // namespace runclad::sys
