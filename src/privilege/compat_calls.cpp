#include "runclad/privilege/compat_calls.hpp"

#include <algorithm>
#include <iterator>

#include "runclad/base/inline_text.hpp"

namespace runclad::privilege {
namespace {

struct CompatName {
  InlineText<24> native;
  InlineText<32> compat;
};

// By the system call tables of Linux 6.18 for i386 and arm: tests/privilege/compat_calls_test.cpp
// holds this against all names that libseccomp knows there and not on the 64-bit architecture.
constexpr CompatName kCompatNames[] = {
    {"chown", "chown32"},
    {"clock_adjtime", "clock_adjtime64"},
    {"clock_getres", "clock_getres_time64"},
    {"clock_gettime", "clock_gettime64"},
    {"clock_nanosleep", "clock_nanosleep_time64"},
    {"clock_settime", "clock_settime64"},
    {"fadvise64", "arm_fadvise64_64"},
    {"fadvise64", "fadvise64_64"},
    {"fchown", "fchown32"},
    {"fcntl", "fcntl64"},
    {"fstat", "fstat64"},
    {"fstat", "oldfstat"},
    {"fstatfs", "fstatfs64"},
    {"ftruncate", "ftruncate64"},
    {"futex", "futex_time64"},
    {"getdents", "readdir"},
    {"getegid", "getegid32"},
    {"geteuid", "geteuid32"},
    {"getgid", "getgid32"},
    {"getgroups", "getgroups32"},
    {"getresgid", "getresgid32"},
    {"getresuid", "getresuid32"},
    {"getrlimit", "ugetrlimit"},
    {"getuid", "getuid32"},
    {"io_pgetevents", "io_pgetevents_time64"},
    {"lchown", "lchown32"},
    {"lseek", "_llseek"},
    {"lstat", "lstat64"},
    {"lstat", "oldlstat"},
    {"mmap", "mmap2"},
    {"mq_timedreceive", "mq_timedreceive_time64"},
    {"mq_timedsend", "mq_timedsend_time64"},
    {"newfstatat", "fstatat64"},
    {"ppoll", "ppoll_time64"},
    {"pselect6", "pselect6_time64"},
    {"recvfrom", "recv"},
    {"recvmmsg", "recvmmsg_time64"},
    {"rt_sigaction", "sigaction"},
    {"rt_sigaction", "signal"},
    {"rt_sigpending", "sigpending"},
    {"rt_sigprocmask", "sgetmask"},
    {"rt_sigprocmask", "sigprocmask"},
    {"rt_sigprocmask", "ssetmask"},
    {"rt_sigreturn", "sigreturn"},
    {"rt_sigsuspend", "sigsuspend"},
    {"rt_sigtimedwait", "rt_sigtimedwait_time64"},
    {"sched_rr_get_interval", "sched_rr_get_interval_time64"},
    {"select", "_newselect"},
    {"semtimedop", "semtimedop_time64"},
    {"sendfile", "sendfile64"},
    {"sendto", "send"},
    {"setfsgid", "setfsgid32"},
    {"setfsuid", "setfsuid32"},
    {"setgid", "setgid32"},
    {"setgroups", "setgroups32"},
    {"setpriority", "nice"},
    {"setregid", "setregid32"},
    {"setresgid", "setresgid32"},
    {"setresuid", "setresuid32"},
    {"setreuid", "setreuid32"},
    {"settimeofday", "stime"},
    {"setuid", "setuid32"},
    {"stat", "oldstat"},
    {"stat", "stat64"},
    {"statfs", "statfs64"},
    {"sync_file_range", "arm_sync_file_range"},
    {"sync_file_range", "sync_file_range2"},
    {"timer_gettime", "timer_gettime64"},
    {"timer_settime", "timer_settime64"},
    {"timerfd_gettime", "timerfd_gettime64"},
    {"timerfd_settime", "timerfd_settime64"},
    {"truncate", "truncate64"},
    {"umount2", "umount"},
    {"uname", "oldolduname"},
    {"uname", "olduname"},
    {"utimensat", "utimensat_time64"},
    {"wait4", "waitpid"},
};

struct MovedArgument {
  InlineText<24> syscall;
  std::uint32_t first;
};

// Those of 16 bits are the user and group ids of i386 and arm; mmap and select read their arguments
// from memory on i386.
constexpr MovedArgument kMovedArguments[] = {
    {"chown", 1},           {"clone", 3},         {"fadvise64", 1},
    {"fallocate", 3},       {"fanotify_mark", 3}, {"fchown", 1},
    {"ftruncate", 1},       {"lchown", 1},        {"lookup_dcookie", 0},
    {"lseek", 1},           {"mmap", 0},          {"msgctl", 1},
    {"pread64", 3},         {"preadv2", 4},       {"pwrite64", 3},
    {"pwritev2", 4},        {"readahead", 1},     {"rt_sigprocmask", 0},
    {"select", 0},          {"semctl", 2},        {"setfsgid", 0},
    {"setfsuid", 0},        {"setgid", 0},        {"setpriority", 0},
    {"setregid", 0},        {"setresgid", 0},     {"setresuid", 0},
    {"setreuid", 0},        {"setuid", 0},        {"shmctl", 1},
    {"sync_file_range", 1}, {"truncate", 1},      {"umount2", 1},
};

// Modes of files (umode_t): the kernel takes 16 bits of them from all programs.
constexpr MovedArgument kModes[] = {
    {"chmod", 1},   {"creat", 1}, {"fchmod", 1},  {"fchmodat", 2}, {"fchmodat2", 2}, {"mkdir", 1},
    {"mkdirat", 2}, {"mknod", 1}, {"mknodat", 2}, {"mq_open", 2},  {"open", 2},      {"openat", 3},
};

template <typename Table>
std::optional<std::uint32_t> IndexIn(const Table& table, std::string_view syscall) {
  const auto* found = std::ranges::find_if(
      table, [&](const MovedArgument& entry) { return entry.syscall == syscall; });
  if (found == std::end(table)) return std::nullopt;
  return found->first;
}

}  // namespace

std::vector<std::string_view> CompatNamesOf(std::string_view syscall) {
  std::vector<std::string_view> names;
  for (const CompatName& entry : kCompatNames) {
    if (entry.native == syscall) names.push_back(entry.compat);
  }
  return names;
}

bool IsSameCall(std::string_view syscall, std::string_view name) {
  return syscall == name || std::ranges::any_of(kCompatNames, [&](const CompatName& entry) {
           return entry.native == syscall && entry.compat == name;
         });
}

std::optional<std::uint32_t> FirstMovedArgument(std::string_view syscall) {
  return IndexIn(kMovedArguments, syscall);
}

std::optional<std::uint32_t> ModeArgument(std::string_view syscall) {
  return IndexIn(kModes, syscall);
}

}  // namespace runclad::privilege
