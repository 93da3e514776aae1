// What other layers read of single rules' parameters. The argument is named after the rule, and
// must outlive what is returned.
#pragma once

#include "runclad/host/path_lists.hpp"
#include "runclad/policy/table.hpp"
#include "runclad/privilege/seccomp.hpp"

namespace runclad::rules {

policy::StringList AllowedCapabilities(const policy::Parameters& capabilities);
policy::StringList AllowedDevices(const policy::Parameters& devices);
policy::StringList AllowedHostNamespaces(const policy::Parameters& host_namespaces);
policy::StringList AllowedRoots(const policy::Parameters& rootfs_path);
policy::StringList CgroupParents(const policy::Parameters& cgroup_path);
policy::StringList ExecPaths(const policy::Parameters& mount_options);
policy::StringList ReadOnlyPaths(const policy::Parameters& read_only_mounts);
host::PathLists PathListsOf(const policy::Parameters& host_mounts);
policy::StringList WritablePaths(const policy::Parameters& read_only_rootfs);
privilege::SeccompTuning SeccompTuningOf(const policy::Parameters& seccomp);

}  // namespace runclad::rules
