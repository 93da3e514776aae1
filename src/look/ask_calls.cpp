// System calls, sockets, mounts and ports: the filter first, then what the kernel asks behind it.
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>

#include <sched.h>

#include "runclad/privilege/seccomp_program.hpp"
#include "runclad/privilege/socket_families.hpp"
#include "runclad/sys/file.hpp"

#include "call_search.hpp"
#include "other_ways.hpp"
#include "proc.hpp"
#include "task_state.hpp"

namespace runclad::look {
namespace {

// Calls for which the kernel wants a capability whatever the arguments are, before it looks at
// them.
struct Need {
  std::string_view syscall;
  std::string_view capability;
  bool is_global = false;       // in the host's user namespace
  const char* owner = nullptr;  // the namespace whose owner is asked
};

constexpr Need kNeeds[] = {
    {"fsopen", "CAP_SYS_ADMIN", false, "mnt"},
    {"fspick", "CAP_SYS_ADMIN", false, "mnt"},
    {"fsmount", "CAP_SYS_ADMIN", false, "mnt"},
    {"move_mount", "CAP_SYS_ADMIN", false, "mnt"},
    {"pivot_root", "CAP_SYS_ADMIN", false, "mnt"},
    {"mount", "CAP_SYS_ADMIN", false, "mnt"},
    {"umount2", "CAP_SYS_ADMIN", false, "mnt"},
    {"umount", "CAP_SYS_ADMIN", false, "mnt"},
    {"sethostname", "CAP_SYS_ADMIN", false, "uts"},
    {"setdomainname", "CAP_SYS_ADMIN", false, "uts"},
    {"reboot", "CAP_SYS_BOOT", false, "pid"},
    {"chroot", "CAP_SYS_CHROOT", false, nullptr},
    {"swapon", "CAP_SYS_ADMIN", true, nullptr},
    {"swapoff", "CAP_SYS_ADMIN", true, nullptr},
    {"acct", "CAP_SYS_PACCT", true, nullptr},
    {"init_module", "CAP_SYS_MODULE", true, nullptr},
    {"finit_module", "CAP_SYS_MODULE", true, nullptr},
    {"delete_module", "CAP_SYS_MODULE", true, nullptr},
    {"kexec_load", "CAP_SYS_BOOT", true, nullptr},
    {"kexec_file_load", "CAP_SYS_BOOT", true, nullptr},
    {"iopl", "CAP_SYS_RAWIO", true, nullptr},
    {"settimeofday", "CAP_SYS_TIME", true, nullptr},
    {"open_by_handle_at", "CAP_DAC_READ_SEARCH", true, nullptr},
    {"vhangup", "CAP_SYS_TTY_CONFIG", true, nullptr},
};

// The owner of a namespace (ioctl_ns(2)); 0: not known.
ino_t OwnerOf(pid_t pid, const char* kind) {
  const std::string path = "/proc/" + std::to_string(pid) + "/ns/" + kind;
  const UniqueFd own(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!own) return 0;
  const UniqueFd owner(::ioctl(own.get(), NS_GET_USERNS));
  struct stat status {};
  return owner && ::fstat(owner.get(), &status) == 0 ? status.st_ino : 0;
}

// What a file of the host's /proc/sys says; -1: it is not there.
long Setting(const char* path) {
  long value = -1;
  std::ifstream(path) >> value;
  return value;
}

// The first port that needs no capability in the container's network namespace; -1: not known. The
// file shows the namespace of whoever reads it: of this process, which goes there and comes back.
int FirstFreePort(pid_t pid) {
  const UniqueFd ours(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  const UniqueFd theirs(
      ::open(("/proc/" + std::to_string(pid) + "/ns/net").c_str(), O_RDONLY | O_CLOEXEC));
  if (!ours || !theirs || ::setns(theirs.get(), CLONE_NEWNET) != 0) return -1;
  const long port = Setting("/proc/sys/net/ipv4/ip_unprivileged_port_start");
  if (::setns(ours.get(), CLONE_NEWNET) != 0) return -1;
  return static_cast<int>(port);
}

#if defined(__x86_64__)
// Calls that 32-bit programs can also make through one that stands for many. Their arguments are in
// memory there, where no filter can look.
struct Multiplexed {
  std::string_view name;
  std::uint32_t multiplexer = 0;
  std::uint64_t number = 0;  // its first argument
  std::uint32_t direct = 0;  // the call's own number, which libseccomp does not say; 0: none
};
constexpr std::uint32_t kSocketCall = 102;
constexpr std::uint32_t kIpc = 117;
constexpr Multiplexed kMultiplexed[] = {
    {"socket", kSocketCall, 1, 359},
    {"bind", kSocketCall, 2, 361},
    {"connect", kSocketCall, 3, 362},
    {"listen", kSocketCall, 4, 363},
    {"accept", kSocketCall, 5, 0},
    {"getsockname", kSocketCall, 6, 367},
    {"getpeername", kSocketCall, 7, 368},
    {"socketpair", kSocketCall, 8, 360},
    {"send", kSocketCall, 9, 0},
    {"recv", kSocketCall, 10, 0},
    {"sendto", kSocketCall, 11, 369},
    {"recvfrom", kSocketCall, 12, 371},
    {"shutdown", kSocketCall, 13, 373},
    {"setsockopt", kSocketCall, 14, 366},
    {"getsockopt", kSocketCall, 15, 365},
    {"sendmsg", kSocketCall, 16, 370},
    {"recvmsg", kSocketCall, 17, 372},
    {"accept4", kSocketCall, 18, 364},
    {"recvmmsg", kSocketCall, 19, 0},
    {"sendmmsg", kSocketCall, 20, 0},
    {"semop", kIpc, 1, 0},
    {"semget", kIpc, 2, 393},
    {"semctl", kIpc, 3, 394},
    {"semtimedop", kIpc, 4, 0},
    {"msgsnd", kIpc, 11, 400},
    {"msgrcv", kIpc, 12, 401},
    {"msgget", kIpc, 13, 399},
    {"msgctl", kIpc, 14, 402},
    {"shmat", kIpc, 21, 397},
    {"shmdt", kIpc, 22, 398},
    {"shmget", kIpc, 23, 395},
    {"shmctl", kIpc, 24, 396},
};
#endif

std::string CaveatOf(const Container& container) {
  if (container.label.empty()) return {};
  return "as far as the security module lets " + container.label;
}

// unshare(2) and clone(2) take the same flags for namespaces.
template <std::uint64_t flag>
std::optional<std::vector<privilege::SeccompArgument>> WithNewNamespace(std::string_view call) {
  // clone3 has them in memory.
  if (call == "clone3") return std::vector<privilege::SeccompArgument>();
  return std::vector<privilege::SeccompArgument>{
      {0, flag, flag, privilege::SeccompOperator::kMaskedEqual}};
}

Answer AskOwnNamespace(const TaskState& task, std::string_view kind) {
  if (kind == "mnt") return AskEveryWay(task, "unshare", WithNewNamespace<CLONE_NEWNS>);
  if (kind == "net") return AskEveryWay(task, "unshare", WithNewNamespace<CLONE_NEWNET>);
  if (kind == "uts") return AskEveryWay(task, "unshare", WithNewNamespace<CLONE_NEWUTS>);
  if (kind == "pid") return AskEveryWay(task, "unshare", WithNewNamespace<CLONE_NEWPID>);
  return Yes();
}

}  // namespace

Answer AskCapability(const Container& container, const TaskState& task, std::string_view capability,
                     bool is_global, const char* namespace_kind) {
  const std::string name(capability);
  if (!Has(task.credentials.effective, capability)) {
    if (Has(task.credentials.permitted, capability)) {
      return {Verdict::kYes, {}, "it is permitted, and the program can raise it", {}, 0};
    }
    Answer no = No("capabilities", name + " is not in its effective set");
    if (!Has(task.credentials.bounding, capability) || task.credentials.no_new_privileges) {
      return no;
    }
    // Real and saved ids as well, which a program may take.
    const bool is_root = container.user_inside == 0 ||
                         std::find(task.credentials.uids.begin(), task.credentials.uids.end(),
                                   uid_t{0}) != task.credentials.uids.end();
    if (is_root) {
      return {Verdict::kYes, {}, "the next program that root starts has it again", {}, 0};
    }
    if (!MayGainPrivileges(container, task)) return no;
    return Unknown("capabilities", name +
                                       " is in its bounding set: a set-user-ID program, or one " +
                                       "with file capabilities, could give it");
  }
  if (is_global && container.has_user_namespace) {
    return No("user namespace",
              name + " counts only in its own user namespace, and the host's is asked");
  }
  if (namespace_kind != nullptr && container.has_user_namespace) {
    const NamespaceState* const own = container.FindNamespace("user");
    const ino_t owner = OwnerOf(container.pid, namespace_kind);
    if (owner == 0) return Unknown("user namespace", "the owner of its namespaces is not known");
    if (own != nullptr && owner != own->inode) {
      return No("user namespace", name + " does not count in a " + namespace_kind +
                                      " namespace that another user namespace owns");
    }
  }
  return Yes();
}

bool MayGainPrivileges(const Container& container, const TaskState& task) {
  return !task.credentials.no_new_privileges &&
         std::ranges::any_of(container.mounts, [](const MountState& mount) {
           return mount.may_set_ids && mount.may_execute;
         });
}

Answer AskUserNamespace(const Container& container, const TaskState& task) {
  if (Setting("/proc/sys/user/max_user_namespaces") == 0) {
    return No("kernel", "user.max_user_namespaces is 0");
  }
  const bool is_privileged = Has(task.credentials.effective, "CAP_SYS_ADMIN") ||
                             Has(task.credentials.permitted, "CAP_SYS_ADMIN");
  if (Setting("/proc/sys/kernel/unprivileged_userns_clone") == 0 && !is_privileged) {
    return No("kernel", "kernel.unprivileged_userns_clone is 0");
  }
  Answer answer = AskEveryWay(task, "unshare", WithNewNamespace<CLONE_NEWUSER>);
  if (answer.verdict == Verdict::kYes) {
    answer.because.clear();
    answer.caveat = CaveatOf(container);
  }
  return answer;
}

// Where the capability is missing: in a user namespace that the task makes itself it has all, and
// owns the namespaces that it makes there.
Answer AskInOwnNamespace(const Container& container, const TaskState& task, const char* kind,
                         Answer capability) {
  if (capability.verdict == Verdict::kYes) return capability;
  const Answer users = AskUserNamespace(container, task);
  if (users.verdict == Verdict::kNo) return capability;
  const Answer own = AskOwnNamespace(task, kind == nullptr ? "" : kind);
  if (own.verdict == Verdict::kNo) return capability;
  if (users.verdict == Verdict::kUnknown) return users;
  if (own.verdict == Verdict::kUnknown) return own;
  Answer answer = Yes();
  answer.because = "in a user namespace that it makes itself";
  return answer;
}

Answer AskMount(const Container& container, const TaskState& task) {
  Answer filter = AskEveryWay(task, "mount");
  if (filter.verdict != Verdict::kYes) return filter;
  Answer capability = AskInOwnNamespace(
      container, task, "mnt", AskCapability(container, task, "CAP_SYS_ADMIN", false, "mnt"));
  if (capability.verdict != Verdict::kYes) return capability;
  if (!container.label.empty()) {
    return Unknown("LSM", "the profile " + container.label + " may deny it");
  }
  return capability;
}

Answer AskSyscall(const Container& container, const TaskState& task, const std::string& name,
                  const std::array<std::uint64_t, 6>& arguments) {
  Answer filter = AskFiltersByName(task, name, arguments);
  if (filter.verdict == Verdict::kNo) {
    // The call itself is asked for, and that is still closed.
    if (const std::string other = OtherWay(task, name); !other.empty()) {
      filter.because += "; but " + other;
    }
  }
  if (filter.verdict != Verdict::kYes) return filter;
  const auto* need = std::ranges::find(kNeeds, name, &Need::syscall);
  if (need == std::end(kNeeds)) {
    filter.caveat = "the filter is asked; what the kernel wants for its arguments is not";
    return filter;
  }
  Answer capability =
      AskCapability(container, task, need->capability, need->is_global, need->owner);
  if (need->is_global) return capability;
  return AskInOwnNamespace(container, task, need->owner, std::move(capability));
}

std::optional<std::uint32_t> NumberOf(std::string_view architecture, const std::string& name) {
  const auto number = privilege::SyscallNumber(architecture, name);
#if defined(__x86_64__)
  const auto* multiplexed = std::ranges::find(kMultiplexed, name, &Multiplexed::name);
  if (!number && architecture == "SCMP_ARCH_X86" && multiplexed != std::end(kMultiplexed) &&
      multiplexed->direct != 0) {
    return multiplexed->direct;
  }
#endif
  return number;
}

Answer AskMultiplexer(const TaskState& task, std::string_view name, Answer otherwise) {
#if defined(__x86_64__)
  const auto* multiplexed = std::ranges::find(kMultiplexed, name, &Multiplexed::name);
  if (otherwise.verdict != Verdict::kNo || multiplexed == std::end(kMultiplexed) ||
      !AbisOfKernel().has_32_bit) {
    return otherwise;
  }
  // Whatever the rest of its arguments is.
  const privilege::DeniedCall call{
      std::string(name), {{0, multiplexed->number, 0, privilege::SeccompOperator::kEqual}}};
  Answer through = AskDeniedCall(task, call, "SCMP_ARCH_X86", multiplexed->multiplexer);
  if (through.verdict == Verdict::kYes) {
    otherwise = Yes();
    otherwise.because = multiplexed->multiplexer == kSocketCall && name == "socket"
                            ? "through the 32-bit socketcall, whose family no filter can see"
                            : "through a 32-bit call, whose arguments no filter can see";
  } else if (through.verdict == Verdict::kUnknown) {
    return through;
  }
#else
  static_cast<void>(task);
  static_cast<void>(name);
#endif
  return otherwise;
}

Answer AskSocketFilters(const TaskState& task, std::uint16_t family, std::optional<int> type) {
  std::vector<int> types = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_RAW};
  if (type) types = {*type};
  Answer answer;
  for (const int asked : types) {
    answer = AskFiltersByName(task, "socket", {family, static_cast<std::uint64_t>(asked)});
    if (answer.verdict != Verdict::kNo) break;
    // With other bits beside the type, or another protocol.
    constexpr std::uint64_t kTypeBits = 0xf;
    answer = AskDeniedCall(task, {"socket",
                                  {{0, family, 0, privilege::SeccompOperator::kEqual},
                                   {1, kTypeBits, static_cast<std::uint64_t>(asked),
                                    privilege::SeccompOperator::kMaskedEqual}}});
    if (answer.verdict == Verdict::kYes) answer.because = "by " + answer.because;
    if (answer.verdict != Verdict::kNo) break;
  }
  answer = AskMultiplexer(task, "socket", std::move(answer));
  if (answer.verdict == Verdict::kNo && HasRingOperation("socket")) {
    Answer rings = AskRings(task);
    if (rings.verdict == Verdict::kYes) rings.because = "by io_uring";
    if (rings.verdict != Verdict::kNo) return rings;
  }
  return answer;
}

Answer AskSocket(const Container& container, const TaskState& task, std::uint16_t family,
                 std::optional<int> type) {
  Answer answer = AskSocketFilters(task, family, type);
  const bool is_raw = type == SOCK_RAW;
  if (answer.verdict != Verdict::kYes) return answer;
  std::string because = answer.because;
  if (family == AF_PACKET || (is_raw && (family == AF_INET || family == AF_INET6))) {
    answer = AskInOwnNamespace(container, task, "net",
                               AskCapability(container, task, "CAP_NET_RAW", false, "net"));
  } else if (family == AF_KEY) {
    answer = AskInOwnNamespace(container, task, "net",
                               AskCapability(container, task, "CAP_NET_ADMIN", false, "net"));
  }
  if (answer.verdict == Verdict::kYes) {
    if (!because.empty()) answer.because = std::move(because);
    answer.caveat = CaveatOf(container);
    if (family != AF_UNIX && family != AF_INET && family != AF_INET6 && family != AF_NETLINK) {
      if (!answer.caveat.empty()) answer.caveat += ", and ";
      answer.caveat += "as far as this kernel has the family";
    }
  }
  return answer;
}

Answer AskBind(const Container& container, const TaskState& task, std::uint16_t port, int type) {
  Answer answer = AskSocketFilters(task, AF_INET, type);
  if (answer.verdict == Verdict::kNo) answer = AskSocketFilters(task, AF_INET6, type);
  if (answer.verdict != Verdict::kYes) return answer;
  answer = AskEveryWay(task, "bind");
  if (answer.verdict != Verdict::kYes) return answer;
  const std::string way = answer.because;
  const int first = FirstFreePort(container.pid);
  if (first < 0) return Unknown("network", "its network namespace cannot be entered");
  if (port < first) {
    answer = AskCapability(container, task, "CAP_NET_BIND_SERVICE", false, "net");
    if (answer.verdict != Verdict::kYes) {
      answer.because += ", and ports below " + std::to_string(first) + " need it";
      return answer;
    }
    if (!way.empty()) answer.because = way;
  }
  answer.caveat = CaveatOf(container);
  return answer;
}

}  // namespace runclad::look
