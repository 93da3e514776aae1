#include "log_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <string>
#include <vector>

#include "runclad/base/time.hpp"
#include "runclad/base/unique_fd.hpp"
#include "runclad/sys/directory.hpp"

namespace runclad::enforce {
namespace {

constexpr int kTries = 20;
constexpr timespec kPause = {.tv_sec = 0, .tv_nsec = 200'000};

// What an operator can do about a log file that cannot be opened or does not take a line.
std::string_view HintFor(int error_number, const struct stat& status) {
  if (S_ISDIR(status.st_mode)) return ": it is a directory; name a file in it";
  if (S_ISLNK(status.st_mode)) {
    return ": it is a symbolic link, which is not followed; name the file itself";
  }
  if (S_ISFIFO(status.st_mode)) return ": it is a FIFO, and its reader is absent or does not read";
  if (S_ISSOCK(status.st_mode)) return ": it is a socket; name a file, \"journald\" or \"syslog\"";
  if (error_number == ENOENT) return ": its directory does not exist; create it";
  if (error_number == ENOSPC || error_number == EDQUOT) return ": its disk is full";
  if (error_number == EFBIG) return ": it has reached the caller's size limit (RLIMIT_FSIZE)";
  return "";
}

Error FileError(const std::string& path, std::string_view what, int error_number) {
  struct stat status {};
  ::lstat(path.c_str(), &status);
  const std::string hint(HintFor(error_number, status));
  return SystemError("the log " + path + " " + std::string(what) + hint, error_number);
}

Result<UniqueFd> OpenFile(const std::string& path) {
  constexpr int kFlags =
      O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK | O_CLOEXEC;
  UniqueFd file(::open(path.c_str(), kFlags, S_IRUSR | S_IWUSR));
  if (!file && errno == ENOENT) {
    const std::string directory = path.substr(0, path.rfind('/'));
    ::mkdir(directory.c_str(), S_IRWXU);
    file = UniqueFd(::open(path.c_str(), kFlags, S_IRUSR | S_IWUSR));
  }
  if (!file && errno == EISDIR && sys::RemoveEmptyDirectories(path)) {
    file = UniqueFd(::open(path.c_str(), kFlags, S_IRUSR | S_IWUSR));
  }
  if (!file) return FileError(path, "cannot be opened", errno);
  return file;
}

bool IsAt(const std::string& path, const struct stat& status) {
  return LogFileAt(path).inode == sys::Inode{.device = status.st_dev, .number = status.st_ino};
}

// The file, which is not removed while the descriptor is open, even if it is moved aside meanwhile.
// Another program that locks it is not waited for.
Result<UniqueFd> OpenAndHold(const std::string& path) {
  for (int tries_left = kTries;; --tries_left) {
    auto file = OpenFile(path);
    if (!file || tries_left == 0) return file;
    struct stat status {};
    if (::fstat(file->get(), &status) != 0 || !S_ISREG(status.st_mode)) return file;
    if (::flock(file->get(), LOCK_SH | LOCK_NB) != 0) {
      ::nanosleep(&kPause, nullptr);
    } else if (IsAt(path, status)) {
      return file;
    }
  }
}

// Why the last write did not take everything: the disk is full, or the file has as many bytes as
// the caller may write.
int WhyCutOff(int file) {
  rlimit limit{};
  const off_t end = ::lseek(file, 0, SEEK_CUR);
  const bool is_limited = ::getrlimit(RLIMIT_FSIZE, &limit) == 0 &&
                          limit.rlim_cur != RLIM_INFINITY && end >= 0 &&
                          static_cast<rlim_t>(end) >= limit.rlim_cur;
  return is_limited ? EFBIG : ENOSPC;
}

// Takes the part of a line that a full disk accepted out again, so that the next line does not
// continue it. Where others have appended meanwhile, a newline ends it.
void TakeBack(int file, ssize_t written) {
  const off_t end = ::lseek(file, 0, SEEK_CUR);
  struct stat status {};
  if (::flock(file, LOCK_EX | LOCK_NB) == 0 && ::fstat(file, &status) == 0 &&
      status.st_size == end && ::ftruncate(file, end - written) == 0) {
    return;
  }
  [[maybe_unused]] const ssize_t ended = ::write(file, "\n", 1);
}

// "20261126T180530.000042Z"
std::string Stamp() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  constexpr long kNanosecondsPerMicrosecond = 1000;
  std::string stamp = FormatTime(now.tv_sec, now.tv_nsec / kNanosecondsPerMicrosecond);
  std::erase_if(stamp, [](char c) { return c == '-' || c == ':'; });
  return stamp;
}

bool IsStamp(std::string_view text) {
  constexpr std::string_view kForm = "00000000T000000.000000Z";
  return std::ranges::equal(text, kForm, [](char c, char form) {
    return form == '0' ? c >= '0' && c <= '9' : c == form;
  });
}

void RemoveOldest(const std::string& path, std::int64_t keep) {
  const std::size_t slash = path.rfind('/');
  const std::string prefix = path.substr(slash + 1) + '-';
  const UniqueFd directory(
      ::open(path.substr(0, slash + 1).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return;
  std::vector<std::string> rotated;
  sys::VisitEntries(directory.get(), [&](const dirent& entry) {
    const std::string_view name = static_cast<const char*>(entry.d_name);
    if (name.starts_with(prefix) && IsStamp(name.substr(prefix.size()))) rotated.emplace_back(name);
    return true;
  });
  std::ranges::sort(rotated, std::greater());
  for (std::size_t i = static_cast<std::size_t>(keep); i < rotated.size(); ++i) {
    // Not one that a process still holds: its line would be lost.
    const UniqueFd file(::openat(directory.get(), rotated[i].c_str(),
                                 O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (!file || ::flock(file.get(), LOCK_EX | LOCK_NB) != 0) continue;
    ::unlinkat(directory.get(), rotated[i].c_str(), 0);
  }
}

// Whether this process is the one that moves the file aside. Apart from the locks of those that
// write to it (flock): they may go on, under its new name.
bool MayRotate(int file) {
  struct flock whole {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  return ::fcntl(file, F_OFD_SETLK, &whole) == 0;
}

void Rotate(const std::string& path, int file, const Rotation& rotation) {
  struct stat status {};
  if (::fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) return;
  if (status.st_size < rotation.max_bytes) return;
  if (!MayRotate(file) || !IsAt(path, status)) return;
  const std::string aside = path + '-' + Stamp();
  constexpr unsigned kNoReplace = 1;  // RENAME_NOREPLACE
  if (::syscall(SYS_renameat2, AT_FDCWD, path.c_str(), AT_FDCWD, aside.c_str(), kNoReplace) != 0) {
    return;
  }
  // At once, so that dockerd cannot be made to create a directory of this name.
  const UniqueFd next(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                             S_IRUSR | S_IWUSR));
  RemoveOldest(path, rotation.keep);
}

}  // namespace

LogFile LogFileAt(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return {};
  return {.inode = {.device = status.st_dev, .number = status.st_ino},
          .size = static_cast<std::uint64_t>(status.st_size)};
}

Status AppendToLog(const std::string& path, std::string_view line, const Rotation& rotation) {
  const auto file = OpenAndHold(path);
  if (!file) return file.error();
  char newline = '\n';
  // NOLINTNEXTLINE(*-const-cast): writev reads only
  std::array<iovec, 2> parts = {{{const_cast<char*>(line.data()), line.size()}, {&newline, 1}}};
  const ssize_t written = ::writev(file->get(), parts.data(), static_cast<int>(parts.size()));
  if (written < 0) return FileError(path, "cannot be written", errno);
  if (static_cast<std::size_t>(written) != line.size() + 1) {
    const int why = WhyCutOff(file->get());
    TakeBack(file->get(), written);
    return FileError(path, "cannot be written", why);
  }
  if (rotation.max_bytes > 0) Rotate(path, file->get(), rotation);
  return {};
}

}  // namespace runclad::enforce
