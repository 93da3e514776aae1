// The catalogue: every rule, in the order in which they are applied.
#include <algorithm>
#include <array>

#include "runclad/rules/rule.hpp"

namespace runclad::rules {

extern const Rule kAnnotations;
extern const Rule kCapabilities;
extern const Rule kCgroupPath;
extern const Rule kCpuLimit;
extern const Rule kDeviceCgroup;
extern const Rule kDevices;
extern const Rule kEnvironment;
extern const Rule kHiddenPaths;
extern const Rule kHooks;
extern const Rule kHostMounts;
extern const Rule kHostNamespaces;
extern const Rule kImage;
extern const Rule kKernelFilesystems;
extern const Rule kLsmLabel;
extern const Rule kMaskedPaths;
extern const Rule kMemoryLimit;
extern const Rule kMountDestinations;
extern const Rule kMountOptions;
extern const Rule kMountPropagation;
extern const Rule kNoNewPrivileges;
extern const Rule kPidsLimit;
extern const Rule kPrivileged;
extern const Rule kProgram;
extern const Rule kReadOnlyMounts;
extern const Rule kReadOnlyRootfs;
extern const Rule kReadonlyPaths;
extern const Rule kRealtime;
extern const Rule kRlimits;
extern const Rule kRootfsPath;
extern const Rule kSeccomp;
extern const Rule kSysctls;
extern const Rule kUnknownFields;
extern const Rule kUser;
extern const Rule kUserNamespace;
extern const Rule kWorkingDirectory;

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
