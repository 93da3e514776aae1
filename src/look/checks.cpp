// The checks of `runcladctl score`: a table, from which the text, JSON and the pages are made.
#include <algorithm>
#include <array>
#include <cmath>

#include "runclad/look/json.hpp"
#include "runclad/look/score.hpp"
#include "runclad/privilege/capabilities.hpp"

#include "sensitive.hpp"

namespace runclad::look {
namespace {

std::optional<Finding> Good() { return Finding{}; }
std::optional<Finding> Bad(double badness = 1, std::string detail = {}) {
  return Finding{badness, std::move(detail)};
}

std::optional<Finding> If(bool is_bad, std::string detail = {}) {
  return is_bad ? Bad(1, std::move(detail)) : Good();
}

std::string Lower(std::string_view capability) {
  constexpr std::string_view kPrefix = "CAP_";
  if (capability.starts_with(kPrefix)) capability.remove_prefix(kPrefix.size());
  std::string text(capability);
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

std::string List(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

constexpr std::string_view kTakesOver[] = {"CAP_SYS_ADMIN",       "CAP_SYS_MODULE", "CAP_SYS_RAWIO",
                                           "CAP_SYS_PTRACE",      "CAP_BPF",        "CAP_PERFMON",
                                           "CAP_DAC_READ_SEARCH", "CAP_SYS_BOOT",   "CAP_MAC_ADMIN",
                                           "CAP_MAC_OVERRIDE",    "CAP_SYSLOG",     "CAP_SYS_TIME"};
constexpr std::string_view kNetworkCapabilities[] = {"CAP_NET_ADMIN", "CAP_NET_RAW"};

// Of the bounding set: a program that root starts can have them all.
std::vector<std::string> Held(const Container& container,
                              std::span<const std::string_view> capabilities) {
  std::vector<std::string> held;
  for (const std::string_view name : capabilities) {
    const auto number = privilege::CapabilityNumber(name);
    if (number && (container.credentials.bounding >> *number & 1) != 0) held.push_back(Lower(name));
  }
  return held;
}

// Half as bad in a user namespace of its own, where they do not count outside.
double InUserNamespace(const Container& container, double badness) {
  return container.can_be_host_root ? badness : badness / 2;
}

std::optional<Finding> PowerfulCapabilities(const Container& container) {
  const auto held = Held(container, kTakesOver);
  if (held.empty()) return Good();
  constexpr double kEnough = 3;  // of these are as bad as all
  const bool has_admin = std::ranges::find(held, "sys_admin") != held.end() ||
                         std::ranges::find(held, "sys_module") != held.end();
  const double badness = has_admin ? 1 : std::min(1.0, static_cast<double>(held.size()) / kEnough);
  return Bad(InUserNamespace(container, badness), List(held));
}

std::optional<Finding> NetworkCapabilities(const Container& container) {
  const auto held = Held(container, kNetworkCapabilities);
  if (held.empty()) return Good();
  return Bad(InUserNamespace(container,
                             static_cast<double>(held.size()) / std::size(kNetworkCapabilities)),
             List(held));
}

std::optional<Finding> OtherCapabilities(const Container& container) {
  std::vector<std::string> held;
  for (const std::string& name : CapabilityNames(container.credentials.bounding)) {
    if (std::ranges::find(kTakesOver, name) == std::end(kTakesOver) &&
        std::ranges::find(kNetworkCapabilities, name) == std::end(kNetworkCapabilities) &&
        name != "CAP_NET_BIND_SERVICE") {
      held.push_back(Lower(name));
    }
  }
  constexpr double kMany = 12;  // Docker's default has 12 of these
  return Bad(InUserNamespace(container, std::min(1.0, static_cast<double>(held.size()) / kMany)),
             List(held));
}

std::optional<Finding> HostRoot(const Container& container) { return If(container.is_host_root); }

std::optional<Finding> UserNamespace(const Container& container) {
  return If(container.can_be_host_root);
}

std::optional<Finding> NoNewPrivileges(const Container& container) {
  return If(!container.credentials.no_new_privileges);
}

std::optional<Finding> Seccomp(const Container& container) {
  if (container.filter.source == FilterSummary::Source::kNone) return Bad(1, "there is no filter");
  if (container.filter.source == FilterSummary::Source::kUnknown) return std::nullopt;
  return If(container.filter.allowed == container.filter.known, "the filter allows everything");
}

std::optional<Finding> RiskyCalls(const Container& container) {
  if (container.filter.source == FilterSummary::Source::kUnknown) return std::nullopt;
  constexpr double kMany = 8;
  return Bad(std::min(1.0, static_cast<double>(container.filter.risky.size()) / kMany),
             List(container.filter.risky));
}

std::optional<Finding> RootFileSystem(const Container& container) {
  return If(container.is_root_writable);
}

std::optional<Finding> WriteAndRun(const Container& container) {
  std::vector<std::string> places;
  for (const MountState& mount : container.mounts) {
    if (mount.is_writable && mount.may_execute && mount.type != "mqueue" &&
        mount.type != "devpts" && mount.type != "proc" && mount.type != "sysfs" &&
        !mount.type.starts_with("cgroup")) {
      places.push_back(mount.point);
    }
  }
  constexpr std::size_t kShown = 5;
  const bool is_any = !places.empty();
  if (places.size() > kShown) places.resize(kShown);
  return If(is_any, List(places));
}

std::optional<Finding> SensitiveMounts(const Container& container) {
  std::vector<std::string> found;
  for (const MountState& mount : container.mounts) {
    if (mount.is_host_bind && IsSensitive(mount)) found.push_back(mount.point);
  }
  const bool is_any = !found.empty();
  return If(is_any, List(found));
}

std::optional<Finding> WritableBinds(const Container& container) {
  std::vector<std::string> found;
  for (const MountState& mount : container.mounts) {
    const bool is_engine_file = mount.point == "/etc/hosts" || mount.point == "/etc/hostname" ||
                                mount.point == "/etc/resolv.conf" || mount.point == "/dev/shm";
    if (mount.is_host_bind && mount.is_writable && !is_engine_file &&
        !mount.point.starts_with("/dev") && !mount.point.starts_with("/proc")) {
      found.push_back(mount.point);
    }
  }
  constexpr double kMany = 4;
  return Bad(std::min(1.0, static_cast<double>(found.size()) / kMany), List(found));
}

template <int kKind>
std::optional<Finding> HostNamespace(const Container& container) {
  constexpr std::array<std::string_view, 5> kKinds = {"pid", "net", "ipc", "uts", "mnt"};
  if (container.FindNamespace(kKinds.at(kKind)) == nullptr) return std::nullopt;
  return If(container.SharesWithHost(kKinds.at(kKind)));
}

std::optional<Finding> Label(const Container& container) { return If(container.label.empty()); }

std::optional<Finding> KernelSettings(const Container& container) {
  // The last mount at or above /proc/sys decides.
  const MountState* found = nullptr;
  for (const MountState& mount : container.mounts) {
    if (mount.point == "/proc" || mount.point == "/proc/sys") found = &mount;
  }
  if (found == nullptr) return Good();
  return If(found->is_writable, found->point);
}

std::optional<Finding> Limit(const LimitState& limits, std::string_view kind, bool is_set) {
  if (std::ranges::find(limits.unknown, kind) != limits.unknown.end()) return std::nullopt;
  return If(!is_set);
}
std::optional<Finding> Memory(const Container& container) {
  return Limit(container.limits, "memory", container.limits.memory.has_value());
}
std::optional<Finding> Pids(const Container& container) {
  return Limit(container.limits, "pids", container.limits.pids.has_value());
}
std::optional<Finding> Cpus(const Container& container) {
  return Limit(container.limits, "cpu", container.limits.cpus.has_value());
}

std::optional<Finding> ImageTrust(const Container& container) {
  engine::Tier best = container.identity.is_known() ? engine::Tier::kTag : engine::Tier::kNone;
  for (const engine::ImageName& name : container.identity.names) best = std::max(best, name.tier);
  constexpr double kTagIsHalf = 0.5;
  if (best == engine::Tier::kNone) return Bad(1, "the image is not known");
  return best == engine::Tier::kTag ? Bad(kTagIsHalf, "known by a tag alone") : Good();
}

std::optional<Finding> Recorded(const Container& container) {
  if (container.promise == Promise::kUnknown) return std::nullopt;
  if (container.promise == Promise::kBroken) return Bad(1, container.difference);
  constexpr double kAuditIsHalf = 0.5;
  if (container.promise == Promise::kKept && container.mode == "audit") {
    return Bad(kAuditIsHalf, "in mode audit, nothing is enforced");
  }
  return If(container.promise == Promise::kNone, "it did not come through runclad");
}

// Restated from the benchmarks, not quoted.
constexpr Check kChecks[] = {
    {"host-root", 15, "The program is not the host's root", "The program runs as the host's root",
     "Whoever leaves the container, by a hole of the kernel or of the runtime, is root on the "
     "host.",
     "Start it as another user (docker run --user, runAsUser), or in a user namespace "
     "(userns-remap, --userns=auto). Rule: user.",
     "CIS 4.1, PSS restricted, NIST 800-190 4.4.3, PCI DSS 7.2", HostRoot},
    {"powerful-capabilities", 15, "It has no capability that leads to the host",
     "Its bounding set has capabilities that lead to the host",
     "With one of these, a program can mount, load code into the kernel, read any file or process, "
     "or change the host.",
     "Drop them (docker run --cap-drop ALL --cap-add NAME, securityContext.capabilities). "
     "Rule: capabilities.",
     "CIS 5.4, CIS 5.5, PSS baseline, NIST 800-190 4.4.3", PowerfulCapabilities},
    {"sensitive-mounts", 15, "No sensitive directory or engine socket of the host is mounted",
     "A sensitive directory or an engine's socket of the host is mounted",
     "The engine's socket, /, /etc and the like are the host: who can use them is root there.",
     "Mount the one directory that the program needs, read-only. Rule: host-mounts.",
     "CIS 5.6, CIS 5.32, PSS baseline, NIST 800-190 4.5.5", SensitiveMounts},
    {"host-mnt", 15, "It has mounts of its own", "It shares the host's mount namespace",
     "The host's whole file system is there.", "No engine does this: find out who started it.", "",
     HostNamespace<4>},
    {"seccomp", 12, "A seccomp filter limits its system calls",
     "No seccomp filter limits its system calls",
     "Every system call of the kernel, and every hole in one, can be reached.",
     "Do not start it with seccomp=unconfined or --privileged; set seccompProfile to "
     "RuntimeDefault. "
     "Rule: seccomp.",
     "CIS 5.22, PSS restricted, NIST 800-190 4.4.3", Seccomp},
    {"no-new-privileges", 10, "Programs cannot gain privileges",
     "A set-user-ID program can gain privileges",
     "A set-user-ID program or one with file capabilities in the image gives its power to any user "
     "of the container.",
     "docker run --security-opt no-new-privileges, allowPrivilegeEscalation: false. "
     "Rule: no-new-privileges.",
     "CIS 5.26, PSS restricted", NoNewPrivileges},
    {"host-pid", 10, "It does not see the host's processes", "It shares the host's process ids",
     "It sees every process with its arguments and environment, and can signal those of its user.",
     "Do not use --pid host, hostPID. Rule: host-namespaces.",
     "CIS 5.16, PSS baseline, NIST 800-190 4.4.3", HostNamespace<0>},
    {"host-net", 10, "It has a network of its own", "It shares the host's network",
     "It reaches what listens on the host's loopback and abstract sockets, and sees its traffic "
     "with "
     "CAP_NET_RAW.",
     "Do not use --network host, hostNetwork; publish ports. Rule: host-namespaces.",
     "CIS 5.10, PSS baseline, NIST 800-190 4.4.2", HostNamespace<1>},
    {"risky-calls", 10, "The filter lets no risky call through",
     "The filter lets calls through that have often led to holes",
     "User namespaces, BPF, io_uring, keyrings and rare socket families are where most recent "
     "holes "
     "of the kernel were.",
     "Use a narrower profile. Rule: seccomp; runcladctl can CONTAINER syscall NAME tells which.",
     "NIST 800-190 4.4.3", RiskyCalls},
    {"user-namespace", 8, "Its root is not the host's root",
     "Root in the container is root on the host",
     "A program that becomes root in the container has the host's root's id on every file and "
     "socket that it reaches.",
     "userns-remap for Docker, --userns=auto for podman, hostUsers: false for pods. "
     "Rule: user-namespace.",
     "CIS 2.9, CIS 5.31", UserNamespace},
    {"root-filesystem", 6, "Its root filesystem is read-only", "Its root filesystem is writable",
     "An intruder can change the program, and keep tools.",
     "docker run --read-only with --tmpfs for what is written, readOnlyRootFilesystem: true. "
     "Rule: read-only-rootfs.",
     "CIS 5.13, NIST 800-190 4.4.4", RootFileSystem},
    {"write-and-run", 6, "Nothing that it writes can be executed",
     "Programs can be written to and run from the same place",
     "What an intruder brings along runs.",
     "Mount volumes and tmpfs with noexec. Rule: mount-options.", "NIST 800-190 4.4.4",
     WriteAndRun},
    {"other-capabilities", 6, "It has no other capability beyond NET_BIND_SERVICE",
     "It has more capabilities than most programs need",
     "CHOWN, SETUID, DAC_OVERRIDE and the like break the borders between the users of a container.",
     "docker run --cap-drop ALL, and add what the program needs. Rule: capabilities.",
     "CIS 5.4, PSS restricted", OtherCapabilities},
    {"label", 5, "A security module confines it",
     "No AppArmor profile or SELinux label confines it",
     "There is no second line behind the namespaces.",
     "Load AppArmor or enable SELinux, and keep the engine's default profile. Rule: lsm-label.",
     "CIS 5.2, CIS 5.3, PSS baseline", Label},
    {"kernel-settings", 5, "Kernel settings in /proc/sys are read-only",
     "Kernel settings in /proc/sys can be written",
     "core_pattern and others start programs on the host.",
     "Do not use --privileged or systempaths=unconfined. Rule: readonly-paths.", "PSS baseline",
     KernelSettings},
    {"network-capabilities", 5, "It cannot forge packets or change interfaces",
     "It can forge packets or change interfaces",
     "NET_RAW can spoof other containers on a bridge, and NET_ADMIN reaches much of the kernel's "
     "network code.",
     "docker run --cap-drop NET_RAW --cap-drop NET_ADMIN. Rule: capabilities.",
     "CIS 5.4, PSS restricted", NetworkCapabilities},
    {"writable-binds", 4, "No directory of the host is writable",
     "Directories of the host can be written",
     "What is written there outlives the container, and other programs may trust it.",
     "Mount them read-only where the program only reads. Rule: read-only-mounts.", "CIS 5.6",
     WritableBinds},
    {"recorded", 4, "It runs as runclad decided",
     "It did not come through runclad, or runs otherwise than decided",
     "No policy was applied, or its state was changed from outside.",
     "runcladctl configure ENGINE --default, and start it again.", "", Recorded},
    {"host-ipc", 3, "It has System V memory of its own", "It shares the host's System V memory",
     "It can read and write shared memory of the host's programs.",
     "Do not use --ipc host, hostIPC. Rule: host-namespaces.", "CIS 5.17, PSS baseline",
     HostNamespace<2>},
    {"pids-limit", 3, "Its processes are limited", "Its processes are not limited",
     "A fork bomb takes the host's process ids.", "docker run --pids-limit. Rule: pids-limit.",
     "CIS 5.29", Pids},
    {"memory-limit", 3, "Its memory is limited", "Its memory is not limited",
     "It can take the host's memory, and the kernel then kills other programs.",
     "docker run --memory, resources.limits.memory. Rule: memory-limit.", "CIS 5.11", Memory},
    {"image-trust", 3, "Its image is known by its digest or a pull",
     "Its image is known by a tag, or not at all",
     "Whoever may tag images chooses what runs under this name.",
     "Pin it: runcladctl policy pin --from-container CONTAINER. Rule: image.",
     "CIS 4.2, NIST 800-190 4.1.5", ImageTrust},
    {"host-uts", 1, "It has a host name of its own", "It shares the host's name",
     "With CAP_SYS_ADMIN it can rename the host.", "Do not use --uts host. Rule: host-namespaces.",
     "CIS 5.21", HostNamespace<3>},
    {"cpu-limit", 1, "Its CPU time is limited", "Its CPU time is not limited",
     "It can slow down the host.", "docker run --cpus, resources.limits.cpu. Rule: cpu-limit.",
     "CIS 5.12", Cpus},
};

}  // namespace

std::span<const Check> Checks() { return kChecks; }

const Check* FindCheck(std::string_view id) {
  const auto* found = std::ranges::find(kChecks, id, &Check::id);
  return found == std::end(kChecks) ? nullptr : found;
}

}  // namespace runclad::look
