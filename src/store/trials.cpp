#include "runclad/store/trials.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <thread>

#include "runclad/base/unique_fd.hpp"
#include "runclad/sys/directory.hpp"
#include "runclad/sys/owned_path.hpp"

namespace runclad::store {
namespace {

// Whether it was written. The marker is closed again: a learner that ends cannot remove an instance
// that is open.
bool WriteMarker(const std::string& link, const std::string& text) {
  // A link of /proc into the learner, which may have ended; the number may be another process's.
  const UniqueFd marker(::open(link.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  constexpr auto kTracefs = 0x74726163;
  struct statfs status {};
  if (!marker || ::fstatfs(marker.get(), &status) != 0 || status.f_type != kTracefs) return false;
  return ::write(marker.get(), text.data(), text.size()) >= 0;
}

}  // namespace

bool CanBeOnTrial(std::string_view id) {
  constexpr std::size_t kDigits = 64;
  return id.size() == kDigits && std::all_of(id.begin(), id.end(), [](char digit) {
           return (digit >= '0' && digit <= '9') || (digit >= 'a' && digit <= 'f');
         });
}

bool IsTrial(const std::string& path) {
  struct stat status {};
  return ::lstat((path + '/' + kTrialDropIn).c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

Result<std::optional<std::string>> FindTrial(std::string_view id, const std::string& directory) {
  if (!CanBeOnTrial(id)) return std::optional<std::string>();
  std::string path = directory + '/';
  path += id;
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return std::optional<std::string>();
    return SystemError("the trial " + path + " cannot be examined", errno);
  }
  if (!S_ISDIR(status.st_mode)) return Error{"the trial " + path + " is not a directory"};
  if (!IsTrial(path)) return std::optional<std::string>();
  if (!sys::OnlyRootCouldReplace(path)) {
    return Error{"the trial " + path + " could have been made by others than root"};
  }
  return std::optional(std::move(path));
}

std::vector<std::string> AbandonedTrials(const std::string& directory) {
  std::vector<std::string> ids;
  const UniqueFd opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!opened) return ids;
  sys::VisitEntries(opened.get(), [&](const dirent& entry) {
    const std::string_view name = static_cast<const char*>(entry.d_name);
    if (CanBeOnTrial(name) && IsTrial(directory + '/' + std::string(name))) ids.emplace_back(name);
    return true;
  });
  // A learner has it locked.
  if (ids.empty() || ::flock(opened.get(), LOCK_SH | LOCK_NB) != 0) return {};
  std::sort(ids.begin(), ids.end());
  return ids;
}

std::string MarkerText(std::string_view id) { return "runclad create " + std::string(id); }

void LetLearnerFollow(const std::string& trial, std::string_view id) {
  if (!WriteMarker(trial + '/' + kMarkerLink, MarkerText(id))) return;
  constexpr std::chrono::milliseconds kPause(2);
  constexpr int kPauses = 500;
  const std::string followed = trial + '/' + kFollowedFile;
  for (int left = kPauses; left > 0 && ::access(followed.c_str(), F_OK) != 0; --left) {
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace runclad::store
