#include "leftovers.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runclad/base/unique_fd.hpp"
#include "runclad/sys/directory.hpp"

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
  const std::time_t now = std::time(nullptr);
  bool is_through = true;
  const bool is_read = sys::VisitEntries(directory, [&](const dirent& entry) {
    const char* name = static_cast<const char*>(entry.d_name);
    struct stat status {};
    if (::fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) != 0 || S_ISDIR(status.st_mode)) {
      return true;
    }
    const std::time_t age = now - status.st_mtime;
    const bool is_young = age >= 0 && age <= kSweepSeconds;
    if (is_young || !is_leftover(name, age)) return true;
    is_through = left_to_change > 0;
    if (!is_through) return false;
    const bool is_changed =
        age < 0 ? DateNow(directory, name) : ::unlinkat(directory, name, 0) == 0;
    if (is_changed) --left_to_change;
    return true;
  });
  return is_read && is_through;
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
