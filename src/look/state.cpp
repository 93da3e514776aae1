#include "state.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <set>

#include "runclad/base/path.hpp"
#include "runclad/sys/cgroups.hpp"
#include "runclad/sys/process.hpp"
#include "runclad/sys/user_namespace.hpp"

namespace runclad::look {
namespace {

constexpr const char* kNamespaces[] = {"cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"};

std::vector<NamespaceState> NamespacesOf(int process) {
  std::vector<NamespaceState> namespaces;
  for (const char* kind : kNamespaces) {
    struct stat status {};
    if (::fstatat(process, (std::string("ns/") + kind).c_str(), &status, 0) == 0) {
      namespaces.push_back({kind, status.st_ino, false, {}});
    }
  }
  return namespaces;
}

bool HasOption(std::string_view options, std::string_view wanted) {
  while (!options.empty()) {
    const std::string_view option = options.substr(0, options.find(','));
    options.remove_prefix(std::min(options.size(), option.size() + 1));
    if (option == wanted) return true;
  }
  return false;
}

// "12" of an optional field "shared:12"; empty: what is mounted below stays there.
std::string_view PeerGroupOf(const sys::Mount& mount) {
  constexpr std::string_view kShared = " shared:";
  const std::string_view fields = mount.tail.substr(0, mount.tail.find(" - "));
  const std::size_t at = fields.find(kShared);
  if (at == std::string_view::npos) return {};
  const std::string_view group = fields.substr(at + kShared.size());
  return group.substr(0, group.find(' '));
}

// The kernel's names of them, as they call themselves.
std::vector<std::string> ProgramsOf(const std::vector<pid_t>& processes) {
  std::set<std::string> names;
  for (const pid_t pid : processes) {
    const UniqueFd process(
        ::open(("/proc/" + std::to_string(pid)).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    std::string name = process ? ReadOf(process.get(), "comm").value_or("") : std::string();
    while (name.ends_with('\n')) name.pop_back();
    if (!name.empty()) names.insert(std::move(name));
  }
  return {names.begin(), names.end()};
}

MountState StateOf(const sys::Mount& mount, const HostState& host) {
  MountState state;
  state.id = mount.id;
  state.point = mount.point;
  state.type = mount.type();
  state.root = mount.root;
  const std::size_t separator = mount.tail.find(" - ");
  if (separator != std::string_view::npos) {
    std::string_view rest = mount.tail.substr(separator + 3);
    rest.remove_prefix(std::min(rest.size(), rest.find(' ') + 1));
    state.source = rest.substr(0, rest.find(' '));
  }
  const std::string_view of_file_system = mount.tail.substr(mount.tail.rfind(' ') + 1);
  const std::string_view options = mount.options();
  state.is_writable = !HasOption(options, "ro") && !HasOption(of_file_system, "ro");
  state.may_execute = !HasOption(options, "noexec");
  state.may_set_ids = !HasOption(options, "nosuid");
  state.has_devices = !HasOption(options, "nodev");
  state.propagates_to_host = std::ranges::binary_search(host.peer_groups, PeerGroupOf(mount));
  state.is_host_bind = mount.point != "/" && !state.type.starts_with("cgroup") &&
                       std::ranges::binary_search(host.file_systems, mount.file_system);
  return state;
}

void ReadMounts(const HostState& host, const sys::MountTable& table, Container& container) {
  for (const sys::Mount& mount : table.mounts()) {
    container.mounts.push_back(StateOf(mount, host));
    // The last one covers those before it.
    if (mount.point != "/") continue;
    container.is_root_writable = container.mounts.back().is_writable;
    container.upper_directory = mount.option("upperdir");
    container.lower_directories = mount.option("lowerdir");
  }
}

void ReadUser(int process, Container& container) {
  const uid_t uid = container.credentials.uids[1];
  container.is_host_root =
      std::ranges::find(container.credentials.uids, uid_t{0}) != container.credentials.uids.end();
  container.has_user_namespace = !container.SharesWithHost("user");
  if (!container.has_user_namespace) {
    container.user_inside = uid;
    container.can_be_host_root = true;
    return;
  }
  for (const sys::IdRange& range : sys::ParseIdMap(ReadOf(process, "uid_map").value_or(""))) {
    if (range.outside == 0) container.can_be_host_root = true;
    if (uid >= range.outside && uid - range.outside < range.size) {
      container.user_inside = range.inside + (uid - range.outside);
    }
  }
}

// "docker-default (enforce)"; empty where nothing confines it.
std::string LabelOf(int process) {
  std::string label = ReadOf(process, "attr/apparmor/current").value_or("");
  if (label.empty()) label = ReadOf(process, "attr/current").value_or("");
  while (!label.empty() && (label.back() == '\n' || label.back() == '\0')) label.pop_back();
  return label == "unconfined" ? std::string() : label;
}

LimitState LimitsOf(std::string_view cgroups, const HostState& host) {
  LimitState limits;
  const sys::Cgroups own(cgroups, host.cgroups);
  const auto read = [&](const char* controller, const char* v1, const char* v2,
                        std::optional<std::int64_t>& limit) {
    const auto text = own.Read(controller, v1, v2);
    if (!text) {
      limits.unknown.emplace_back(controller);
      return;
    }
    // Version 1 has the largest number of pages for none.
    constexpr std::int64_t kAlmostNoLimit = std::int64_t{1} << 62;
    const std::int64_t value = sys::LimitIn(*text);
    if (value < kAlmostNoLimit) limit = value;
  };
  read("memory", "memory.limit_in_bytes", "memory.max", limits.memory);
  read("pids", "pids.max", "pids.max", limits.pids);
  std::optional<std::int64_t> quota;
  read("cpu", "cpu.cfs_quota_us", "cpu.max", quota);
  if (quota) {
    const auto text = own.Read("cpu", "cpu.cfs_period_us", "cpu.max");
    const std::size_t blank = text ? text->find(' ') : std::string::npos;
    const std::int64_t period = text ? sys::LimitIn(std::string_view(*text).substr(
                                           blank == std::string::npos ? 0 : blank + 1))
                                     : 0;
    if (period > 0) limits.cpus = static_cast<double>(*quota) / static_cast<double>(period);
  }
  return limits;
}

}  // namespace

std::vector<std::string> OwnCgroups(std::vector<std::string> cgroups,
                                    const std::vector<std::string>& ours) {
  std::erase_if(cgroups, [&](const std::string& path) {
    return std::ranges::any_of(ours,
                               [&](const std::string& own) { return IsAtOrBelow(own, path); });
  });
  return cgroups;
}

std::vector<pid_t> ProcessesOf(const Container& container, const std::vector<HostProcess>& host) {
  std::vector<std::string> cgroups;
  ino_t mounts = 0;
  const auto first = std::ranges::find(host, container.pid, &HostProcess::pid);
  const auto ours = std::ranges::find(host, ::getpid(), &HostProcess::pid);
  if (first != host.end()) {
    cgroups =
        OwnCgroups(first->cgroups, ours == host.end() ? std::vector<std::string>() : ours->cgroups);
    const NamespaceState* const own = container.FindNamespace("mnt");
    if (own != nullptr && !own->is_host) mounts = own->inode;
  }
  std::vector<pid_t> found = {container.pid};
  for (const HostProcess& process : host) {
    if (process.pid == container.pid) continue;
    const bool is_in_cgroup = std::ranges::any_of(process.cgroups, [&](const std::string& path) {
      return std::ranges::any_of(cgroups,
                                 [&](const std::string& own) { return IsAtOrBelow(path, own); });
    });
    if (is_in_cgroup || (mounts != 0 && process.mounts == mounts)) found.push_back(process.pid);
  }
  return found;
}

Result<HostState> ReadHostState() {
  const UniqueFd self(::open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!self) return SystemError("/proc/self cannot be opened", errno);
  const auto text = ReadOf(self.get(), "mountinfo");
  const auto table = sys::MountTable::Read();
  if (!table) return table.error();
  std::string of_cgroups;
  for (std::string_view rest = text ? *text : std::string_view(); !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (line.find(" - cgroup") != std::string_view::npos) of_cgroups.append(line).append("\n");
  }
  auto cgroups = sys::MountTable::Parse(std::move(of_cgroups));
  if (!cgroups) return cgroups.error();
  std::vector<std::uint64_t> file_systems;
  std::ranges::transform(table->mounts(), std::back_inserter(file_systems),
                         &sys::Mount::file_system);
  std::ranges::sort(file_systems);
  std::vector<std::string> peer_groups;
  for (const sys::Mount& mount : table->mounts()) {
    if (const std::string_view group = PeerGroupOf(mount); !group.empty()) {
      peer_groups.emplace_back(group);
    }
  }
  std::ranges::sort(peer_groups);
  return HostState{NamespacesOf(self.get()), std::move(file_systems), std::move(peer_groups),
                   *std::move(cgroups), AllProcesses().found};
}

bool ReadState(const HostState& host, Container& container) {
  const UniqueFd process = OpenLiving(container.pid, container.start_time);
  if (!process) return false;
  const auto status = ReadOf(process.get(), "status");
  const auto credentials = status ? CredentialsFrom(*status) : std::nullopt;
  const auto table = sys::MountTable::ReadOf(process.get());
  const auto cgroups = ReadOf(process.get(), "cgroup");
  if (!credentials || !table || !cgroups) return false;
  container.credentials = *credentials;
  container.program = NameFrom(*status);
  container.namespaces = NamespacesOf(process.get());
  for (NamespaceState& own : container.namespaces) {
    const auto ours = std::ranges::find(host.namespaces, own.kind, &NamespaceState::kind);
    own.is_host = ours != host.namespaces.end() && ours->inode == own.inode;
  }
  ReadUser(process.get(), container);
  container.label = LabelOf(process.get());
  ReadMounts(host, *table, container);
  container.limits = LimitsOf(*cgroups, host);
  container.device_rules =
      sys::Cgroups(*cgroups, host.cgroups).Read("devices", "devices.list", "devices.list");
  container.processes = ProcessesOf(container, host.processes);
  container.programs = ProgramsOf(container.processes);
  // What was read is one process's only if it still lives.
  return sys::GroupStartTime(container.pid) == container.start_time;
}

}  // namespace runclad::look
