#include "runclad/sys/staging.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <cerrno>

#include <sched.h>

#include "runclad/base/unique_fd.hpp"
#include "runclad/sys/mounts.hpp"

namespace runclad::sys {
namespace {

// The point of the mount that `place` is on.
Result<std::string> MountPointOf(const std::string& place) {
  const auto located = Locate(place);
  if (!located) return located.error();
  const auto table = MountTable::Read();
  if (!table) return table.error();
  const Mount* mount = table->Find(located->mount_id);
  if (mount == nullptr)
    return Error{place + " is on a mount that is not visible in runclad's mount namespace"};
  return std::string(mount->point);
}

// What is mounted on the mount that `path` is on would else appear on the host, too.
Status KeepMountsFromHost(const std::string& path) {
  const auto point = MountPointOf(path);
  if (!point) return point.error();
  if (::mount(nullptr, point->c_str(), nullptr, MS_SLAVE, nullptr) != 0) {
    return SystemError(*point + " cannot be made a slave mount", errno);
  }
  return {};
}

Status BindMount(const std::string& file, const std::string& point, unsigned long recursive) {
  if (::mount(file.c_str(), point.c_str(), nullptr, MS_BIND | recursive, nullptr) != 0) {
    return SystemError("a bind mount cannot be created at " + point, errno);
  }
  return {};
}

}  // namespace

Result<Staging> Staging::Open(const std::string& place) {
  if (::unshare(CLONE_NEWNS) != 0) return SystemError("a mount namespace cannot be created", errno);
  if (auto kept = KeepMountsFromHost(place); !kept) return kept.error();
  // 0755: the first process of a user namespace looks the layers of an overlay up as a stranger.
  if (::mount("tmpfs", place.c_str(), "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0755") !=
      0) {
    return SystemError("a tmpfs cannot be mounted on " + place, errno);
  }
  return Staging(place);
}

Result<std::string> Staging::Bind(const std::string& path, const Inode& expected) {
  const auto file = OpenWithoutLinks(AT_FDCWD, path, O_PATH);
  if (!file) return file.error();
  struct stat status {};
  if (::fstat(file->get(), &status) != 0) return SystemError(path + " cannot be examined", errno);
  if (expected != Inode{.device = status.st_dev, .number = status.st_ino}) {
    return Error{path + " was replaced after it was checked"};
  }
  auto point = MakeMountPoint(S_ISDIR(status.st_mode));
  if (!point) return point.error();
  const std::string checked = "/proc/self/fd/" + std::to_string(file->get());
  if (auto bound = BindMount(checked, *point, MS_REC); !bound) return bound.error().In(path);
  return point;
}

Status Staging::Cover(const std::string& path, std::string_view bytes) {
  const auto own = MakeMountPoint(/*is_directory=*/false);
  if (!own) return own.error();
  const UniqueFd place(::open(place_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!place) return SystemError(place_ + " cannot be opened", errno);
  const std::string name = own->substr(place_.size() + 1);
  if (auto written = ReplaceFile(place.get(), name, bytes, S_IRUSR | S_IWUSR, 0, 0); !written) {
    return written.error();
  }
  if (auto kept = KeepMountsFromHost(path); !kept) return kept.error();
  return BindMount(*own, path, 0);
}

Result<std::string> Staging::MakeMountPoint(bool is_directory) {
  std::string path = place_ + '/' + std::to_string(next_++);
  if (is_directory) {
    if (::mkdir(path.c_str(), S_IRWXU) != 0) return SystemError(path + " cannot be created", errno);
  } else if (!UniqueFd(::open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, S_IRUSR))) {
    return SystemError(path + " cannot be created", errno);
  }
  return path;
}

}  // namespace runclad::sys
