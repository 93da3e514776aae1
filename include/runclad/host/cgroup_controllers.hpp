// Whether the host's cgroups can hold the limits of a container.
#pragma once

#include <string_view>

#include "runclad/base/result.hpp"
#include "runclad/oci/spec.hpp"

namespace runclad::host {

// An error if the document has a limit of processes, memory or processors (shares too) whose
// controller cgroup v2 lacks where it is the only layout, mounted at `root`. The lower runtimes
// fail there, with an error about a missing file.
Status RequireControllers(const oci::Spec& spec, std::string_view root = "/sys/fs/cgroup");

}  // namespace runclad::host
