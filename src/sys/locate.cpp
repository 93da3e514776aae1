// How a name becomes a file on this host: sys::Locate.
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <climits>
#include <utility>

#include "runclad/base/unique_fd.hpp"
#include "runclad/sys/mounts.hpp"

namespace runclad::sys {
namespace {

// Follows links as runc does, except those of /proc that lead into other processes' views.
UniqueFd OpenAsPath(const std::string& path) {
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_NO_MAGICLINKS;
  const long fd = ::syscall(SYS_openat2, AT_FDCWD, path.c_str(), &how, sizeof how);
  if (fd >= 0 || errno != ENOSYS) return UniqueFd(static_cast<int>(fd));
  return UniqueFd(::open(path.c_str(), O_PATH | O_CLOEXEC));
}

std::string InProc(const char* directory, int fd) {
  return std::string("/proc/self/") + directory + "/" + std::to_string(fd);
}

// For kernels before 5.8, whose statx does not tell.
std::optional<std::uint64_t> MountIdFromProc(int fd) {
  constexpr std::size_t kMaxBytes = 4096;
  constexpr std::string_view kLabel = "mnt_id:\t";
  const UniqueFd info(::open(InProc("fdinfo", fd).c_str(), O_RDONLY | O_CLOEXEC));
  if (!info) return std::nullopt;
  const auto text = ReadRegularFile(info.get(), kMaxBytes);
  if (!text) return std::nullopt;
  const std::size_t label = text->find(kLabel);
  if (label == std::string::npos) return std::nullopt;
  std::uint64_t id = 0;
  const char* begin = text->data() + label + kLabel.size();
  if (std::from_chars(begin, text->data() + text->size(), id).ec != std::errc()) {
    return std::nullopt;
  }
  return id;
}

// The path of an open file as the kernel sees it; empty when it has none here.
std::string PathOf(int fd, const Inode& inode) {
  std::array<char, PATH_MAX> buffer;
  const ssize_t size = ::readlink(InProc("fd", fd).c_str(), buffer.data(), buffer.size());
  if (size <= 0 || buffer.front() != '/') return {};
  std::string path(buffer.data(), static_cast<std::size_t>(size));
  // The kernel marks what was removed by a suffix that a name may end in as well.
  if (path.ends_with(" (deleted)")) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0 ||
        inode != Inode{.device = status.st_dev, .number = status.st_ino}) {
      return {};
    }
  }
  return path;
}

}  // namespace

Result<Examined> Examine(int fd) {
  struct statx status {};
  if (::statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_BASIC_STATS | STATX_MNT_ID,
              &status) != 0) {
    return SystemError("it cannot be examined", errno);
  }
  Examined examined;
  examined.inode = {.device = makedev(status.stx_dev_major, status.stx_dev_minor),
                    .number = status.stx_ino};
  examined.mode = status.stx_mode;
  examined.owner = status.stx_uid;
  examined.device_number = makedev(status.stx_rdev_major, status.stx_rdev_minor);
  const auto mount_id = (status.stx_mask & STATX_MNT_ID) != 0
                            ? std::optional<std::uint64_t>(status.stx_mnt_id)
                            : MountIdFromProc(fd);
  if (!mount_id) return Error{"the kernel does not report which mount it is on"};
  examined.mount_id = *mount_id;
  examined.is_mount_root = (status.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) == 0 ||
                           (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
  return examined;
}

Result<std::optional<Located>> LocateIfPresent(const std::string& path) {
  const UniqueFd file = OpenAsPath(path);
  if (!file) {
    if (errno == ENOENT || errno == ENOTDIR) return std::optional<Located>();
    if (errno == ELOOP) {
      return Error{path + " leads through a link of /proc or an endless chain of links"};
    }
    return SystemError(path + " cannot be opened", errno);
  }
  const auto examined = Examine(file.get());
  if (!examined) return examined.error().In(path);
  Located located;
  located.inode = examined->inode;
  located.mode = examined->mode;
  located.owner = examined->owner;
  located.mount_id = examined->mount_id;
  located.path = PathOf(file.get(), located.inode);
  if (located.path.empty()) {
    return Error{path + " has no path on this host: it was removed or is out of reach"};
  }
  return std::optional(std::move(located));
}

bool IsOnMountOf(const char* top, const std::string& path) {
  constexpr int kFlags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC;
  struct statx found {};
  struct statx above {};
  return ::statx(AT_FDCWD, path.c_str(), kFlags, STATX_TYPE | STATX_MNT_ID, &found) == 0 &&
         ::statx(AT_FDCWD, top, kFlags, STATX_TYPE | STATX_MNT_ID, &above) == 0 &&
         (found.stx_mask & above.stx_mask & STATX_MNT_ID) != 0 && !S_ISLNK(found.stx_mode) &&
         found.stx_mnt_id == above.stx_mnt_id;
}

Result<Located> Locate(const std::string& path) {
  auto located = LocateIfPresent(path);
  if (!located) return located.error();
  if (!*located) return Error{path + " does not exist"};
  return **std::move(located);
}

}  // namespace runclad::sys
