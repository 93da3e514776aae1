// Compares what the kernel reports for a created container with the promise.
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <utility>

#include "runclad/enforce/promise.hpp"
#include "runclad/engine/layout.hpp"
#include "runclad/host/submounts.hpp"
#include "runclad/privilege/capabilities.hpp"
#include "runclad/rules/parameters.hpp"
#include "runclad/sys/cgroups.hpp"
#include "runclad/sys/file.hpp"
#include "runclad/sys/owned_path.hpp"
#include "runclad/sys/user_namespace.hpp"

#include "cgroup_limits.hpp"
#include "mount_account.hpp"

namespace runclad::enforce {
namespace {

constexpr std::size_t kMaxProcBytes = std::size_t{1} << 20;

host::SubmountRule SubmountRuleOf(const policy::RuleSetting& host_mounts) {
  return {.lists = rules::PathListsOf(host_mounts),
          .allows_all = host_mounts.action == policy::Action::kWarn,
          .expects_none = host_mounts.action == policy::Action::kOff};
}

std::string Hex(std::uint64_t mask) {
  std::array<char, 17> digits{};
  std::to_chars(digits.data(), digits.data() + digits.size(), mask, 16);
  return digits.data();
}

// The process's directory in /proc: it still refers to that process if the pid is reused.
Result<UniqueFd> OpenProcess(pid_t pid) {
  const std::string path = "/proc/" + std::to_string(pid);
  UniqueFd process(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!process) return SystemError("its process cannot be examined", errno);
  return process;
}

Result<std::string> ReadProc(int process, const char* name) {
  const UniqueFd file(::openat(process, name, O_RDONLY | O_CLOEXEC));
  if (!file) return SystemError(std::string("its ") + name + " cannot be opened", errno);
  return sys::ReadRegularFile(file.get(), kMaxProcBytes);
}

// The value of `field` in /proc/PID/status.
std::string_view Field(std::string_view status, std::string_view field) {
  const std::string start = "\n" + std::string(field) + ":\t";
  const std::size_t at = status.find(start);
  if (at == std::string_view::npos) return {};
  status.remove_prefix(at + start.size());
  return status.substr(0, status.find('\n'));
}

// Numbers between blanks.
std::vector<std::uint32_t> Numbers(std::string_view text) {
  std::vector<std::uint32_t> numbers;
  for (std::size_t begin = 0; begin < text.size();) {
    std::uint32_t number = 0;
    const auto [end, fault] =
        std::from_chars(text.data() + begin, text.data() + text.size(), number);
    if (fault == std::errc()) numbers.push_back(number);
    begin = static_cast<std::size_t>(end - text.data()) + 1;
  }
  return numbers;
}

Status VerifyCapabilities(const Promise& promise, std::string_view status, bool only_bounding) {
  constexpr std::array kFields = {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"};
  for (std::size_t i = 0; i < kFields.size(); ++i) {
    const std::string_view name = kCapabilitySets.at(i);
    if (only_bounding && name != "bounding") continue;
    const std::string_view text = Field(status, kFields.at(i));
    std::uint64_t mask = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), mask, 16);
    const std::uint64_t promised = promise.capabilities.at(i);
    if (fault != std::errc() || (mask & ~promised) != 0) {
      return Error{"its " + std::string(name) + " capabilities are " + std::string(text) +
                   ", promised were " + Hex(promised)};
    }
  }
  return {};
}

// A container's id on the host, by its user namespace's map as the kernel has it.
std::optional<std::uint32_t> OnHost(const std::vector<oci::IdMapping>& mappings, std::uint32_t id) {
  for (const oci::IdMapping& mapping : mappings) {
    if (id >= mapping.container_id && id - mapping.container_id < mapping.size) {
      return mapping.host_id + (id - mapping.container_id);
    }
  }
  return std::nullopt;
}

// Of /proc/PID/uid_map or gid_map; where the document has mappings they have to be the same.
Result<std::vector<oci::IdMapping>> ReadMap(int process, const char* name,
                                            const std::vector<oci::IdMapping>& promised) {
  const auto text = ReadProc(process, name);
  if (!text) return text.error();
  std::vector<oci::IdMapping> mappings;
  for (const sys::IdRange& range : sys::ParseIdMap(*text)) {
    mappings.push_back({range.inside, range.outside, range.size});
  }
  if (promised.empty()) return mappings;
  const auto is_promised = [&](const oci::IdMapping& mapping) {
    return std::ranges::any_of(promised, [&](const oci::IdMapping& entry) {
      return entry.container_id == mapping.container_id && entry.host_id == mapping.host_id &&
             entry.size == mapping.size;
    });
  };
  if (!std::ranges::all_of(mappings, is_promised)) {
    return Error{std::string("its ") + name + " does not match the mapping in its document"};
  }
  return mappings;
}

Status VerifyUser(const Promise& promise, int process, std::string_view status) {
  const bool has_user_namespace =
      std::ranges::find(promise.namespaces, "user", &PromisedNamespace::name) !=
      promise.namespaces.end();
  std::vector<oci::IdMapping> uids = {{0, 0, UINT32_MAX}};
  std::vector<oci::IdMapping> gids = uids;
  if (has_user_namespace) {
    auto uid_map = ReadMap(process, "uid_map", promise.uid_mappings);
    if (!uid_map) return uid_map.error();
    auto gid_map = ReadMap(process, "gid_map", promise.gid_mappings);
    if (!gid_map) return gid_map.error();
    uids = *std::move(uid_map);
    gids = *std::move(gid_map);
  }
  const auto are_all = [](const std::vector<std::uint32_t>& numbers,
                          std::optional<std::uint32_t> wanted) {
    return wanted && !numbers.empty() &&
           std::ranges::all_of(numbers, [&](std::uint32_t number) { return number == *wanted; });
  };
  if (!are_all(Numbers(Field(status, "Uid")), OnHost(uids, promise.uid))) {
    return Error{"its user is not " + std::to_string(promise.uid)};
  }
  if (!are_all(Numbers(Field(status, "Gid")), OnHost(gids, promise.gid))) {
    return Error{"its group is not " + std::to_string(promise.gid)};
  }
  for (const std::uint32_t group : Numbers(Field(status, "Groups"))) {
    const bool is_promised = OnHost(gids, promise.gid) == group ||
                             std::ranges::any_of(promise.groups, [&](std::uint32_t entry) {
                               return OnHost(gids, entry) == group;
                             });
    if (!is_promised) {
      return Error{"it has the group " + std::to_string(group) +
                   ", which is not in the recorded decision"};
    }
  }
  return {};
}

Status VerifyConfinement(const Promise& promise, std::string_view status, bool is_crun) {
  if (promise.no_new_privileges && Field(status, "NoNewPrivs") != "1") {
    return Error{"no_new_privs is not set"};
  }
  const bool is_late = is_crun && promise.no_new_privileges;
  if (promise.seccomp && !is_late && Field(status, "Seccomp") != "2") {
    return Error{"it has no seccomp filter"};
  }
  return {};
}

Status VerifyNamespaces(const Promise& promise, int process) {
  for (const PromisedNamespace& entry : promise.namespaces) {
    struct stat ours {};
    struct stat theirs {};
    if (::stat(("/proc/self/ns/" + entry.name).c_str(), &ours) != 0 ||
        ::fstatat(process, ("ns/" + entry.name).c_str(), &theirs, 0) != 0) {
      return SystemError("its " + entry.name + " namespace cannot be examined", errno);
    }
    if (entry.inode == 0 && ours.st_ino == theirs.st_ino) {
      return Error{"its " + entry.name + " namespace is the host's"};
    }
    if (entry.inode != 0 && entry.inode != theirs.st_ino) {
      return Error{"its " + entry.name + " namespace is not the one that was checked"};
    }
  }
  return {};
}

// Opens a path of the container, links followed inside it; not open where that leads nowhere, or
// where the kernel cannot do it (before 5.6).
UniqueFd OpenInside(int root, const std::string& path) {
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  const long fd = ::syscall(SYS_openat2, root, path.c_str(), &how, sizeof how);
  if (fd >= 0) return UniqueFd(static_cast<int>(fd));
  if (errno != ENOSYS) return {};
  auto opened = sys::OpenWithoutLinks(root, path.size() > 1 ? path.substr(1) : ".", O_PATH);
  return opened ? *std::move(opened) : UniqueFd();
}

std::optional<sys::Examined> ExamineInside(int root, const std::string& path) {
  const UniqueFd file = OpenInside(root, path);
  if (!file) return std::nullopt;
  auto examined = sys::Examine(file.get());
  if (!examined) return std::nullopt;
  return *std::move(examined);
}

// runc and crun change to process.cwd before they wait. A link that someone placed on the path can
// lead through /proc/self/fd to a directory of the host (CVE-2024-21626), whose mount is not in the
// table.
Status VerifyWorkingDirectory(int process, const sys::MountTable& table) {
  const UniqueFd directory(::openat(process, "cwd", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return SystemError("its working directory cannot be opened", errno);
  const auto examined = sys::Examine(directory.get());
  if (!examined) return examined.error().In("its working directory cannot be examined");
  if (table.Find(examined->mount_id) != nullptr) return {};
  return Error{"its working directory is outside the container: a part of its path was swapped"};
}

// Where crun's empty directory is, if it is root's alone and empty: a container that can write
// there would show what it wrote to others in place of what is masked.
std::optional<sys::Place> FindEmptyDirectory(const Created& created, const sys::MountTable& host) {
  if (!created.is_crun) return std::nullopt;
  const auto located = sys::LocateIfPresent(created.runtime_root + "/.empty-directory");
  if (!located || !*located || !S_ISDIR((*located)->mode) ||
      !sys::OnlyRootCouldReplace((*located)->path)) {
    return std::nullopt;
  }
  std::error_code failure;
  if (!std::filesystem::is_empty((*located)->path, failure) || failure) return std::nullopt;
  return host.PlaceOf(**located);
}

Status VerifyMounts(const Promise& promise, const Created& created, int process,
                    const sys::MountTable& host, std::vector<std::string> cgroups, bool waits) {
  const auto table = sys::MountTable::ReadOf(process);
  if (!table) return table.error().In("its mounts cannot be read");
  if (waits) {
    if (auto kept = VerifyWorkingDirectory(process, *table); !kept) return kept;
  }
  const UniqueFd root(::openat(process, "root", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) return SystemError("its root filesystem cannot be opened", errno);

  std::unordered_map<std::uint64_t, std::optional<sys::Examined>> seen;  // by mount
  const auto topmost = [&](const sys::Mount& mount) {
    const auto [found, is_new] = seen.try_emplace(mount.id);
    if (!is_new) return found->second;
    const std::string path(mount.point.size() > 1 ? mount.point.substr(1) : ".");
    const auto file = sys::OpenWithoutLinks(root.get(), path, O_PATH);
    if (!file) return found->second;
    const auto examined = sys::Examine(file->get());
    if (examined && examined->mount_id == mount.id && examined->is_mount_root) {
      found->second = *examined;
    }
    return found->second;
  };
  const bool is_absolute = promise.root_path.starts_with('/');
  const std::string rootfs =
      is_absolute ? promise.root_path : created.bundle + "/" + promise.root_path;
  const auto layout = [&] {
    return engine::Discover({created.id, created.bundle, created.runtime_root, rootfs});
  };
  const auto root_path = [&] {
    const sys::Inode promised = {.device = promise.root_device, .number = promise.root_inode};
    const auto located = sys::LocateIfPresent(rootfs);
    const bool is_there = located && *located && (*located)->inode == promised;
    return is_there ? (*located)->path : std::string();
  };
  MountEvidence evidence{
      .container = *table,
      .host = host,
      .topmost = topmost,
      .at = [&root](const std::string& path) { return ExamineInside(root.get(), path); },
      .submount_fault = host::JudgeSubmounts(SubmountRuleOf(promise.host_mounts), host, layout),
      .root_path = root_path,
      .cgroups = std::move(cgroups),
      .notify_directory = {},
      .empty_directory = FindEmptyDirectory(created, host)};
  struct stat notify {};
  const std::string directory = created.runtime_root + "/" + created.id + "/notify";
  if (::lstat(directory.c_str(), &notify) == 0 && S_ISDIR(notify.st_mode)) {
    evidence.notify_directory = {.device = notify.st_dev, .number = notify.st_ino};
  }
  return AccountForMounts(promise, evidence);
}

}  // namespace

Status Verify(const Promise& promise, const Created& created) {
  const auto process = OpenProcess(created.pid);
  if (!process) return process.error();
  const auto status = ReadProc(process->get(), "status");
  if (!status) return status.error();
  if (!promise.has_mounts) {
    return Error{
        "it was created by a version of runclad that did not record mounts, and cannot be "
        "verified"};
  }
  if (auto kept = VerifyCapabilities(promise, *status, /*only_bounding=*/false); !kept) return kept;
  if (auto kept = VerifyConfinement(promise, *status, created.is_crun); !kept) return kept;
  if (auto kept = VerifyUser(promise, process->get(), *status); !kept) return kept;
  if (auto kept = VerifyNamespaces(promise, process->get()); !kept) return kept;
  const auto host = sys::MountTable::Read();
  if (!host) return host.error();
  const auto cgroup = ReadProc(process->get(), "cgroup");
  if (!cgroup) return cgroup.error();
  if (auto kept = VerifyLimits(promise.limits, *cgroup, *host); !kept) return kept;
  return VerifyMounts(promise, created, process->get(), *host, sys::CgroupPaths(*cgroup),
                      /*waits=*/true);
}

Status VerifyRunning(const Promise& promise, const Created& created) {
  const auto process = OpenProcess(created.pid);
  if (!process) return process.error();
  const auto status = ReadProc(process->get(), "status");
  if (!status) return status.error();
  if (!promise.has_mounts) return {};
  if (auto kept = VerifyCapabilities(promise, *status, /*only_bounding=*/true); !kept) return kept;
  if (auto kept = VerifyConfinement(promise, *status, /*is_crun=*/false); !kept) return kept;
  if (auto kept = VerifyNamespaces(promise, process->get()); !kept) return kept;
  // A process that may mount can change its own mount table.
  const auto sys_admin = privilege::CapabilityNumber("CAP_SYS_ADMIN");
  if (sys_admin && (promise.bounding() >> *sys_admin & 1) != 0) return {};
  const auto host = sys::MountTable::Read();
  if (!host) return host.error();
  const auto cgroup = ReadProc(process->get(), "cgroup");
  if (!cgroup) return cgroup.error();
  return VerifyMounts(promise, created, process->get(), *host, sys::CgroupPaths(*cgroup),
                      /*waits=*/false);
}

}  // namespace runclad::enforce
