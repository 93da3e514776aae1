#include "records_roots.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string_view>

#include "runclad/base/unique_fd.hpp"
#include "runclad/store/records.hpp"
#include "runclad/sys/directory.hpp"
#include "runclad/sys/file.hpp"

#include "leftovers.hpp"
#include "record_names.hpp"

namespace runclad::store {
namespace {

constexpr const char* kRoot = "root";  // no record: those end in .json

// "4026531841 ", in front of the path. Empty where the kernel does not say.
std::string Namespace() {
  struct stat status {};
  if (::stat("/proc/self/ns/mnt", &status) != 0) return {};
  return std::to_string(status.st_ino) + ' ';
}

std::string ReadLink(int directory, const char* name) {
  std::array<char, PATH_MAX> text;
  const ssize_t size = ::readlinkat(directory, name, text.data(), text.size());
  return size <= 0 ? std::string() : std::string(text.data(), static_cast<std::size_t>(size));
}

template <typename T>
std::optional<T> Number(std::string_view text) {
  T number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, fault] = std::from_chars(text.data(), end, number);
  return fault == std::errc() && stop == end ? std::optional(number) : std::nullopt;
}

// By the name of a directory of records; no value where it is not one.
std::optional<sys::Inode> RootOf(std::string_view name) {
  const std::size_t dash = name.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto device = Number<dev_t>(name.substr(0, dash));
  const auto inode = Number<ino_t>(name.substr(dash + 1));
  if (!device || !inode) return std::nullopt;
  return sys::Inode{.device = *device, .number = *inode};
}

// Whether `root` was at `path`, which has no links, and is not there any more. False in doubt.
bool IsGone(std::string_view path, const sys::Inode& root) {
  if (!path.starts_with('/')) return false;
  UniqueFd at(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  struct stat status {};
  if (!at || ::fstat(at.get(), &status) != 0) return false;
  for (std::size_t begin = 1; begin < path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string name(path.substr(begin, end - begin));
    if (!sys::WhyUntrusted(status).empty()) return false;
    UniqueFd next(::openat(at.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    // Unless something is mounted over the file system that it was on.
    if (!next) return errno == ENOENT && status.st_dev == root.device;
    if (::fstat(next.get(), &status) != 0 || !S_ISDIR(status.st_mode)) return false;
    at = std::move(next);
    begin = end + 1;
  }
  return status.st_dev == root.device && status.st_ino != root.number;
}

// A root that was renamed is not where it was noted, and its containers live on.
bool KnowsLivingProcess(int directory) {
  bool is_found = false;
  sys::VisitEntries(directory, [&](const dirent& entry) {
    const std::string_view name = static_cast<const char*>(entry.d_name);
    if (!name.starts_with(kPidPrefix)) return true;
    const auto pid = Number<pid_t>(name.substr(kPidPrefix.size()));
    is_found = pid && *pid > 0 && (::kill(*pid, 0) == 0 || errno != ESRCH);
    return !is_found;
  });
  return is_found;
}

// Whether there is nothing more to do about it.
bool SweepRoot(int base, const std::string& name, const std::string& mount_namespace,
               int& left_to_change) {
  const auto root = RootOf(name);
  if (!root) return true;
  const UniqueFd directory(
      ::openat(base, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory) return true;
  const auto is_gone = [&] {
    const std::string noted = ReadLink(directory.get(), kRoot);
    return noted.starts_with(mount_namespace) &&
           IsGone(std::string_view(noted).substr(mount_namespace.size()), *root);
  };
  // Again under the lock, which a create takes after it has made its root.
  if (!is_gone() || ::flock(directory.get(), LOCK_EX | LOCK_NB) != 0 || !is_gone() ||
      KnowsLivingProcess(directory.get())) {
    return true;
  }
  const auto is_left = [](std::string_view entry) { return entry != kRoot; };
  if (!RemoveLeftovers(
          directory.get(), [&](const char* entry, std::time_t) { return is_left(entry); },
          left_to_change)) {
    return false;
  }
  bool is_empty = true;
  sys::VisitEntries(directory.get(), [&](const dirent& entry) {
    is_empty = !is_left(static_cast<const char*>(entry.d_name));
    return is_empty;
  });
  if (!is_empty) return true;  // what is young is old in ten minutes
  if (left_to_change == 0) return false;
  --left_to_change;
  ::unlinkat(directory.get(), kRoot, 0);
  ::unlinkat(base, name.c_str(), AT_REMOVEDIR);
  return true;
}

}  // namespace

void NoteRoot(int directory, const std::string& runtime_root, const sys::Inode& root) {
  const std::string mount_namespace = Namespace();
  if (mount_namespace.empty()) return;
  const std::string noted = ReadLink(directory, kRoot);
  struct stat status {};
  // Engines say /var/run, which is a link: only the note has none.
  if (noted.starts_with(mount_namespace) &&
      ::lstat(noted.c_str() + mount_namespace.size(), &status) == 0 &&
      root == sys::Inode{.device = status.st_dev, .number = status.st_ino}) {
    return;
  }
  const std::unique_ptr<char, void (*)(void*)> path(::realpath(runtime_root.c_str(), nullptr),
                                                    ::free);
  if (!path) return;
  const std::string text = mount_namespace + path.get();
  const std::string temporary = std::string(sys::kTemporaryPrefix) + std::to_string(::getpid());
  // Without the note it is never swept; this has no other effect.
  ::unlinkat(directory, temporary.c_str(), 0);
  if (::symlinkat(text.c_str(), directory, temporary.c_str()) == 0) {
    ::renameat(directory, temporary.c_str(), directory, kRoot);
  }
}

std::vector<std::string> NotedRoots() {
  std::vector<std::string> roots;
  const auto base =
      sys::OpenWithoutLinks(AT_FDCWD, std::string(kRecordsDirectory), O_RDONLY | O_DIRECTORY);
  if (!base) return roots;
  sys::VisitEntries(base->get(), [&](const dirent& entry) {
    const std::string name = static_cast<const char*>(entry.d_name);
    const auto root = RootOf(name);
    if (!root) return true;
    const UniqueFd directory(
        ::openat(base->get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    std::string noted = directory ? ReadLink(directory.get(), kRoot) : std::string();
    noted.erase(0, noted.find(' ') == std::string::npos ? noted.size() : noted.find(' ') + 1);
    // The inode says whether it is the root, in whichever mount namespace it was noted.
    struct stat status {};
    if (noted.starts_with('/') && ::stat(noted.c_str(), &status) == 0 &&
        *root == sys::Inode{.device = status.st_dev, .number = status.st_ino}) {
      roots.push_back(std::move(noted));
    }
    return true;
  });
  std::ranges::sort(roots);
  return roots;
}

void SweepRootsThatAreGone(int& left_to_change) {
  const auto base =
      sys::OpenWithoutLinks(AT_FDCWD, std::string(kRecordsDirectory), O_RDONLY | O_DIRECTORY);
  if (!base || left_to_change == 0) return;
  SweepWhenDue(base->get(), [&] {
    const std::string mount_namespace = Namespace();
    if (mount_namespace.empty()) return true;
    bool is_through = true;
    sys::VisitEntries(base->get(), [&](const dirent& entry) {
      const std::string_view name = static_cast<const char*>(entry.d_name);
      is_through = SweepRoot(base->get(), std::string(name), mount_namespace, left_to_change);
      return is_through;
    });
    return is_through;
  });
}

}  // namespace runclad::store
