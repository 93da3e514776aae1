#include "usage.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <set>
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
  std::error_code fault;
  for (fs::directory_iterator root(records, fault), end; !fault && root != end;
       root.increment(fault)) {
    struct stat status {};
    if (::lstat((root->path() / (id + ".json")).c_str(), &status) == 0) return status.st_mtim;
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
        constexpr mode_t kAnybody = S_IXUSR | S_IXGRP | S_IXOTH;
        const bool is_program = S_ISREG(found.st_mode) && (found.st_mode & kAnybody) != 0;
        if (is_program) programs_.insert(path);
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
  usage.written = scan.Written();
  usage.programs = scan.Programs();
  return usage;
}

}  // namespace runclad::ctl
