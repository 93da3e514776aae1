// Each rule by its name, so that one that does not exist does not compile.
#pragma once

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

}  // namespace runclad::rules
