#include "leftovers.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>

#include "runclad/base/unique_fd.hpp"

namespace runclad::store {
namespace {

constexpr const char* kSwept = "swept";

bool DateNow(int directory, const char* name) {
  constexpr timespec kNow[] = {{.tv_sec = 0, .tv_nsec = UTIME_OMIT},
                               {.tv_sec = 0, .tv_nsec = UTIME_NOW}};
  return ::utimensat(directory, name, static_cast<const timespec*>(kNow), AT_SYMLINK_NOFOLLOW) == 0;
}

}  // namespace

bool RemoveLeftovers(int directory, const IsLeftover& is_leftover, int& left_to_change) {
  // Its own file description: the position in the directory is this sweep's.
  const int copy = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(copy), ::closedir);
  if (!stream) return false;
  const std::time_t now = std::time(nullptr);
  while (const dirent* entry = ::readdir(stream.get())) {  // NOLINT(concurrency-mt-unsafe)
    const char* name = static_cast<const char*>(entry->d_name);
    struct stat status {};
    if (::fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) != 0 || S_ISDIR(status.st_mode)) {
      continue;
    }
    const std::time_t age = now - status.st_mtime;
    const bool is_young = age >= 0 && age <= kSweepSeconds;
    if (is_young || !is_leftover(name, age)) continue;
    if (left_to_change == 0) return false;
    const bool is_changed =
        age < 0 ? DateNow(directory, name) : ::unlinkat(directory, name, 0) == 0;
    if (is_changed) --left_to_change;
  }
  return true;
}

void SweepWhenDue(int directory, const std::function<bool()>& sweep) {
  struct stat status {};
  if (::fstatat(directory, kSwept, &status, AT_SYMLINK_NOFOLLOW) == 0) {
    // A stamp of the future says only that the clock was ahead once.
    const std::time_t age = std::time(nullptr) - status.st_mtime;
    if (age >= 0 && age <= kSweepSeconds) return;
  }
  if (!sweep()) return;
  const UniqueFd stamp(
      ::openat(directory, kSwept, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (stamp) ::futimens(stamp.get(), nullptr);
}

}  // namespace runclad::store
