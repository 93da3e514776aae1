#include "runclad/sys/owned_path.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <string_view>

#include "runclad/sys/file.hpp"
#include "runclad/sys/links.hpp"

namespace runclad::sys {
namespace {

// Whether only root can replace the entries of the directory that `status` describes, provided that
// they belong to root.
bool KeepsItsEntries(const struct stat& status) {
  if (WhyUntrusted(status).empty()) return true;
  const bool is_owned_by_root = status.st_uid == 0 || status.st_uid == ::geteuid();
  return is_owned_by_root && S_ISDIR(status.st_mode) && (status.st_mode & S_ISVTX) != 0;
}

}  // namespace

bool OnlyRootCouldReplace(const std::string& path) {
  struct stat status {};
  for (std::size_t end = 0; end != std::string::npos;) {
    end = path.find('/', end + 1);
    if (::lstat(path.substr(0, end).c_str(), &status) != 0 || S_ISLNK(status.st_mode)) return false;
    if (!KeepsItsEntries(status)) return false;
  }
  return WhyUntrusted(status).empty();
}

bool OnlyRootCouldRedirect(const std::string& path) {
  bool is_kept = true;  // only root could replace the entries so far
  const Way way = FollowPath(path, [&is_kept](const Step& step) {
    if (!S_ISLNK(step.entry_status.st_mode)) {
      is_kept = is_kept && KeepsItsEntries(step.entry_status);
      return true;
    }
    return is_kept && (step.entry_status.st_uid == 0 || step.entry_status.st_uid == ::geteuid());
  });
  return way == Way::kComplete || way == Way::kMissing;
}

Way FollowPath(const std::string& path, const std::function<bool(const Step&)>& visit) {
  constexpr int kMaxLinks = 40;  // as the kernel
  int links_left = kMaxLinks;
  std::string done;  // without links
  std::string rest = path;
  struct stat directory {};
  if (::lstat("/", &directory) != 0) return Way::kMissing;
  while (true) {
    const std::size_t begin = rest.find_first_not_of('/');
    if (begin == std::string::npos) return Way::kComplete;
    const std::size_t end = rest.find('/', begin);
    const std::string name = rest.substr(begin, end - begin);
    rest = end == std::string::npos ? std::string() : rest.substr(end);
    if (name == ".") continue;
    if (name == "..") {
      done.resize(done.empty() ? 0 : done.rfind('/'));
      if (::lstat(done.empty() ? "/" : done.c_str(), &directory) != 0) return Way::kMissing;
      continue;
    }
    const std::string next = done + "/" + name;
    struct stat entry {};
    if (::lstat(next.c_str(), &entry) != 0) return Way::kMissing;
    if (!visit({done, directory, entry})) return Way::kStopped;
    if (!S_ISLNK(entry.st_mode)) {
      done = next;
      directory = entry;
      continue;
    }
    if (--links_left == 0) return Way::kTooLong;
    std::string target = ReadLink(next);
    if (target.starts_with('/')) {
      done.clear();
      if (::lstat("/", &directory) != 0) return Way::kMissing;
    }
    rest = target.append(rest);
  }
}

}  // namespace runclad::sys
