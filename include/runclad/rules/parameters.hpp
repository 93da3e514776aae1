// What other layers read of single rules' parameters, and where they write them. The argument is
// named after the rule, and must outlive what is returned. Where the rule is off, a parameter is
// empty unless its row says that it counts then (counts_while_off).
#pragma once

#include <string>

#include "runclad/host/path_lists.hpp"
#include "runclad/policy/table.hpp"
#include "runclad/privilege/seccomp.hpp"
#include "runclad/rules/rule.hpp"

namespace runclad::rules {

// A parameter's place in policy files, for code that writes one or reads what was written.
struct ParameterPlace {
  const Rule& of;
  policy::ParameterName name;

  [[nodiscard]] std::string rule() const { return std::string(of.id()); }           // "seccomp"
  [[nodiscard]] std::string parameter() const { return std::string(name.text()); }  // "allow"
};

extern const ParameterPlace kAllowedCapabilities;
extern const ParameterPlace kAllowedHostNamespaces;
extern const ParameterPlace kAllowedSyscalls;
extern const ParameterPlace kDeniedCgroupDevices;
extern const ParameterPlace kDeniedDevices;
extern const ParameterPlace kDeniedSyscalls;
extern const ParameterPlace kExactMounts;
extern const ParameterPlace kExecPaths;
extern const ParameterPlace kNoexec;
extern const ParameterPlace kWritablePaths;

policy::StringList AllowedCapabilities(const policy::RuleSetting& capabilities);
policy::StringList AllowedDevices(const policy::RuleSetting& devices);
policy::StringList AllowedHostNamespaces(const policy::RuleSetting& host_namespaces);
policy::StringList AllowedRoots(const policy::RuleSetting& rootfs_path);
policy::StringList CgroupParents(const policy::RuleSetting& cgroup_path);
policy::StringList ExecPaths(const policy::RuleSetting& mount_options);
policy::StringList ReadOnlyPaths(const policy::RuleSetting& read_only_mounts);
host::PathLists PathListsOf(const policy::RuleSetting& host_mounts);
policy::StringList WritablePaths(const policy::RuleSetting& read_only_rootfs);
privilege::SeccompTuning SeccompTuningOf(const policy::RuleSetting& seccomp);

}  // namespace runclad::rules
