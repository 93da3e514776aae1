#include "task_list.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <iterator>

#include "runclad/base/unique_fd.hpp"
#include "runclad/sys/cgroups.hpp"
#include "runclad/sys/directory.hpp"
#include "runclad/sys/file.hpp"
#include "runclad/sys/mounts.hpp"
#include "runclad/sys/process.hpp"

#include "proc.hpp"
#include "state.hpp"

namespace runclad::look {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxTasks = 8192;
constexpr std::size_t kMaxCgroups = 1024;
constexpr std::size_t kMaxListBytes = std::size_t{1} << 20;
constexpr const char* kTasksEnd = "its tasks end faster than they can be read";

// Of one cgroup; false where it cannot be read.
bool AddListed(const std::string& cgroup, std::vector<pid_t>& pids) {
  const auto file = sys::OpenWithoutLinks(AT_FDCWD, cgroup + "/cgroup.procs", O_RDONLY);
  if (!file) return false;
  auto text = sys::ReadRegularFile(file->get(), kMaxListBytes);
  if (!text) return false;
  std::ranges::replace(*text, '\n', ' ');
  for (const std::uint32_t pid : NumbersIn(*text)) pids.push_back(static_cast<pid_t>(pid));
  return true;
}

// Of a cgroup and of those below it. No value: not all of them could be read.
std::optional<std::vector<pid_t>> ListedBelow(const std::string& cgroup) {
  std::vector<pid_t> pids;
  if (!AddListed(cgroup, pids)) return std::nullopt;
  std::error_code fault;
  std::size_t left = kMaxCgroups;
  fs::recursive_directory_iterator entry(cgroup, fault);
  for (; !fault && entry != fs::recursive_directory_iterator(); entry.increment(fault)) {
    std::error_code ignored;
    if (entry->symlink_status(ignored).type() != fs::file_type::directory) continue;
    if (left-- == 0) return std::nullopt;
    // A thread's own cgroup (version 2) has no list, and its process is in one above.
    AddListed(entry->path(), pids);
  }
  return fault ? std::nullopt : std::optional(std::move(pids));
}

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

TaskLister::TaskLister(const Container& container) : container_(container) {
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
      if (AddListed(directory, pids) && std::ranges::find(pids, container.pid) != pids.end()) {
        cgroup_ = std::move(directory);
        return;
      }
    }
  }
}

TaskListing TaskLister::List() const {
  TaskListing listing;
  std::optional<std::vector<pid_t>> pids;
  // The kernel's own list is of one moment: one that is in /proc behind the place where somebody
  // reads it, and is gone when he comes there, is missed.
  if (!cgroup_.empty()) pids = ListedBelow(cgroup_);
  if (!pids || HasOthers(container_, *pids)) {
    const HostProcesses host = AllProcesses();
    const std::vector<pid_t> found = ProcessesOf(container_, host.found);
    if (!pids) pids.emplace();
    pids->insert(pids->end(), found.begin(), found.end());
    if (host.has_missed) listing.incomplete_because = kTasksEnd;
  }
  // The first one first: what it can do is the answer where all are alike.
  std::ranges::sort(*pids);
  pids->erase(std::unique(pids->begin(), pids->end()), pids->end());
  std::stable_partition(pids->begin(), pids->end(),
                        [&](pid_t pid) { return pid == container_.pid; });
  for (const pid_t pid : *pids) {
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
