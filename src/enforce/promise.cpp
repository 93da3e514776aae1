#include "runclad/enforce/promise.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <string_view>
#include <utility>

#include "runclad/privilege/capabilities.hpp"
#include "runclad/sys/file.hpp"

namespace runclad::enforce {
namespace {

// The spec's name of a namespace and the kernel's.
constexpr std::array<std::pair<std::string_view, const char*>, 5> kNamespaces = {{
    {"pid", "pid"},
    {"network", "net"},
    {"ipc", "ipc"},
    {"uts", "uts"},
    {"mount", "mnt"},
}};

constexpr std::size_t kMaxProcBytes = std::size_t{8} << 20;

bool IsAtOrBelow(std::string_view path, std::string_view directory) {
  return directory == "/" || (path.starts_with(directory) &&
                              (path.size() == directory.size() || path[directory.size()] == '/'));
}

std::uint64_t MaskOf(const std::vector<std::string>& capabilities) {
  std::uint64_t mask = 0;
  for (const std::string& name : capabilities) {
    if (const auto number = privilege::CapabilityNumber(name)) mask |= std::uint64_t{1} << *number;
  }
  return mask;
}

std::string Hex(std::uint64_t mask) {
  std::array<char, 17> digits{};
  std::to_chars(digits.data(), digits.data() + digits.size(), mask, 16);
  return digits.data();
}

Result<std::string> ReadProc(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return SystemError(path + " cannot be opened", errno);
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

Status VerifyStatus(const Promise& promise, const std::string& process, bool seccomp_is_late) {
  const auto status = ReadProc(process + "/status");
  if (!status) return status.error();
  if (promise.bounding) {
    const std::string_view text = Field(*status, "CapBnd");
    std::uint64_t bounding = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), bounding, 16);
    if (fault != std::errc() || (bounding & ~*promise.bounding) != 0) {
      return Error{"its bounding set is " + std::string(text) + ", promised was " +
                   Hex(*promise.bounding)};
    }
  }
  if (promise.no_new_privileges && Field(*status, "NoNewPrivs") != "1") {
    return Error{"no_new_privs is not set"};
  }
  if (promise.seccomp && !seccomp_is_late && Field(*status, "Seccomp") != "2") {
    return Error{"it has no seccomp filter"};
  }
  return {};
}

Status VerifyNamespaces(const Promise& promise, const std::string& process) {
  const std::string directory = process + "/ns/";
  for (const std::string& name : promise.own_namespaces) {
    struct stat ours {};
    struct stat theirs {};
    if (::stat(("/proc/self/ns/" + name).c_str(), &ours) != 0 ||
        ::stat((directory + name).c_str(), &theirs) != 0) {
      return SystemError("its " + name + " namespace cannot be examined", errno);
    }
    if (ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino) {
      return Error{"its " + name + " namespace is the host's"};
    }
  }
  return {};
}

// The last line of mountinfo whose mount point is / tells the options that count.
Status VerifyRoot(const std::string& process) {
  const auto mountinfo = ReadProc(process + "/mountinfo");
  if (!mountinfo) return mountinfo.error();
  std::string_view rest = *mountinfo;
  bool is_read_only = false;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    std::string_view fields = line;
    // mount id, parent id, major:minor, root, mount point, options
    std::array<std::string_view, 6> columns;
    for (std::string_view& column : columns) {
      column = fields.substr(0, fields.find(' '));
      fields.remove_prefix(std::min(fields.size(), column.size() + 1));
    }
    if (columns[4] != "/") continue;
    is_read_only = columns[5] == "ro" || columns[5].starts_with("ro,");
  }
  if (!is_read_only) return Error{"its root filesystem is writable"};
  return {};
}

Status VerifyBinds(const Promise& promise, const std::string& process) {
  if (promise.binds.empty()) return {};
  const UniqueFd root(::open((process + "/root").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) return SystemError("its root filesystem cannot be opened", errno);
  for (const Promise::Bind& bind : promise.binds) {
    const auto mounted = sys::OpenWithoutLinks(root.get(), bind.destination.substr(1), O_PATH);
    if (!mounted) return mounted.error().In("what is mounted at " + bind.destination);
    struct stat status {};
    if (::fstat(mounted->get(), &status) != 0) return SystemError(bind.destination, errno);
    if (status.st_dev != bind.device || status.st_ino != bind.inode) {
      return Error{"what is mounted at " + bind.destination +
                   " is not what was checked: its source was swapped"};
    }
  }
  return {};
}

}  // namespace

Promise PromiseOf(const oci::Spec& spec, const rules::Facts& facts) {
  Promise promise;
  for (const oci::CapabilitySet& set : spec.capabilities()) {
    if (set.name == "bounding") promise.bounding = MaskOf(set.capabilities);
  }
  promise.no_new_privileges = spec.no_new_privileges();
  promise.seccomp = spec.has_seccomp();
  promise.read_only_root = spec.root_is_read_only();
  for (const oci::Namespace& entry : spec.namespaces()) {
    const auto* kernels = std::ranges::find(kNamespaces, entry.type,
                                            &std::pair<std::string_view, const char*>::first);
    if (kernels == kNamespaces.end()) continue;
    const auto known = facts.namespaces.find(entry.path);
    const bool is_hosts = known != facts.namespaces.end() &&
                          known->second.owner == rules::NamespaceFacts::Owner::kHost;
    if (!is_hosts) promise.own_namespaces.emplace_back(kernels->second);
  }
  for (const oci::Mount& mount : spec.mounts()) {
    const std::string destination = facts.Resolve(mount.destination);
    std::erase_if(promise.binds, [&](const Promise::Bind& earlier) {
      return IsAtOrBelow(earlier.destination, destination);
    });
    const auto source = facts.sources.find(mount.source);
    if (!mount.is_bind() || source == facts.sources.end() || !destination.starts_with('/')) {
      continue;
    }
    // The engine's own files are not for others to swap, and engines replace them.
    if (source->second.access == rules::SourceFacts::Access::kEngineOwn) continue;
    if (source->second.inode == 0) continue;
    promise.binds.push_back({destination, source->second.device, source->second.inode});
  }
  for (const std::string& masked : spec.masked_paths()) {
    std::erase_if(promise.binds,
                  [&](const Promise::Bind& bind) { return IsAtOrBelow(bind.destination, masked); });
  }
  return promise;
}

Status Verify(const Promise& promise, pid_t pid, bool seccomp_is_late) {
  const std::string process = "/proc/" + std::to_string(pid);
  if (auto status = VerifyStatus(promise, process, seccomp_is_late); !status) return status;
  if (auto namespaces = VerifyNamespaces(promise, process); !namespaces) return namespaces;
  if (promise.read_only_root) {
    if (auto root = VerifyRoot(process); !root) return root;
  }
  return VerifyBinds(promise, process);
}

}  // namespace runclad::enforce
