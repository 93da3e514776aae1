// The limits of a container's cgroups.
#pragma once

#include <string_view>

#include "runclad/base/result.hpp"
#include "runclad/enforce/promise.hpp"
#include "runclad/sys/mounts.hpp"

namespace runclad::enforce {

// Whether the cgroups of /proc/PID/cgroup (`cgroups`, its text) limit at least as promised, cgroup
// v1 or v2, whichever `host` has the controller in.
Status VerifyLimits(const PromisedLimits& promised, std::string_view cgroups,
                    const sys::MountTable& host);

}  // namespace runclad::enforce
