#include "pid_namespace.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "runclad/sys/file.hpp"

#include "proc.hpp"

namespace runclad::look {
namespace {

std::optional<ino_t> NumberOfNamespace(int directory, const std::string& path) {
  struct stat status {};
  if (::fstatat(directory, path.c_str(), &status, 0) != 0) return std::nullopt;
  return status.st_ino;
}

// Calls `visit` with the name of each process. Few entries at a time: what was listed long before
// it is looked at has often ended by then.
template <typename Visit>
bool VisitProcesses(int proc, Visit&& visit) {
  constexpr std::size_t kOneName = 280;  // the longest, which has to fit
  alignas(dirent64) std::array<char, kOneName> entries{};
  for (;;) {
    const ssize_t size = ::getdents64(proc, entries.data(), entries.size());
    if (size <= 0) return size == 0;
    for (ssize_t at = 0; at < size;) {
      decltype(dirent64::d_reclen) length = 0;
      const char* const entry = entries.data() + at;
      std::memcpy(&length, entry + offsetof(dirent64, d_reclen), sizeof length);
      const std::string_view name = entry + offsetof(dirent64, d_name);
      pid_t pid = 0;
      const auto [end, fault] = std::from_chars(name.data(), name.data() + name.size(), pid);
      if (fault == std::errc() && end == name.data() + name.size()) visit(pid, std::string(name));
      at += length;
    }
  }
}

}  // namespace

PidNamespace::PidNamespace(const Container& container) : container_(container) {
  const NamespaceState* const own = container.FindNamespace("pid");
  if (own == nullptr || own->is_host) return;
  const UniqueFd process = OpenLiving(container.pid, container.start_time);
  UniqueFd opened(process ? ::openat(process.get(), "ns/pid", O_RDONLY | O_CLOEXEC) : -1);
  struct stat status {};
  if (!opened || ::fstat(opened.get(), &status) != 0 || status.st_ino != own->inode) return;
  own_ = std::move(opened);
  inode_ = status.st_ino;
}

NamespaceMembers PidNamespace::Members() const {
  NamespaceMembers members;
  const auto proc = sys::OpenDirectory("/proc");
  const auto ours = NumberOfNamespace(AT_FDCWD, "/proc/self/ns/pid");
  if (!proc || !ours) return {{}, true};
  // The namespaces above have to be asked for one by one.
  const auto is_below = [&](const std::string& path) {
    UniqueFd at(::openat(proc->get(), path.c_str(), O_RDONLY | O_CLOEXEC));
    while (at) {
      struct stat status {};
      if (::fstat(at.get(), &status) != 0 || status.st_ino == *ours) return false;
      if (status.st_ino == inode_) return true;
      at = UniqueFd(::ioctl(at.get(), NS_GET_PARENT));
      // Above ours, nothing is said.
      if (!at && errno == EPERM) return false;
    }
    members.has_missed = true;
    return false;
  };
  const bool is_read = VisitProcesses(proc->get(), [&](pid_t pid, const std::string& name) {
    const auto inode = NumberOfNamespace(proc->get(), name + "/ns/pid");
    if (!inode) {
      members.has_missed = true;
    } else if (*inode == inode_) {
      const auto mounts = container_.pid_sharers.empty()
                              ? std::nullopt
                              : NumberOfNamespace(proc->get(), name + "/ns/mnt");
      const bool is_others = mounts && std::ranges::find(container_.pid_sharers, *mounts) !=
                                           container_.pid_sharers.end();
      if (!is_others) members.found.push_back(pid);
    } else if (*inode != *ours && is_below(name + "/ns/pid")) {
      members.found.push_back(pid);
    }
  });
  members.has_missed = members.has_missed || !is_read;
  return members;
}

void PidSharers::Add(pid_t first_process) {
  const std::string path = "/proc/" + std::to_string(first_process) + "/ns/";
  const auto pids = NumberOfNamespace(AT_FDCWD, path + "pid");
  const auto mounts = NumberOfNamespace(AT_FDCWD, path + "mnt");
  if (pids && mounts) known_.emplace(*pids, *mounts);
}

void PidSharers::Fill(Container& container) const {
  const NamespaceState* const pids = container.FindNamespace("pid");
  const NamespaceState* const mounts = container.FindNamespace("mnt");
  if (pids == nullptr || mounts == nullptr || pids->is_host) return;
  const auto [begin, end] = known_.equal_range(pids->inode);
  for (auto at = begin; at != end; ++at) {
    if (at->second != mounts->inode) container.pid_sharers.push_back(at->second);
  }
}

}  // namespace runclad::look
