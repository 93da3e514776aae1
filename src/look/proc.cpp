#include "proc.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <climits>

#include "runclad/sys/cgroups.hpp"
#include "runclad/sys/directory.hpp"
#include "runclad/sys/file.hpp"
#include "runclad/sys/process.hpp"

namespace runclad::look {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{16} << 20;

std::string_view Field(std::string_view status, std::string_view field) {
  std::string start = "\n";
  start.append(field).append(":\t");
  const std::size_t at = status.find(start);
  if (at == std::string_view::npos) return {};
  status.remove_prefix(at + start.size());
  return status.substr(0, status.find('\n'));
}

template <typename T>
std::optional<T> Number(std::string_view text, int base = 10) {
  T number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, fault] = std::from_chars(text.data(), end, number, base);
  return fault == std::errc() && stop == end ? std::optional(number) : std::nullopt;
}

std::uint64_t Mask(std::string_view status, std::string_view field) {
  constexpr int kHexadecimal = 16;
  return Number<std::uint64_t>(Field(status, field), kHexadecimal).value_or(0);
}

std::optional<pid_t> PidOf(const dirent& entry) {
  return Number<pid_t>(static_cast<const char*>(entry.d_name));
}

// Of a process whose first thread has ended, which has no mounts and no namespaces any more.
UniqueFd LivingThread(pid_t pid) {
  UniqueFd found;
  const auto tasks = sys::OpenDirectory("/proc/" + std::to_string(pid) + "/task");
  if (!tasks) return found;
  sys::VisitEntries(tasks->get(), [&](const dirent& entry) {
    UniqueFd task;
    if (PidOf(entry)) {
      task = UniqueFd(::openat(tasks->get(), static_cast<const char*>(entry.d_name),
                               O_PATH | O_DIRECTORY | O_CLOEXEC));
    }
    const auto status = task ? ReadOf(task.get(), "status") : std::nullopt;
    if (status && !IsDead(*status)) found = std::move(task);
    return !found;
  });
  return found;
}

}  // namespace

UniqueFd OpenProcess(pid_t pid, std::uint64_t start_time) {
  const std::string path = "/proc/" + std::to_string(pid);
  UniqueFd process(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  // The directory is opened first: it is of the process that had the pid then.
  if (!process || sys::GroupStartTime(pid) != start_time) return {};
  return process;
}

UniqueFd OpenLiving(pid_t pid, std::uint64_t start_time) {
  UniqueFd process = OpenProcess(pid, start_time);
  const auto status = process ? ReadOf(process.get(), "status") : std::nullopt;
  return status && IsDead(*status) ? LivingThread(pid) : std::move(process);
}

std::optional<std::string> ReadOf(int process, const char* name) {
  const UniqueFd file(::openat(process, name, O_RDONLY | O_CLOEXEC));
  if (!file) return std::nullopt;
  auto text = sys::ReadRegularFile(file.get(), kMaxBytes);
  return text ? std::optional(*std::move(text)) : std::nullopt;
}

std::string LinkOf(int process, const char* name) {
  std::array<char, PATH_MAX> text{};
  const ssize_t size = ::readlinkat(process, name, text.data(), text.size());
  return size <= 0 ? std::string() : std::string(text.data(), static_cast<std::size_t>(size));
}

std::vector<std::uint32_t> NumbersIn(std::string_view text) {
  std::vector<std::uint32_t> numbers;
  while (!text.empty()) {
    const std::size_t blank = std::min(text.find_first_of(" \t"), text.size());
    if (const auto number = Number<std::uint32_t>(text.substr(0, blank))) {
      numbers.push_back(*number);
    }
    text.remove_prefix(std::min(blank + 1, text.size()));
  }
  return numbers;
}

bool IsDead(std::string_view status) {
  const std::string_view state = Field(status, "State");
  return state.starts_with('Z') || state.starts_with('X');
}

std::optional<Credentials> CredentialsFrom(std::string_view status) {
  Credentials credentials;
  const auto uids = NumbersIn(Field(status, "Uid"));
  const auto gids = NumbersIn(Field(status, "Gid"));
  if (uids.size() != credentials.uids.size() || gids.size() != credentials.gids.size()) {
    return std::nullopt;
  }
  std::ranges::copy(uids, credentials.uids.begin());
  std::ranges::copy(gids, credentials.gids.begin());
  credentials.groups = NumbersIn(Field(status, "Groups"));
  credentials.inheritable = Mask(status, "CapInh");
  credentials.permitted = Mask(status, "CapPrm");
  credentials.effective = Mask(status, "CapEff");
  credentials.bounding = Mask(status, "CapBnd");
  credentials.ambient = Mask(status, "CapAmb");
  credentials.no_new_privileges = Field(status, "NoNewPrivs") == "1";
  credentials.seccomp_mode = Number<int>(Field(status, "Seccomp")).value_or(0);
  credentials.seccomp_filters = Number<int>(Field(status, "Seccomp_filters")).value_or(-1);
  credentials.tracer = Number<pid_t>(Field(status, "TracerPid")).value_or(0);
  return credentials;
}

std::string NameFrom(std::string_view status) {
  constexpr std::string_view kName = "Name:\t";
  if (!status.starts_with(kName)) return {};
  status.remove_prefix(kName.size());
  return std::string(status.substr(0, status.find('\n')));
}

HostProcesses AllProcesses() {
  HostProcesses processes;
  const auto proc = sys::OpenDirectory("/proc");
  if (!proc) return {{}, true};
  sys::VisitEntries(proc->get(), [&](const dirent& entry) {
    const auto pid = PidOf(entry);
    if (!pid) return true;
    const UniqueFd process(
        ::openat(proc->get(), static_cast<const char*>(entry.d_name), O_PATH | O_CLOEXEC));
    if (!process) {
      processes.has_missed = true;
      return true;
    }
    // One that is dead when it is met has left nothing to the container that was not met, too.
    const auto status = ReadOf(process.get(), "status");
    const bool is_dead = status && IsDead(*status);
    HostProcess found{*pid, {}, 0};
    if (const auto cgroups = ReadOf(process.get(), "cgroup")) {
      found.cgroups = sys::CgroupPaths(*cgroups);
    } else {
      processes.has_missed = true;
    }
    struct stat mounts {};
    if (::fstatat(process.get(), "ns/mnt", &mounts, 0) == 0) {
      found.mounts = mounts.st_ino;
    } else if (!is_dead && !sys::GroupStartTime(*pid)) {
      // It has ended since. What cannot be examined for another reason is no container's.
      processes.has_missed = true;
    }
    processes.found.push_back(std::move(found));
    return true;
  });
  return processes;
}

}  // namespace runclad::look
