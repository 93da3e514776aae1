// The catalogue: every rule, in the order in which they are applied.
#include "runclad/rules/catalog.hpp"

#include <algorithm>
#include <array>

namespace runclad::rules {

namespace {

constexpr std::array kCatalog = {
    &kImage,          // before everything: of an image that may not run nothing else matters
    &kPrivileged,     // before what it goes by is taken away
    &kUnknownFields,  // before what moves the elements that it names
    // The process, on exec too.
    &kUser,
    &kCapabilities,
    &kNoNewPrivileges,
    &kSeccomp,  // after capabilities: the filter is resolved for those that are left
    &kWorkingDirectory,
    &kLsmLabel,
    &kRlimits,
    &kRealtime,
    &kEnvironment,
    &kProgram,
    // The container. What is refused comes before what adds mounts, so that a refusal names the
    // mount by the index that the engine gave it.
    &kHooks,  // first: they run on the host
    &kRootfsPath,
    &kHostNamespaces,
    &kUserNamespace,
    &kHostMounts,
    &kReadOnlyMounts,
    &kMountPropagation,
    &kKernelFilesystems,
    &kMountDestinations,
    &kDevices,
    &kDeviceCgroup,
    &kSysctls,
    &kAnnotations,
    &kCgroupPath,
    &kPidsLimit,
    &kMemoryLimit,
    &kCpuLimit,
    &kMaskedPaths,
    &kReadonlyPaths,  // after masked-paths: what is masked need not be read-only
    &kHiddenPaths,
    &kReadOnlyRootfs,
    // After read-only-rootfs: what that adds is writable, too.
    &kMountOptions,
};

}  // namespace

std::span<const Rule* const> Catalog() { return kCatalog; }

const Rule* FindRule(std::string_view id) {
  const auto* found = std::ranges::find(kCatalog, id, &Rule::id);
  return found == kCatalog.end() ? nullptr : *found;
}

std::span<const policy::RuleSchema> Schemas() {
  static const auto schemas = [] {
    std::array<policy::RuleSchema, kCatalog.size()> all;
    std::ranges::transform(kCatalog, all.begin(), &Rule::schema);
    return all;
  }();
  return schemas;
}

}  // namespace runclad::rules
