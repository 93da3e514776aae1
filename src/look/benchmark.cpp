// One table of the benchmarks' checks, from which reports and pages are made.
#include "runclad/look/benchmark.hpp"

#include <algorithm>
#include <iterator>
#include <vector>

#include "runclad/look/json.hpp"
#include "runclad/privilege/capabilities.hpp"

#include "sensitive.hpp"

namespace runclad::look {
namespace {

constexpr std::size_t kShown = 6;  // entries of a list in a detail

Assessment If(bool is_bad, std::string detail = {}) {
  return {is_bad ? Ruling::kFail : Ruling::kPass, is_bad ? std::move(detail) : std::string()};
}

Assessment Unknown(std::string why) { return {Ruling::kUnknown, std::move(why)}; }

Assessment IfAny(const std::vector<std::string>& found) {
  std::string text;
  for (std::size_t i = 0; i < found.size() && i < kShown; ++i) {
    text += (i == 0 ? "" : " ") + found[i];
  }
  if (found.size() > kShown) text += " and " + std::to_string(found.size() - kShown) + " more";
  return If(!found.empty(), std::move(text));
}

// Those of the bounding set that are not among `allowed`.
std::vector<std::string> CapabilitiesBeyond(const Container& container,
                                            std::span<const std::string_view> allowed) {
  std::vector<std::string> found = CapabilityNames(container.credentials.bounding);
  std::erase_if(found, [&](const std::string& name) {
    return std::ranges::find(allowed, name) != allowed.end();
  });
  return found;
}

constexpr std::string_view kOfDocker[] = {
    "CAP_AUDIT_WRITE", "CAP_CHOWN",  "CAP_DAC_OVERRIDE",     "CAP_FOWNER",  "CAP_FSETID",
    "CAP_KILL",        "CAP_MKNOD",  "CAP_NET_BIND_SERVICE", "CAP_SETFCAP", "CAP_SETGID",
    "CAP_SETPCAP",     "CAP_SETUID", "CAP_SYS_CHROOT",       "CAP_NET_RAW"};
constexpr std::string_view kOfBaseline[] = {
    "CAP_AUDIT_WRITE", "CAP_CHOWN",  "CAP_DAC_OVERRIDE",     "CAP_FOWNER",  "CAP_FSETID",
    "CAP_KILL",        "CAP_MKNOD",  "CAP_NET_BIND_SERVICE", "CAP_SETFCAP", "CAP_SETGID",
    "CAP_SETPCAP",     "CAP_SETUID", "CAP_SYS_CHROOT"};
constexpr std::string_view kOfRestricted[] = {"CAP_NET_BIND_SERVICE"};

Assessment DockerCapabilities(const Container& container) {
  return IfAny(CapabilitiesBeyond(container, kOfDocker));
}
Assessment BaselineCapabilities(const Container& container) {
  return IfAny(CapabilitiesBeyond(container, kOfBaseline));
}
Assessment RestrictedCapabilities(const Container& container) {
  return IfAny(CapabilitiesBeyond(container, kOfRestricted));
}

Assessment Privileged(const Container& container) {
  std::uint64_t all = 0;
  for (const std::string& name : privilege::AllCapabilities()) {
    const auto number = privilege::CapabilityNumber(name);
    if (number) all |= std::uint64_t{1} << *number;
  }
  // Older kernels have fewer capabilities; a privileged container has all of these on any kernel.
  constexpr std::string_view kSigns[] = {"CAP_SYS_ADMIN", "CAP_SYS_MODULE", "CAP_SYS_RAWIO"};
  const bool has_signs = std::ranges::all_of(kSigns, [&](std::string_view name) {
    const auto number = privilege::CapabilityNumber(name);
    return number && (container.credentials.bounding >> *number & 1) != 0;
  });
  const bool has_no_filter = container.credentials.seccomp_mode == 0;
  return If((container.credentials.bounding & all) == all || (has_signs && has_no_filter),
            "every capability");
}

// AppArmor's labels end in a mode, "docker-default (enforce)", and SELinux's do not.
bool IsOfAppArmor(const Container& container) { return container.label.ends_with(')'); }

Assessment AppArmor(const Container& container) {
  if (!container.label.empty() && !IsOfAppArmor(container)) return Unknown("SELinux is used here");
  return If(container.label.empty(), "no profile confines it");
}
Assessment SeLinux(const Container& container) {
  if (container.label.empty() || IsOfAppArmor(container)) {
    return Unknown("SELinux is not used here");
  }
  return If(container.label.find(":unconfined") != std::string::npos, container.label);
}

template <typename Is>
std::vector<std::string> Points(const Container& container, Is&& is_meant) {
  std::vector<std::string> points;
  for (const MountState& mount : container.mounts) {
    if (mount.is_host_bind && is_meant(mount)) points.push_back(mount.point);
  }
  return points;
}

Assessment SensitiveDirectories(const Container& container) {
  return IfAny(Points(container, IsSensitive));
}
Assessment EngineSockets(const Container& container) {
  return IfAny(Points(container, IsEngineSocket));
}
Assessment HostPaths(const Container& container) {
  return IfAny(Points(container, [](const MountState& mount) { return !IsOfEngine(mount); }));
}

Assessment Sshd(const Container& container) {
  return If(std::ranges::find(container.programs, "sshd") != container.programs.end(), "sshd");
}

// The ports of a container with its own network namespace are published by firewall rules, which
// are not read.
Assessment PrivilegedPorts(const Container& container) {
  if (!container.SharesWithHost("net")) {
    return Unknown("which ports are published is the engine's setting");
  }
  constexpr std::uint16_t kFirstFree = 1024;
  std::vector<std::string> ports;
  for (const Listener& listener : container.listeners) {
    if (listener.port < kFirstFree) ports.push_back(std::to_string(listener.port));
  }
  return IfAny(ports);
}

Assessment Shared(const Container& container, std::string_view kind) {
  if (container.FindNamespace(kind) == nullptr) {
    return Unknown("its namespaces cannot be read");
  }
  return If(container.SharesWithHost(kind), "the host's");
}
Assessment HostNetwork(const Container& container) { return Shared(container, "net"); }
Assessment HostProcesses(const Container& container) { return Shared(container, "pid"); }
Assessment HostIpc(const Container& container) { return Shared(container, "ipc"); }
Assessment HostUts(const Container& container) { return Shared(container, "uts"); }
Assessment HostUsers(const Container& container) {
  return If(container.can_be_host_root, "user 0 is the host's root");
}
Assessment HostNamespaces(const Container& container) {
  std::vector<std::string> shared;
  for (const char* kind : {"net", "pid", "ipc"}) {
    if (container.SharesWithHost(kind)) shared.emplace_back(kind);
  }
  return IfAny(shared);
}

Assessment Limit(const Container& container, std::string_view kind, bool is_set) {
  const auto& unknown = container.limits.unknown;
  if (std::ranges::find(unknown, kind) != unknown.end()) {
    return Unknown("its cgroup cannot be read");
  }
  return If(!is_set, "no limit");
}
Assessment Memory(const Container& container) {
  return Limit(container, "memory", container.limits.memory.has_value());
}
Assessment Cpus(const Container& container) {
  return Limit(container, "cpu", container.limits.cpus.has_value());
}
Assessment Pids(const Container& container) {
  return Limit(container, "pids", container.limits.pids.has_value());
}

Assessment ReadOnlyRoot(const Container& container) {
  return If(container.is_root_writable, "writable");
}

// What runc allows in every container: mknod, /dev/null and its like, terminals.
bool IsUsualDevice(std::string_view rule) {
  constexpr std::string_view kUsual[] = {"c *:* m", "b *:* m", "c 1:3 ", "c 1:5 ",
                                         "c 1:7 ",  "c 1:8 ",  "c 1:9 ", "c 5:0 ",
                                         "c 5:1 ",  "c 5:2 ",  "c 136:", "c 10:200 "};
  constexpr std::string_view kNodesAlone = "*:* m";
  return std::ranges::any_of(kUsual, [&](std::string_view start) {
    return start.ends_with(kNodesAlone) ? rule == start : rule.starts_with(start);
  });
}

Assessment Devices(const Container& container) {
  if (!container.device_rules) {
    return Unknown("the device rules of cgroup v2 are a program, which is not read");
  }
  std::vector<std::string> found;
  std::string_view rest = *container.device_rules;
  while (!rest.empty()) {
    const std::string_view rule = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), rule.size() + 1));
    if (!rule.empty() && !IsUsualDevice(rule)) found.emplace_back(rule);
  }
  return IfAny(found);
}

