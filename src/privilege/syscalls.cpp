#include "runclad/privilege/syscalls.hpp"

#include <algorithm>
#include <string>

#include "runclad/base/inline_text.hpp"

#include "seccomp_profile.hpp"
#include "syscall_names.hpp"

namespace runclad::privilege {
namespace {

// By enum io_uring_op of Linux 6.18; ioctl, getsockopt and setsockopt through IORING_OP_URING_CMD.
constexpr InlineText<16> kRingCalls[] = {"accept",     "accept4",
                                         "bind",       "close",
                                         "connect",    "creat",
                                         "epoll_ctl",  "epoll_wait",
                                         "fadvise64",  "fallocate",
                                         "fdatasync",  "fgetxattr",
                                         "fsetxattr",  "fsync",
                                         "ftruncate",  "futex",
                                         "futex_wait", "futex_waitv",
                                         "futex_wake", "getsockopt",
                                         "getxattr",   "ioctl",
                                         "link",       "linkat",
                                         "listen",     "madvise",
                                         "mkdir",      "mkdirat",
                                         "open",       "openat",
                                         "openat2",    "pipe",
                                         "pipe2",      "poll",
                                         "ppoll",      "pread64",
                                         "preadv",     "preadv2",
                                         "pwrite64",   "pwritev",
                                         "pwritev2",   "read",
                                         "readv",      "recv",
                                         "recvfrom",   "recvmsg",
                                         "rename",     "renameat",
                                         "renameat2",  "rmdir",
                                         "send",       "sendmsg",
                                         "sendto",     "setsockopt",
                                         "setxattr",   "shutdown",
                                         "socket",     "splice",
                                         "statx",      "symlink",
                                         "symlinkat",  "sync_file_range",
                                         "tee",        "unlink",
                                         "unlinkat",   "waitid",
                                         "write",      "writev"};

}  // namespace

bool IsForCapability(std::string_view syscall) {
  const ProfileTable& profile = DefaultProfile();
  const auto end = profile.entries.end();
  auto entry = std::lower_bound(
      profile.entries.begin(), end, syscall,
      [](const ProfileEntry& each, std::string_view name) { return each.name() < name; });
  for (; entry != end && entry->name() == syscall; ++entry) {
    const ProfileEffect& effect = profile.effects[entry->effect];
    if (!profile.gates[entry->gate].needs_capabilities.empty() &&
        effect.action == "SCMP_ACT_ALLOW" && effect.arguments.empty()) {
      return true;
    }
  }
  return false;
}

bool IsRingCall(std::string_view syscall) {
  return std::ranges::binary_search(kRingCalls, syscall, {}, &InlineText<16>::text);
}

bool IsSyscallName(std::string_view name) {
  return !name.empty() && name.find('\n') == std::string_view::npos &&
         kSyscallNames.find('\n' + std::string(name) + '\n') != std::string_view::npos;
}

}  // namespace runclad::privilege
