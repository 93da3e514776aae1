#include "runclad/privilege/syscalls.hpp"

#include <gtest/gtest.h>

namespace runclad::privilege::syscalls_test {
namespace {

TEST(Syscalls, NeedACapabilityIfOnlyItAllowsThem) {
  // clone is allowed without a capability, but not with the flags that make namespaces.
  for (const char* name :
       {"mount", "unshare", "setns", "clone", "clone3", "bpf", "chroot", "reboot",
        "open_by_handle_at", "mount_setattr", "fsopen", "iopl", "syslog"}) {
    EXPECT_TRUE(IsForCapability(name)) << name;
  }
  // socket is allowed without a capability, for other families; keyctl is not allowed at all.
  for (const char* name : {"read", "socket", "keyctl", "userfaultfd", "", "mounts"}) {
    EXPECT_FALSE(IsForCapability(name)) << name;
  }
}

TEST(Syscalls, OfRingsAreKnown) {
  for (const char* name : {"socket", "setsockopt", "ioctl", "splice", "accept", "writev"}) {
    EXPECT_TRUE(IsRingCall(name)) << name;
  }
  for (const char* name : {"keyctl", "clone", "mount", "", "sock"}) {
    EXPECT_FALSE(IsRingCall(name)) << name;
  }
}

TEST(Syscalls, AreKnownByTheirNames) {
  for (const char* name :
       {"read", "socketcall", "_llseek", "clone3", "arm_fadvise64_64", "writev"}) {
    EXPECT_TRUE(IsSyscallName(name)) << name;
  }
  for (const char* name : {"", "rea", "ead", "read\nwrite", "\n", "Read", "clone4"}) {
    EXPECT_FALSE(IsSyscallName(name)) << name;
  }
}

}  // namespace
}  // namespace runclad::privilege::syscalls_test