Assessment Propagation(const Container& container) {
  std::vector<std::string> points;
  for (const MountState& mount : container.mounts) {
    if (mount.propagates_to_host) points.push_back(mount.point);
  }
  return IfAny(points);
}

Assessment Filter(const Container& container) {
  if (container.credentials.seccomp_mode == 0) return If(true, "there is no filter");
  const FilterSummary& filter = container.filter;
  if (filter.source == FilterSummary::Source::kUnknown) return Unknown("its filter is not known");
  return If(filter.known > 0 && filter.allowed == filter.known, "the filter allows everything");
}

Assessment NoNewPrivileges(const Container& container) {
  return If(!container.credentials.no_new_privileges, "set-user-ID programs can raise privileges");
}

Assessment NotRoot(const Container& container) {
  if (!container.user_inside) return Unknown("its user is not mapped");
  return If(*container.user_inside == 0, "user 0");
}

// The last mount at or above /proc/sys decides.
Assessment KernelSettings(const Container& container) {
  const MountState* found = nullptr;
  for (const MountState& mount : container.mounts) {
    if (mount.point == "/proc" || mount.point == "/proc/sys") found = &mount;
  }
  return If(found != nullptr && found->is_writable, "/proc/sys is writable");
}

constexpr std::string_view kSetup = "NIST 800-190 4.4.3, PCI DSS 2.2.6";
constexpr std::string_view kLeast = "NIST 800-190 4.4.3, PCI DSS 7.2.2";
constexpr std::string_view kNetwork = "NIST 800-190 4.4.2, PCI DSS 2.2.4";
constexpr std::string_view kTampering = "NIST 800-190 4.5.5, PCI DSS 7.2.2";

