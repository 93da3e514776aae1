#include "runclad/enforce/promise.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "runclad/privilege/capabilities.hpp"
#include "runclad/rules/catalog.hpp"
#include "runclad/rules/engine_sys.hpp"

namespace runclad::enforce {
namespace {

using policy::Action;

// The spec's name of a namespace and the kernel's. A new time namespace is not the first process's
// own but its children's.
constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kNamespaces = {{
    {"pid", "pid"},
    {"network", "net"},
    {"ipc", "ipc"},
    {"uts", "uts"},
    {"mount", "mnt"},
    {"user", "user"},
    {"cgroup", "cgroup"},
}};

struct FlagName {
  std::string_view name;
  unsigned flag;
};
constexpr FlagName kFlagNames[] = {
    {"ro", kReadOnly}, {"nosuid", kNoSuid}, {"nodev", kNoDev}, {"noexec", kNoExec}};
constexpr FlagName kClearNames[] = {
    {"rw", kReadOnly}, {"suid", kNoSuid}, {"dev", kNoDev}, {"exec", kNoExec}};

// The bit that `name` stands for in `names`; 0: none.
unsigned BitOf(std::string_view name, const FlagName (&names)[4]) {
  const auto* found = std::ranges::find(names, name, &FlagName::name);
  return found == std::end(names) ? 0 : found->flag;
}

struct Flags {
  unsigned top = 0;        // of the mount itself
  unsigned recursive = 0;  // of what comes along below it
};

// Recursive options ("rro") count whatever plain ones come after them.
Flags FlagsOf(const std::vector<std::string>& options) {
  unsigned plain = 0;
  Flags flags;
  unsigned recursive_clear = 0;
  for (const std::string_view option : options) {
    plain |= BitOf(option, kFlagNames);
    plain &= ~BitOf(option, kClearNames);
    if (!option.starts_with('r')) continue;
    const unsigned set = BitOf(option.substr(1), kFlagNames);
    const unsigned clear = BitOf(option.substr(1), kClearNames);
    flags.recursive = (flags.recursive | set) & ~clear;
    recursive_clear = (recursive_clear | clear) & ~set;
  }
  flags.top = (plain | flags.recursive) & ~recursive_clear;
  return flags;
}

std::uint64_t MaskOf(const std::vector<std::string>& capabilities) {
  std::uint64_t mask = 0;
  for (const std::string& name : capabilities) {
    if (const auto number = privilege::CapabilityNumber(name)) mask |= std::uint64_t{1} << *number;
  }
  return mask;
}

std::vector<std::string> LayersOf(const oci::Mount& mount) {
  std::vector<std::string> layers;
  for (const std::string& option : mount.options) {
    for (const std::string_view name : {"lowerdir=", "upperdir=", "workdir="}) {
      if (option.starts_with(name)) layers.push_back(option);
    }
  }
  return layers;
}

bool MayReceiveMounts(const oci::Mount& mount) {
  return std::ranges::any_of(mount.options, [](std::string_view option) {
    return option == "shared" || option == "rshared" || option == "slave" || option == "rslave";
  });
}

PromisedMount Bind(const oci::Mount& mount, PromiseFacts facts) {
  PromisedMount bind;
  bind.is_recursive = mount.may_be_recursive();
  const auto source = facts.Get<rules::Sources>().find(mount.source);
  if (source == facts.Get<rules::Sources>().end()) return bind;
  bind.source = source->second.resolved;
  bind.device = source->second.device;
  bind.inode = source->second.inode;
  bind.file_system = source->second.file_system;
  bind.root = source->second.place;
  bind.replaceable_because = source->second.replaceable_because;
  return bind;
}

PromisedMount MountOf(const oci::Mount& mount, PromiseFacts facts) {
  PromisedMount promised;
  if (mount.is_bind()) {
    promised = Bind(mount, facts);
  } else {
    promised.type = mount.type;
    if (mount.type == "overlay") promised.layers = LayersOf(mount);
  }
  promised.point = facts.Get<rules::Destinations>().Resolve(mount.destination);
  const Flags flags = FlagsOf(mount.options);
  promised.flags = flags.top;
  promised.submount_flags = flags.recursive;
  return promised;
}

// Network hooks of engines make no mounts; what other programs do was left to them.
bool MayMount(const oci::Hook& hook, PromiseFacts facts) {
  const bool is_before_start = hook.pointer.starts_with("/hooks/prestart/") ||
                               hook.pointer.starts_with("/hooks/createRuntime/") ||
                               hook.pointer.starts_with("/hooks/createContainer/");
  if (!is_before_start) return false;
  const auto known = facts.Get<rules::Hooks>().find(hook.pointer);
  if (known == facts.Get<rules::Hooks>().end() ||
      known->second.kind != rules::HookFacts::Kind::kEngine) {
    return true;
  }
  return known->second.resolved.find("/nvidia-") != std::string::npos;
}

void AddMounts(const oci::Spec& spec, const policy::Effective& policy, PromiseFacts facts,
               Promise& promise) {
  bool may_have_submounts = false;
  promise.mounts.reserve(spec.mounts().size());
  for (const oci::Mount& mount : spec.mounts()) {
    promise.mounts.push_back(MountOf(mount, facts));
    promise.mounts.back().hides_submounts = rules::IsHardenedSys(spec, mount, facts);
    const auto source = facts.Get<rules::Sources>().find(mount.source);
    // For a source that would be refused, mounts below it were not looked for; here the policy
    // allows it anyway.
    const auto may_have = [](const rules::SourceFacts& known) {
      using Access = rules::SourceFacts::Access;
      return known.has_submounts || known.access == Access::kDenied ||
             known.access == Access::kHostRoot || known.access == Access::kUnknown;
    };
    if (promise.mounts.back().is_recursive) promise.root_path = spec.root_path();
    may_have_submounts = may_have_submounts ||
                         (promise.mounts.back().is_recursive &&
                          (MayReceiveMounts(mount) || source == facts.Get<rules::Sources>().end() ||
                           may_have(source->second)));
  }
  if (may_have_submounts) promise.host_mounts = policy.rule(rules::kHostMounts.schema);
}

}  // namespace

bool Promise::HasOwn(std::string_view name) const {
  return std::ranges::any_of(namespaces, [name](const PromisedNamespace& entry) {
    return entry.name == name && entry.inode == 0;
  });
}

Promise PromiseOf(const oci::Spec& spec, const policy::Effective& policy, PromiseFacts facts) {
  Promise promise;
  promise.has_mounts = true;
  for (const oci::CapabilitySet& set : spec.capabilities()) {
    const auto* name = std::ranges::find(kCapabilitySets, set.name);
    if (name == kCapabilitySets.end()) continue;
    promise.capabilities.at(static_cast<std::size_t>(name - kCapabilitySets.begin())) =
        MaskOf(set.capabilities);
  }
  promise.no_new_privileges = spec.no_new_privileges();
  promise.seccomp = spec.has_seccomp();
  oci::User user = spec.user();
  promise.uid = user.uid;
  promise.gid = user.gid;
  promise.groups = std::move(user.additional_gids);
  promise.uid_mappings = spec.uid_mappings();
  promise.gid_mappings = spec.gid_mappings();
  for (const oci::Namespace& entry : spec.namespaces()) {
    const auto* kernels = std::ranges::find(kNamespaces, entry.type,
                                            &std::pair<std::string_view, std::string_view>::first);
    if (kernels == kNamespaces.end()) continue;
    const auto known = facts.Get<rules::Namespaces>().find(entry.path);
    const std::uint64_t inode =
        known == facts.Get<rules::Namespaces>().end() ? 0 : known->second.inode;
    // One that could not be examined was refused, or the policy lets any through.
    if (entry.path.empty() || inode != 0) {
      promise.namespaces.push_back({std::string(kernels->second), inode});
    }
  }
  promise.limits = {.memory = spec.memory_limit().value_or(0),
                    .pids = spec.resource("pids", "limit").value_or(0),
                    .cpu_quota = spec.resource("cpu", "quota").value_or(0),
                    .cpu_period = spec.resource("cpu", "period").value_or(0)};
  promise.read_only_root = spec.root_is_read_only();
  promise.root_device = facts.Get<rules::RootDirectory>().device;
  promise.root_inode = facts.Get<rules::RootDirectory>().inode;
  promise.masked_paths = spec.masked_paths();
  promise.readonly_paths = spec.readonly_paths();
  promise.devices = spec.devices();
  promise.hooks_may_mount = std::ranges::any_of(
      spec.hooks(), [&](const oci::Hook& hook) { return MayMount(hook, facts); });
  AddMounts(spec, policy, facts, promise);
  return promise;
}

}  // namespace runclad::enforce
