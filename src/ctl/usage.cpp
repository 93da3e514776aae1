#include "usage.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <filesystem>
#include <set>
#include <string_view>
#include <utility>

#include <sched.h>

#include "runclad/base/path.hpp"
#include "runclad/base/unique_fd.hpp"
#include "runclad/sys/directory.hpp"
#include "runclad/sys/rootfs.hpp"

namespace runclad::ctl {
namespace {

namespace fs = std::filesystem;

bool IsLater(const timespec& time, const timespec& than) {
  return time.tv_sec != than.tv_sec ? time.tv_sec > than.tv_sec : time.tv_nsec > than.tv_nsec;
}

// `start` writes the process into the record: after the runtime filled the tmpfs with the image's
// content, and before the program runs.
std::optional<timespec> StartOf(const std::string& id, const std::string& records) {
  for (const std::string& root : sys::NamesIn(records)) {
    struct stat status {};
    const std::string record = records + "/" + root + "/" + id + ".json";
    if (::lstat(record.c_str(), &status) == 0) return status.st_mtim;
  }
  return std::nullopt;
}

// The root of the mount namespace of `pid`: its own root may be another one by now (chroot). This
// process looks into the namespace and comes back.
UniqueFd RootOf(pid_t pid) {
  const std::string theirs = "/proc/" + std::to_string(pid) + "/ns/mnt";
  const UniqueFd there(::open(theirs.c_str(), O_RDONLY | O_CLOEXEC));
  const UniqueFd here(::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
  const UniqueFd directory(::open(".", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!there || !here || !directory || ::setns(there.get(), CLONE_NEWNS) != 0) return {};
  UniqueFd root(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  const bool is_back = ::setns(here.get(), CLONE_NEWNS) == 0 && ::fchdir(directory.get()) == 0;
  return is_back ? std::move(root) : UniqueFd();
}

// Whether somebody may execute it, or it is a library: those that a program unpacks to load them
// need no more than to be read.
bool IsProgram(int directory, const char* name, const struct stat& status) {
  constexpr mode_t kAnybody = S_IXUSR | S_IXGRP | S_IXOTH;
  if (!S_ISREG(status.st_mode)) return false;
  if ((status.st_mode & kAnybody) != 0) return true;
  constexpr std::string_view kElf = "\177ELF";
  const UniqueFd file(
      ::openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOATIME | O_CLOEXEC));
  std::array<char, kElf.size()> magic{};
  return file && ::read(file.get(), magic.data(), magic.size()) == ssize_t{kElf.size()} &&
         std::string_view(magic.data(), magic.size()) == kElf;
}

// Whether a program or a library is in `name` or below it; yes where there is too much to look
// through.
bool HoldsPrograms(int parent, const char* name, std::size_t& entries_left, int depth = 0) {
  constexpr int kMaxDepth = 64;
  const UniqueFd directory(::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory || depth > kMaxDepth) return true;
  bool found = false;
  sys::VisitEntries(directory.get(), [&](const dirent& entry) {
    const char* child = static_cast<const char*>(entry.d_name);
    struct stat status {};
    if (::fstatat(directory.get(), child, &status, AT_SYMLINK_NOFOLLOW) != 0) return true;
    found =
        entries_left == 0 ||
        (S_ISDIR(status.st_mode) ? HoldsPrograms(directory.get(), child, entries_left, depth + 1)
                                 : IsProgram(directory.get(), child, status));
    if (entries_left > 0) --entries_left;
    return !found;
  });
  return found;
}

class Scan {
 public:
  explicit Scan(const timespec& start) : start_(start) {}

  // Of one file system; what is mounted below is something else.
  void Add(int parent, const char* name, const std::string& path, int depth = 0) {
    constexpr int kMaxDepth = 64;
    const UniqueFd directory(
        ::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    struct stat status {};
    if (!directory || depth > kMaxDepth || ::fstat(directory.get(), &status) != 0) return;
    if (depth == 0) device_ = status.st_dev;
    if (status.st_dev != device_) return;
    // An entry was made or removed, or its owner or mode was set.
    if (IsLater(status.st_mtim, start_) || IsLater(status.st_ctim, start_)) written_.insert(path);
    sys::VisitEntries(directory.get(), [&](const dirent& entry) {
      const char* child = static_cast<const char*>(entry.d_name);
      struct stat found {};
      if (::fstatat(directory.get(), child, &found, AT_SYMLINK_NOFOLLOW) != 0) return true;
      if (S_ISDIR(found.st_mode)) {
        Add(directory.get(), child, path + "/" + child, depth + 1);
      } else if (found.st_dev == device_ && IsLater(found.st_ctim, start_)) {
        written_.insert(path);
        if (IsProgram(directory.get(), child, found)) programs_.insert(path);
      }
      return true;
    });
  }

  // Without what is below another one.
  [[nodiscard]] std::vector<std::string> Written() const { return Outermost(written_); }
  // The directories of Written() that hold programs.
  [[nodiscard]] std::vector<std::string> Programs() const {
    std::vector<std::string> holding = Written();
    std::erase_if(holding, [&](const std::string& directory) {
      return std::ranges::none_of(
          programs_, [&](const std::string& program) { return IsAtOrBelow(program, directory); });
    });
    return holding;
  }

 private:
  static std::vector<std::string> Outermost(const std::set<std::string>& paths) {
    std::vector<std::string> outermost;
    for (const std::string& path : paths) {
      const bool is_inside = std::ranges::any_of(
          outermost, [&](const std::string& outer) { return IsAtOrBelow(path, outer); });
      if (!is_inside) outermost.push_back(path);
    }
    return outermost;
  }

  timespec start_;
  dev_t device_ = 0;
  std::set<std::string> written_;
  std::set<std::string> programs_;
};

std::string Size(std::uint64_t bytes) {
  constexpr std::uint64_t kMebi = 1 << 20;
  return bytes % kMebi == 0 ? std::to_string(bytes / kMebi) + " MiB"
                            : std::to_string(bytes) + " bytes";
}

}  // namespace

std::optional<Usage> UsageOf(pid_t pid, const std::string& id,
                             const std::vector<std::string>& directories,
                             const std::vector<std::string>& exec_paths,
                             const std::string& records) {
  const auto start = StartOf(id, records);
  if (!start) return std::nullopt;
  const UniqueFd root = RootOf(pid);
  const auto rootfs = sys::Rootfs::Open("/proc/self/fd/" + std::to_string(root.get()));
  if (!root || !rootfs) return std::nullopt;
  Usage usage;
  Scan scan(*start);
  for (const std::string& directory : directories) {
    const auto resolved = rootfs->Resolve(directory);
    if (!resolved) continue;
    const auto opened = rootfs->OpenResolved(*resolved, O_RDONLY | O_DIRECTORY);
    if (!opened) continue;
    struct statvfs system {};
    if (::fstatvfs(opened->get(), &system) == 0) {
      // A page and less is room for nothing.
      const std::uint64_t free = system.f_bavail;
      if (free <= 1 || system.f_favail == 0) {
        usage.full.push_back(directory + " (" + Size(system.f_blocks * system.f_frsize) + ")");
      }
    }
    scan.Add(opened->get(), ".", *resolved);
  }
  for (const std::string& path : exec_paths) {
    constexpr std::size_t kManyEntries = 100'000;
    std::size_t entries_left = kManyEntries;
    const auto resolved = rootfs->Resolve(path);
    if (!resolved) continue;
    const auto opened = rootfs->OpenResolved(*resolved, O_RDONLY | O_DIRECTORY);
    if (opened && !HoldsPrograms(opened->get(), ".", entries_left)) {
      usage.without_programs.push_back(path);
    }
  }
  usage.written = scan.Written();
  usage.programs = scan.Programs();
  return usage;
}

}  // namespace runclad::ctl