constexpr Control kControls[] = {
    {"CIS", "5.1", "Swarm mode is off where it is not used", "", "", nullptr},
    {"CIS", "5.2", "An AppArmor profile confines the container", "attr/apparmor/current", kSetup,
     AppArmor},
    {"CIS", "5.3", "Where SELinux is used, a label confines the container", "attr/current", kSetup,
     SeLinux},
    {"CIS", "5.4", "It has no capability beyond Docker's default ones", "CapBnd", kLeast,
     DockerCapabilities},
    {"CIS", "5.5", "It is not privileged", "CapBnd, Seccomp", kLeast, Privileged},
    {"CIS", "5.6", "No sensitive directory of the host is mounted", "mountinfo", kTampering,
     SensitiveDirectories},
    {"CIS", "5.7", "No SSH server runs in it", "comm of its processes", "PCI DSS 2.2.4", Sshd},
    {"CIS", "5.8", "No port below 1024 of the host is mapped to it",
     "sockets, where the network is the host's", kNetwork, PrivilegedPorts},
    {"CIS", "5.9", "Only ports that are needed are open", "", kNetwork, nullptr},
    {"CIS", "5.10", "It does not share the host's network", "ns/net", kNetwork, HostNetwork},
    {"CIS", "5.11", "Its memory is limited", "memory.max", kSetup, Memory},
    {"CIS", "5.12", "Its CPU time is limited", "cpu.max", kSetup, Cpus},
    {"CIS", "5.13", "Its root filesystem is read-only", "mountinfo",
     "NIST 800-190 4.4.4, PCI DSS 2.2.6", ReadOnlyRoot},
    {"CIS", "5.14", "Published ports are bound to one address of the host", "", kNetwork, nullptr},
    {"CIS", "5.15", "It is not started again without end", "", "", nullptr},
    {"CIS", "5.16", "It does not share the host's processes", "ns/pid", kSetup, HostProcesses},
    {"CIS", "5.17", "It does not share the host's IPC", "ns/ipc", kSetup, HostIpc},
    {"CIS", "5.18", "No device of the host is given to it", "devices.list", kTampering, Devices},
    {"CIS", "5.19", "Its resource limits are chosen where the defaults do not fit", "", "",
     nullptr},
    {"CIS", "5.20", "What it mounts does not appear on the host", "mountinfo, shared peer groups",
     kTampering, Propagation},
    {"CIS", "5.21", "It does not share the host's name", "ns/uts", kSetup, HostUts},
    {"CIS", "5.22", "A seccomp filter is in force", "Seccomp, its filters", kSetup, Filter},
    {"CIS", "5.23", "docker exec is not used with --privileged", "", "", nullptr},
    {"CIS", "5.24", "docker exec is not used as root", "", "", nullptr},
    {"CIS", "5.25", "Its cgroup is one that was meant for it", "", "", nullptr},
    {"CIS", "5.26", "Its programs cannot raise their privileges", "NoNewPrivs", kLeast,
     NoNewPrivileges},
    {"CIS", "5.27", "Its health is checked", "", "", nullptr},
    {"CIS", "5.28", "Its image is up to date", "", "NIST 800-190 4.1.1, PCI DSS 6.3.3", nullptr},
    {"CIS", "5.29", "The number of its processes is limited", "pids.max", kSetup, Pids},
    {"CIS", "5.30", "It is not on Docker's default bridge", "", kNetwork, nullptr},
    {"CIS", "5.31", "Its root is not the host's root", "uid_map", kLeast, HostUsers},
    {"CIS", "5.32", "No engine's socket is mounted", "mountinfo", kTampering, EngineSockets},
    {"PSS", "baseline/host-namespaces", "It shares no network, processes or IPC with the host",
     "ns/net, ns/pid, ns/ipc", "", HostNamespaces},
    {"PSS", "baseline/privileged", "It is not privileged", "CapBnd, Seccomp", "", Privileged},
    {"PSS", "baseline/capabilities", "It has none beyond the 13 that are allowed", "CapBnd", "",
     BaselineCapabilities},
    {"PSS", "baseline/host-path", "No directory of the host is mounted", "mountinfo", "",
     HostPaths},
    {"PSS", "baseline/proc-mount", "Kernel settings are read-only", "mountinfo", "",
     KernelSettings},
    {"PSS", "baseline/seccomp", "A seccomp filter is in force", "Seccomp, its filters", "", Filter},
    {"PSS", "restricted/privilege-escalation", "Its programs cannot raise their privileges",
     "NoNewPrivs", "", NoNewPrivileges},
    {"PSS", "restricted/non-root", "Its program is not root in the container", "Uid, uid_map", "",
     NotRoot},
    {"PSS", "restricted/capabilities", "It has none but NET_BIND_SERVICE", "CapBnd", "",
     RestrictedCapabilities},
};

}  // namespace

std::span<const Control> Controls() { return kControls; }

Assessment Assess(const Control& control, const Container& container) {
  if (control.assess == nullptr) return Unknown("the kernel's state does not show it");
  return control.assess(container);
}

std::string_view PodSecurityLevel(const Container& container) {
  const auto fails = [&](std::string_view level) {
    return std::ranges::any_of(kControls, [&](const Control& control) {
      return control.framework == "PSS" && control.id.starts_with(level) &&
             Assess(control, container).ruling == Ruling::kFail;
    });
  };
  if (fails("baseline")) return "privileged";
  return fails("restricted") ? "baseline" : "restricted";
}

}  // namespace runclad::look
