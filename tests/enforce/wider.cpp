#include "wider.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <limits>
#include <set>
#include <string_view>
#include <vector>

namespace runclad::enforce {
namespace {

using Set = std::set<std::string>;
using Strings = std::vector<std::string>;

template <typename Range>
Set Of(const Range& names) {
  return {names.begin(), names.end()};
}

std::string FirstBeyond(const Set& after, const Set& before) {
  for (const std::string& name : after) {
    if (!before.contains(name)) return name;
  }
  return {};
}

std::string Capabilities(const oci::Spec& before, const oci::Spec& after) {
  const auto given = before.capabilities();
  for (const oci::CapabilitySet& set : after.capabilities()) {
    const auto had = std::ranges::find(given, set.name, &oci::CapabilitySet::name);
    const Set allowed = had == given.end() ? Set() : Of(had->capabilities);
    if (const auto more = FirstBeyond(Of(set.capabilities), allowed); !more.empty()) {
      return std::string(set.name) + " has " + more;
    }
  }
  return {};
}

std::string Process(const oci::Spec& before, const oci::Spec& after) {
  if (before.no_new_privileges() && !after.no_new_privileges()) return "new privileges";
  const oci::User was = before.user();
  const oci::User is = after.user();
  if (was.uid != 0 && is.uid != was.uid) return "another user";
  if (was.gid != 0 && is.gid != was.gid && was.uid != 0) return "another group";
  for (const std::uint32_t gid : is.additional_gids) {
    if (std::ranges::find(was.additional_gids, gid) == was.additional_gids.end()) {
      return "the group " + std::to_string(gid);
    }
  }
  const auto limits = before.rlimits();
  for (const oci::Rlimit& limit : after.rlimits()) {
    for (const oci::Rlimit& had : limits) {
      if (had.type == limit.type && (limit.hard > had.hard || limit.soft > had.soft)) {
        return "a higher " + limit.type;
      }
    }
  }
  const auto score = before.oom_score_adjustment();
  if (score && after.oom_score_adjustment().value_or(0) < std::min<std::int64_t>(*score, 0)) {
    return "a lower oomScoreAdj";
  }
  return {};
}

// Of options that contradict one another the last counts: none of them is lost or added.
std::string WiderOptions(const oci::Mount& had, const oci::Mount& mount) {
  constexpr std::string_view kTight[] = {"ro",  "nosuid",  "nodev",  "noexec",
                                         "rro", "rnosuid", "rnodev", "rnoexec"};
  constexpr std::string_view kLoose[] = {"rw",   "suid",  "dev",    "exec",    "rrw",     "rsuid",
                                         "rdev", "rexec", "shared", "rshared", "remount", "rbind"};
  for (const std::string_view option : kTight) {
    const bool has_stronger = mount.has_option("r" + std::string(option));
    if (had.has_option(option) && !mount.has_option(option) && !has_stronger) {
      return mount.destination + " without " + std::string(option);
    }
  }
  for (const std::string_view option : kLoose) {
    if (mount.has_option(option) && !had.has_option(option)) {
      return mount.destination + " with " + std::string(option);
    }
  }
  return {};
}

// Held against those that `before` has of the same source at the same place: it may have several.
std::string WiderMount(const oci::Spec& before, const oci::Mount& mount) {
  std::string wider = "a new mount at " + mount.destination;
  for (const oci::Mount& had : before.mounts()) {
    if (had.destination != mount.destination || had.source != mount.source ||
        had.type != mount.type) {
      continue;
    }
    wider = WiderOptions(had, mount);
    if (wider.empty()) return {};
  }
  // Something to write to in place of the writable root.
  const bool is_scratch = mount.type == "tmpfs" && mount.has_option("nosuid") &&
                          mount.has_option("nodev") && mount.has_option("noexec");
  return is_scratch && !before.root_is_read_only() ? "" : wider;
}

std::string Mounts(const oci::Spec& before, const oci::Spec& after) {
  for (const oci::Mount& mount : after.mounts()) {
    if (std::string wider = WiderMount(before, mount); !wider.empty()) return wider;
  }
  if (before.root_is_read_only() && !after.root_is_read_only()) return "a writable root";
  constexpr std::string_view kShared[] = {"shared", "rshared"};
  const std::string propagation = after.rootfs_propagation();
  if (propagation != before.rootfs_propagation() &&
      std::ranges::find(kShared, propagation) != std::end(kShared)) {
    return "mounts that propagate";
  }
  return {};
}

std::string Namespaces(const oci::Spec& before, const oci::Spec& after) {
  const auto own = after.namespaces();
  for (const oci::Namespace& had : before.namespaces()) {
    const auto is_kept = [&](const oci::Namespace& now) {
      return now.type == had.type && (now.path.empty() || now.path == had.path);
    };
    if (std::ranges::none_of(own, is_kept)) return "no " + had.type + " namespace of its own";
  }
  return {};
}

bool Covers(const oci::DeviceRule& had, const oci::DeviceRule& now) {
  const bool is_type = had.type.empty() || had.type == "a" || had.type == now.type;
  const bool is_number =
      (had.major < 0 || had.major == now.major) && (had.minor < 0 || had.minor == now.minor);
  const bool is_access = std::ranges::all_of(
      now.access, [&](char access) { return had.access.find(access) != std::string::npos; });
  return had.allow && is_type && is_number && is_access;
}

std::string Devices(const oci::Spec& before, const oci::Spec& after) {
  Set had;
  for (const oci::Device& device : before.devices()) {
    had.insert(device.path + " " + device.type + std::to_string(device.major) + ":" +
               std::to_string(device.minor));
  }
  for (const oci::Device& device : after.devices()) {
    const std::string name = device.path + " " + device.type + std::to_string(device.major) + ":" +
                             std::to_string(device.minor);
    if (!had.contains(name)) return "the device " + name;
  }
  const auto rules = before.device_rules();
  if (rules.empty()) return {};  // everything
  for (const oci::DeviceRule& rule : after.device_rules()) {
    const auto covers = [&](const oci::DeviceRule& other) { return Covers(other, rule); };
    if (rule.allow && std::ranges::none_of(rules, covers)) return "a device in its cgroup";
  }
  return {};
}

std::string Limits(const oci::Spec& before, const oci::Spec& after) {
  constexpr std::pair<const char*, const char*> kLimits[] = {
      {"pids", "limit"}, {"memory", "limit"}, {"memory", "swap"}, {"cpu", "quota"}};
  for (const auto& [group, name] : kLimits) {
    const auto had = before.resource(group, name);
    const auto now = after.resource(group, name);
    if (!had || *had <= 0) continue;
    if (!now || *now <= 0 || *now > *had) return std::string("more of ") + group + "/" + name;
  }
  return {};
}

Set Pairs(const std::vector<std::pair<std::string, std::string>>& pairs) {
  Set joined;
  for (const auto& [name, value] : pairs)
    joined.insert(std::string(name).append("=").append(value));
  return joined;
}

Set Hooks(const oci::Spec& spec) {
  Set hooks;
  for (const oci::Hook& hook : spec.hooks()) {
    std::string text = hook.path;
    for (const std::string& argument : hook.args) text += " " + argument;
    hooks.insert(text);
  }
  return hooks;
}

// Names that some rule allows; none when the filter lists what it denies.
std::optional<Set> AllowedCalls(const oci::Spec& spec) {
  const auto filter = spec.seccomp();
  constexpr std::string_view kDenials[] = {"SCMP_ACT_ERRNO", "SCMP_ACT_KILL", "SCMP_ACT_TRAP",
                                           "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD"};
  if (!filter || std::ranges::find(kDenials, filter->default_action) == std::end(kDenials)) {
    return std::nullopt;
  }
  Set names;
  for (const privilege::SeccompRule& rule : filter->rules) {
    if (rule.action == "SCMP_ACT_ALLOW") names.insert(rule.names.begin(), rule.names.end());
  }
  return names;
}

std::string Calls(const oci::Spec& before, const oci::Spec& after) {
  const auto had = AllowedCalls(before);
  if (!had) return {};
  const auto now = AllowedCalls(after);
  if (!now) return "every system call";
  const std::string more = FirstBeyond(*now, *had);
  return more.empty() ? "" : "the system call " + more;
}

// What Docker gives every container with a network of its own may be added.
std::string Sysctls(const oci::Spec& before, const oci::Spec& after) {
  const Set docker = {"net.ipv4.ip_unprivileged_port_start", "net.ipv4.ping_group_range"};
  const auto had = before.sysctls();
  for (const auto& [name, value] : after.sysctls()) {
    const auto found = std::ranges::find(had, name, &std::pair<std::string, std::string>::first);
    const bool is_as_before = found != had.end() && found->second == value;
    if (!is_as_before && (found != had.end() || !docker.contains(name))) return "sysctl " + name;
  }
  return {};
}

std::string Rest(const oci::Spec& before, const oci::Spec& after) {
  const auto beyond = [](const char* what, const Set& now, const Set& had) {
    const std::string more = FirstBeyond(now, had);
    return more.empty() ? std::string() : what + more;
  };
  Set masked = Of(before.masked_paths());
  masked.erase("/");  // hides nothing: processes keep the root below it
  Set read_only = Of(before.readonly_paths());
  if (after.root_is_read_only()) read_only.erase("/");
  std::string more = beyond("unmasked ", masked, Of(after.masked_paths()));
  if (more.empty()) more = beyond("writable ", read_only, Of(after.readonly_paths()));
  if (more.empty()) more = Sysctls(before, after);
  if (more.empty()) more = beyond("hook ", Hooks(after), Hooks(before));
  if (more.empty()) {
    more = beyond("annotation ", Pairs(after.annotations()), Pairs(before.annotations()));
  }
  return more;
}

}  // namespace

std::string Wider(const oci::Spec& before, const oci::Spec& after) {
  for (const auto& compare :
       {Capabilities, Process, Mounts, Namespaces, Devices, Limits, Calls, Rest}) {
    if (std::string more = compare(before, after); !more.empty()) return more;
  }
  return {};
}

}  // namespace runclad::enforce
