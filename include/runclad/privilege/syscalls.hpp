// What is known of a system call by its name.
#pragma once

#include <string_view>

namespace runclad::privilege {

// Whether runclad's profile allows the system call, with any arguments, because of a capability:
// mount and unshare for CAP_SYS_ADMIN.
bool IsForCapability(std::string_view syscall);

// Whether a ring (io_uring) can do what the system call does: no filter sees a ring's requests.
bool IsRingCall(std::string_view syscall);

// Whether libseccomp knows the name on any architecture.
bool IsSyscallName(std::string_view name);

}  // namespace runclad::privilege
