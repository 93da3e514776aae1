#include "task_list.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <iterator>

#include "runclad/base/unique_fd.hpp"
#include "runclad/sys/cgroups.hpp"
#include "runclad/sys/directory.hpp"
#include "runclad/sys/file.hpp"
#include "runclad/sys/mounts.hpp"
#include "runclad/sys/process.hpp"

#include "proc.hpp"
#include "state.hpp"
#include "task_state.hpp"

namespace runclad::look {
namespace {

constexpr std::size_t kMaxTasks = 8192;
constexpr std::size_t kMaxCgroups = 1024;
constexpr std::size_t kMaxListBytes = std::size_t{1} << 20;
constexpr const char* kTasksEnd = "its tasks end faster than they can be read";
constexpr const char* kCgroupsUnread = "not all cgroups below its own could be read";
constexpr const char* kMayMove =
    "it shares the host's process ids and can move its tasks to other cgroups";

// Of one cgroup; false where it cannot be read.
bool AddListed(int cgroup, std::vector<pid_t>& pids) {
  const auto file = sys::OpenWithoutLinks(cgroup, "cgroup.procs", O_RDONLY);
  if (!file) return false;
  auto text = sys::ReadRegularFile(file->get(), kMaxListBytes);
  if (!text) return false;
  std::ranges::replace(*text, '\n', ' ');
  for (const std::uint32_t pid : NumbersIn(*text)) pids.push_back(static_cast<pid_t>(pid));
  return true;
}

// A thread's own cgroup (version 2) has no list, and its process is in one above.
bool IsOfThreads(int cgroup) {
  return ReadOf(cgroup, "cgroup.type").value_or("").starts_with("threaded");
}

// Of a cgroup and of those below it. By descriptors: a path of nested cgroups may be longer than
// any call takes.
class CgroupList {
 public:
  // False where not all of them could be read.
  bool Read(int cgroup) {
    if (!AddListed(cgroup, pids_) && !IsOfThreads(cgroup)) return false;
    bool has_all = true;
    const bool is_read = sys::VisitEntries(cgroup, [&](const dirent& entry) {
      if (entry.d_type != DT_DIR && entry.d_type != DT_UNKNOWN) return true;
      const UniqueFd below(::openat(cgroup, static_cast<const char*>(entry.d_name),
                                    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      if (!below && errno == ENOTDIR && entry.d_type == DT_UNKNOWN) return true;
      has_all = below && left_-- > 0 && Read(below.get());
      return has_all;
    });
    return is_read && has_all;
  }
  [[nodiscard]] const std::vector<pid_t>& pids() const { return pids_; }

 private:
  std::vector<pid_t> pids_;
  std::size_t left_ = kMaxCgroups;
};

std::vector<std::string> CgroupsIn(const std::string& process) {
  const UniqueFd directory(::open(process.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  const auto text = directory ? ReadOf(directory.get(), "cgroup") : std::nullopt;
  return sys::CgroupPaths(text.value_or(""));
}

bool IsInMounts(pid_t pid, const NamespaceState& wanted) {
  struct stat status {};
  return ::stat(("/proc/" + std::to_string(pid) + "/ns/mnt").c_str(), &status) == 0 &&
         status.st_ino == wanted.inode;
}

// Whether a process has left the cgroup: what it starts is not in the cgroup's list.
bool HasOthers(const Container& container, const std::vector<pid_t>& listed) {
  const NamespaceState* const mounts = container.FindNamespace("mnt");
  if (mounts == nullptr || mounts->is_host) return false;
  return std::ranges::any_of(container.processes, [&](pid_t pid) {
    return std::ranges::find(listed, pid) == listed.end() && IsInMounts(pid, *mounts);
  });
}

// Whether the kernel made it for rings (PF_IO_WORKER of proc(5)'s flags): it makes their calls,
// which no filter sees.
bool IsOfRings(const std::string& task) {
  const UniqueFd directory(::open(task.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  const std::string text = directory ? ReadOf(directory.get(), "stat").value_or("") : std::string();
  constexpr int kFieldsFromNameToFlags = 7;
  constexpr std::uint32_t kOfRings = 0x10;
  std::size_t at = text.rfind(')');
  for (int field = 0; field < kFieldsFromNameToFlags && at != std::string::npos; ++field) {
    at = text.find(' ', at + 1);
  }
  std::uint32_t flags = 0;
  if (at != std::string::npos) {
    std::from_chars(text.data() + at + 1, text.data() + text.size(), flags);
  }
  return (flags & kOfRings) != 0;
}

// Whether its tasks can leave the cgroup, by its own mounts or by others that it may make.
bool CanMove(const Container& container) {
  return Has(container.credentials.bounding, "CAP_SYS_ADMIN") ||
         std::ranges::any_of(container.mounts, [](const MountState& mount) {
           return mount.type.starts_with("cgroup") && mount.is_writable;
         });
}

// False where one of them may be missing: another ended meanwhile.
bool AddTasks(pid_t pid, TaskListing& listing) {
  std::vector<Task>& tasks = listing.tasks;
  const std::size_t threads = ThreadsOf(pid);
  const std::string path = "/proc/" + std::to_string(pid) + "/task";
  const auto directory = sys::OpenDirectory(path);
  if (!directory) return false;
  const std::size_t before = tasks.size();
  bool has_all = true;
  const bool is_read = sys::VisitEntries(directory->get(), [&](const dirent& entry) {
    const std::string_view name = static_cast<const char*>(entry.d_name);
    pid_t id = 0;
    std::from_chars(name.data(), name.data() + name.size(), id);
    if (const auto start = sys::GroupStartTime(id)) {
      tasks.push_back({id, *start, pid, threads});
      listing.has_rings = listing.has_rings || IsOfRings(path + "/" + std::string(name));
    } else {
      has_all = false;
    }
    return tasks.size() <= kMaxTasks;
  });
  // The kernel ends the list where the thread that it has come to ends.
  return is_read && has_all && threads > 0 && tasks.size() - before == threads &&
         ThreadsOf(pid) == threads;
}

}  // namespace

TaskLister::TaskLister(const Container& container) : container_(container), pids_(container) {
  const std::vector<std::string> own =
      OwnCgroups(CgroupsIn("/proc/" + std::to_string(container.pid)), CgroupsIn("/proc/self"));
  const auto table = sys::MountTable::Read();
  if (own.empty() || !table) return;
  for (const sys::Mount& mount : table->mounts()) {
    if (!mount.type().starts_with("cgroup")) continue;
    for (const std::string& path : own) {
      const auto rest = sys::Below(path, mount.root);
      if (!rest) continue;
      std::string directory = std::string(mount.point) + (*rest == "/" ? "" : std::string(*rest));
      std::vector<pid_t> pids;
      const auto opened = sys::OpenWithoutLinks(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY);
      if (opened && AddListed(opened->get(), pids) &&
          std::ranges::find(pids, container.pid) != pids.end()) {
        cgroup_ = std::move(directory);
        return;
      }
    }
  }
}

TaskListing TaskLister::List() const {
  TaskListing listing;
  std::vector<pid_t> pids = {container_.pid};
  // The kernel's own list is of one moment: one that is in /proc behind the place where somebody
  // reads it, and is gone when he comes there, is missed.
  bool is_listed = false;
  if (!cgroup_.empty()) {
    CgroupList cgroups;
    const auto own = sys::OpenWithoutLinks(AT_FDCWD, cgroup_, O_RDONLY | O_DIRECTORY);
    is_listed = own && cgroups.Read(own->get());
    if (!is_listed) listing.incomplete_because = kCgroupsUnread;
    pids.insert(pids.end(), cgroups.pids().begin(), cgroups.pids().end());
  }
  // Lists of several cgroups are not of one moment.
  if (pids_.is_known()) {
    const NamespaceMembers members = pids_.Members();
    pids.insert(pids.end(), members.found.begin(), members.found.end());
    if (members.has_missed) listing.incomplete_because = kTasksEnd;
  } else if (CanMove(container_)) {
    listing.incomplete_because = kMayMove;
  }
  if (!is_listed || HasOthers(container_, pids)) {
    const HostProcesses host = AllProcesses();
    const std::vector<pid_t> found = ProcessesOf(container_, host.found);
    pids.insert(pids.end(), found.begin(), found.end());
    if (host.has_missed) listing.incomplete_because = kTasksEnd;
  }
  // The first one first: what it can do is the answer where all are alike.
  std::ranges::sort(pids);
  pids.erase(std::unique(pids.begin(), pids.end()), pids.end());
  std::stable_partition(pids.begin(), pids.end(), [&](pid_t pid) { return pid == container_.pid; });
  for (const pid_t pid : pids) {
    const std::size_t before = listing.tasks.size();
    if (!AddTasks(pid, listing)) {
      listing.incomplete_because = kTasksEnd;
      // One of its threads may not be listed: none of them counts as read.
      for (std::size_t i = before; i < listing.tasks.size(); ++i) {
        listing.tasks[i].threads = kUncounted;
      }
    }
    if (listing.tasks.size() > kMaxTasks) {
      listing.incomplete_because = "it has more than " + std::to_string(kMaxTasks) + " tasks";
      break;
    }
  }
  return listing;
}

}  // namespace runclad::look
