#include "runclad/rules/engine_sys.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "runclad/base/path.hpp"

namespace runclad::rules {
namespace {

using Owner = NamespaceFacts::Owner;

constexpr std::string_view kSys = "/sys";
constexpr std::string_view kCgroups = "/sys/fs/cgroup";

// What the bind may say: podman's own words, and those that harden it.
constexpr std::string_view kPodmanOptions[] = {"rprivate", "nosuid", "noexec",
                                               "nodev",    "ro",     "rbind"};
constexpr std::string_view kHardening[] = {"ro",  "nosuid",  "nodev",  "noexec",
                                           "rro", "rnosuid", "rnodev", "rnoexec"};

// Where file systems are mounted below /sys on common hosts. They are masked whether something is
// mounted there or not: it may be mounted between the check and the bind.
constexpr char kUsualMounts[][28] = {
    "/sys/firmware",      "/sys/fs/bpf",       "/sys/fs/cgroup",       "/sys/fs/fuse/connections",
    "/sys/fs/pstore",     "/sys/fs/resctrl",   "/sys/fs/selinux",      "/sys/fs/smackfs",
    "/sys/kernel/config", "/sys/kernel/debug", "/sys/kernel/security", "/sys/kernel/tracing",
};

bool Has(const auto& list, std::string_view entry) {
  return std::ranges::find(list, entry) != std::ranges::end(list);
}

const NamespaceFacts* Joined(const oci::Namespace& entry, EngineSysFacts facts) {
  const auto found = facts.Get<Namespaces>().find(entry.path);
  return found == facts.Get<Namespaces>().end() ? nullptr : &found->second;
}

bool HasHostNetwork(const oci::Spec& spec, EngineSysFacts facts) {
  return std::ranges::none_of(spec.namespaces(), [&](const oci::Namespace& entry) {
    if (entry.type != "network") return false;
    const NamespaceFacts* joined = Joined(entry, facts);
    return entry.path.empty() || (joined != nullptr && joined->owner != Owner::kHost);
  });
}

// Whether each user namespace of the document is a new one, or one of a container that runclad made
// or an engine keeps for this one.
bool HasKnownUserNamespace(const oci::Spec& spec, EngineSysFacts facts) {
  return std::ranges::all_of(spec.namespaces(), [&](const oci::Namespace& entry) {
    if (entry.type != "user" || entry.path.empty()) return true;
    const NamespaceFacts* joined = Joined(entry, facts);
    return joined != nullptr &&
           (joined->owner == Owner::kContainer || joined->owner == Owner::kEngine);
  });
}

// The container's own cgroup tree, which podman 5 has mounted over the host's.
bool IsOwnCgroup(const oci::Mount& mount, EngineSysFacts facts) {
  return !mount.is_bind() && (mount.type == "cgroup" || mount.type == "cgroup2") &&
         facts.Get<Destinations>().Resolve(mount.destination) == kCgroups;
}

// Whether it is mounted after the bind, which would cover it otherwise.
bool CoversCgroups(const oci::Spec& spec, EngineSysFacts facts) {
  const std::vector<oci::Mount>& mounts = spec.mounts();
  const auto bind = std::ranges::find_if(
      mounts, [&](const oci::Mount& mount) { return IsEngineSys(mount, facts); });
  return std::any_of(bind, mounts.end(),
                     [&](const oci::Mount& mount) { return IsOwnCgroup(mount, facts); });
}

// Who has CAP_SYS_ADMIN in its user namespace can take masks away.
bool MayUnmask(const oci::Spec& spec) {
  return std::ranges::any_of(spec.capabilities(), [](const oci::CapabilitySet& set) {
    return Has(set.capabilities, "CAP_SYS_ADMIN");
  });
}

// A predicate about the options.
std::string WhyNotThese(const std::vector<std::string>& options) {
  for (const std::string& option : options) {
    if (Has(kPodmanOptions, option) || Has(kHardening, option)) continue;
    return "has the option " + option + ", which podman does not give it";
  }
  for (const char* needed : {"ro", "rprivate", "rbind"}) {
    if (!Has(options, needed)) return std::string("lacks the option ") + needed;
  }
  return {};
}

}  // namespace

bool IsEngineSys(const oci::Mount& mount, EngineSysFacts facts) {
  if (!facts.Get<HostSys>() || !facts.Get<UserNamespace>() || !mount.is_bind()) return false;
  if (mount.source != kSys || mount.destination != kSys ||
      facts.Get<Destinations>().Resolve(kSys.data()) != kSys) {
    return false;
  }
  const auto source = facts.Get<Sources>().find(mount.source);
  return source != facts.Get<Sources>().end() && source->second.resolved == kSys;
}

std::string WhyNoEngineSys(const oci::Spec& spec, const oci::Mount& mount, EngineSysFacts facts) {
  // mount_setattr(2), which recursive options need, came with Linux 5.12.
  constexpr std::pair kRecursiveSince = {5, 12};
  if (!facts.Get<HostSys>()->fault.empty()) return facts.Get<HostSys>()->fault;
  if (std::string why = WhyNotThese(mount.options); !why.empty()) return why;
  if (std::pair(facts.Get<KernelFacts>().major, facts.Get<KernelFacts>().minor) < kRecursiveSince) {
    return "cannot be made read-only with what is mounted below it before Linux 5.12";
  }
  if (facts.Get<UserNamespace>()->has_host_ids) {
    return "would be read by a user namespace that has the host's root user or group in it";
  }
  if (!HasKnownUserNamespace(spec, facts)) {
    return "would be read from a user namespace that belongs to no container of runclad";
  }
  const auto is_there = [&](const oci::Mount& other) {
    return IsAtOrBelow(facts.Get<Destinations>().Resolve(other.destination), kSys);
  };
  const auto wanted = CoversCgroups(spec, facts) ? 2 : 1;
  if (std::ranges::count_if(spec.mounts(), is_there) != wanted) {
    return "is not the only mount at or below /sys but for the container's own cgroups";
  }
  if (MayUnmask(spec)) {
    return "would be had with CAP_SYS_ADMIN, which can take the masks away that hide what the host "
           "has mounted below it";
  }
  return {};
}

std::vector<std::string> HardenedSysOptions(const oci::Mount& mount) {
  std::vector<std::string> options = mount.options;
  for (const std::string_view option : kHardening) {
    if (!Has(options, option)) options.emplace_back(option);
  }
  return options;
}

std::vector<std::string> MasksOverSys(const oci::Spec& spec, EngineSysFacts facts) {
  std::vector<std::string> masks = spec.masked_paths();
  const bool covers_cgroups = CoversCgroups(spec, facts);
  const auto add = [&](std::string_view path) {
    const bool is_hidden = (covers_cgroups && IsAtOrBelow(path, kCgroups)) ||
                           std::ranges::any_of(masks, [&](const std::string& mask) {
                             return IsAtOrBelow(path, mask);
                           });
    if (!is_hidden) masks.emplace_back(path);
  };
  for (const std::string_view path : kUsualMounts) add(path);
  for (const std::string& path : facts.Get<HostSys>()->mounts) add(path);
  // Its own devices, where it has the host's network.
  if (HasHostNetwork(spec, facts)) return masks;
  for (const std::string& path : facts.Get<HostSys>()->network) add(path);
  return masks;
}

bool IsHardenedSys(const oci::Spec& spec, const oci::Mount& mount, EngineSysFacts facts) {
  return IsEngineSys(mount, facts) && WhyNoEngineSys(spec, mount, facts).empty() &&
         HardenedSysOptions(mount) == mount.options &&
         MasksOverSys(spec, facts) == spec.masked_paths();
}

}  // namespace runclad::rules
