// Whether what a runtime's name leads to hardens containers: a container is created, not started,
// and the kernel is asked what its first process may do.
#pragma once

#include <string>

#include "runclad/base/result.hpp"

namespace runclad::ctl {

enum class Hardening { kNone, kHardened };

// Creates a container that asks for CAP_SYS_ADMIN and set-user-ID programs. `as_runclad`: under the
// profile restricted, whatever the host's policy says; fails if `runtime` is not runclad. Its files
// lie below `state_directory` meanwhile. An error: no container could be created.
Result<Hardening> ProbeRuntime(const std::string& runtime, bool as_runclad,
                               const std::string& state_directory);

}  // namespace runclad::ctl
