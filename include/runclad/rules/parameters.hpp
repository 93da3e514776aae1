// What other layers read of single rules' parameters. The argument is named after the rule, and
// must outlive what is returned. Where the rule is off, a parameter is empty unless its row says
// that it counts then (counts_while_off).
#pragma once

#include "runclad/host/path_lists.hpp"
#include "runclad/policy/table.hpp"
#include "runclad/privilege/seccomp.hpp"

namespace runclad::rules {

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
