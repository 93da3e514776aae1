#include "other_ways.hpp"

#include <linux/io_uring.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

#include "runclad/base/unique_fd.hpp"

#include "bundle.hpp"
#include "call_search.hpp"

namespace runclad::look {
namespace {

// Numbers of the kernel's, which the headers of older ones do not have.
constexpr int kNoRing = -1;
constexpr int kRingSocket = 45;
constexpr int kRingBind = 56;
constexpr int kRingListen = 57;

struct SameCalls {
  std::array<std::string_view, 8> calls;  // empty ones at the end
  int ring = kNoRing;
};

constexpr SameCalls kSameCalls[] = {
    {{"openat", "open", "openat2", "creat"}, IORING_OP_OPENAT},
    {{"execve", "execveat"}},
    {{"socket"}, kRingSocket},
    {{"bind"}, kRingBind},
    {{"listen"}, kRingListen},
    {{"connect"}, IORING_OP_CONNECT},
    {{"accept", "accept4"}, IORING_OP_ACCEPT},
    {{"shutdown"}, IORING_OP_SHUTDOWN},
    {{"sendto", "sendmsg", "sendmmsg", "send"}, IORING_OP_SENDMSG},
    {{"recvfrom", "recvmsg", "recvmmsg", "recvmmsg_time64", "recv"}, IORING_OP_RECVMSG},
    {{"read", "readv", "pread64", "preadv", "preadv2"}, IORING_OP_READ},
    {{"write", "writev", "pwrite64", "pwritev", "pwritev2"}, IORING_OP_WRITE},
    {{"rename", "renameat", "renameat2"}, IORING_OP_RENAMEAT},
    {{"unlink", "unlinkat"}, IORING_OP_UNLINKAT},
    {{"rmdir", "unlinkat"}, IORING_OP_UNLINKAT},
    {{"mkdir", "mkdirat"}, IORING_OP_MKDIRAT},
    {{"symlink", "symlinkat"}, IORING_OP_SYMLINKAT},
    {{"link", "linkat"}, IORING_OP_LINKAT},
    {{"mknod", "mknodat"}},
    {{"chmod", "fchmod", "fchmodat", "fchmodat2"}},
    {{"chown", "lchown", "fchown", "fchownat", "chown32", "lchown32", "fchown32"}},
    {{"setxattr", "lsetxattr", "fsetxattr", "setxattrat"}, IORING_OP_SETXATTR},
    {{"getxattr", "lgetxattr", "fgetxattr", "getxattrat"}, IORING_OP_GETXATTR},
    {{"truncate", "ftruncate", "truncate64", "ftruncate64"}},
    {{"statx", "stat", "fstat", "lstat", "newfstatat", "stat64", "fstatat64"}, IORING_OP_STATX},
    {{"kill", "tgkill", "tkill", "pidfd_send_signal", "rt_sigqueueinfo", "rt_tgsigqueueinfo"}},
    {{"unshare", "clone", "clone3"}},
    {{"fork", "vfork", "clone", "clone3"}},
    {{"mount", "fsopen", "open_tree", "move_mount"}},
    {{"umount", "umount2"}},
    {{"init_module", "finit_module"}},
    {{"kexec_load", "kexec_file_load"}},
    {{"settimeofday", "clock_settime", "clock_settime64", "adjtimex", "clock_adjtime", "stime"}},
    {{"setuid", "setreuid", "setresuid", "setuid32", "setreuid32", "setresuid32"}},
    {{"setgid", "setregid", "setresgid", "setgid32", "setregid32", "setresgid32"}},
    {{"epoll_ctl"}, IORING_OP_EPOLL_CTL},
    {{"splice"}, IORING_OP_SPLICE},
    {{"tee"}, IORING_OP_TEE},
    {{"fallocate"}, IORING_OP_FALLOCATE},
    {{"fsync", "fdatasync"}, IORING_OP_FSYNC},
    {{"madvise"}, IORING_OP_MADVISE},
    {{"close"}, IORING_OP_CLOSE},
};

const SameCalls* GroupOf(std::string_view call) {
  // One that heads a group, if any does: unlinkat is in two.
  const auto* const head = std::ranges::find(
      kSameCalls, call, [](const SameCalls& group) { return group.calls.front(); });
  if (head != std::end(kSameCalls)) return head;
  const auto* const any = std::ranges::find_if(kSameCalls, [&](const SameCalls& group) {
    return std::ranges::find(group.calls, call) != group.calls.end();
  });
  return any == std::end(kSameCalls) ? nullptr : any;
}

// Which operations rings of this kernel have, by number; empty: it does not say.
const std::vector<bool>& RingOperations() {
  static const std::vector<bool> operations = [] {
    constexpr std::size_t kMost = 256;
    std::vector<bool> found;
    // The kernel's header, and an entry of the same alignment for each operation.
    constexpr std::size_t kHead = sizeof(io_uring_probe);
    std::vector<char> bytes(kHead + kMost * sizeof(io_uring_probe_op));
    io_uring_params parameters{};
    const UniqueFd ring(static_cast<int>(::syscall(SYS_io_uring_setup, 1, &parameters)));
    if (!ring || ::syscall(SYS_io_uring_register, ring.get(), IORING_REGISTER_PROBE, bytes.data(),
                           kMost) != 0) {
      return found;
    }
    const std::size_t count = static_cast<unsigned char>(bytes[offsetof(io_uring_probe, ops_len)]);
    for (std::size_t i = 0; i < count; ++i) {
      io_uring_probe_op operation{};
      std::memcpy(&operation, bytes.data() + kHead + i * sizeof operation, sizeof operation);
      found.push_back((operation.flags & IO_URING_OP_SUPPORTED) != 0);
    }
    return found;
  }();
  return operations;
}

std::optional<std::vector<privilege::SeccompArgument>> WithAny(std::string_view /*call*/) {
  return std::vector<privilege::SeccompArgument>();
}

bool IsFirst(const Answer& answer, const std::optional<Answer>& best) {
  return !best || (best->verdict == Verdict::kNo && answer.verdict != Verdict::kNo);
}

}  // namespace

// Which filter the runtime loaded is not marked: it is the oldest one, if the container's document
// asks for one that denies the same.
void FindOlderRings(const Container& container, TaskStates& states) {
  constexpr const char* kMakesRing = "io_uring_setup";
  const auto may_call = [](const TaskState& task, const char* call) {
    return AskDeniedCall(task, {call, {}}).verdict != Verdict::kNo;
  };
  // Read for the first task that needs it.
  enum class Document { kUnread, kAllows, kDenies } document = Document::kUnread;
  for (TaskState& task : states.distinct) {
    if (states.has_rings || task.programs.empty() || may_call(task, "io_uring_enter")) continue;
    TaskState before = task;
    before.programs = {task.programs.back()};  // the newest is first
    if (may_call(before, kMakesRing)) continue;
    if (document == Document::kUnread) {
      document = RuntimeDenies(container, kMakesRing) ? Document::kDenies : Document::kAllows;
    }
    task.may_have_ring = document == Document::kAllows;
  }
}

Answer AskRings(const TaskState& task) {
  if (RingsOfKernel() == Rings::kNone) return No("kernel", "the kernel has no io_uring");
  if (RingsOfKernel() == Rings::kOpen) {
    Answer made = AskDeniedCall(task, {"io_uring_setup", {}});
    if (made.verdict != Verdict::kNo) return made;
  }
  if (task.may_have_ring) {
    return Unknown("io_uring", "a ring that is older than the filter may make the call");
  }
  return No("seccomp", "no ring can be made");
}

bool HasRingOperation(std::string_view call) {
  const SameCalls* const group = GroupOf(call);
  if (group == nullptr || group->ring == kNoRing) return false;
  const std::vector<bool>& known = RingOperations();
  const auto number = static_cast<std::size_t>(group->ring);
  return known.empty() || (number < known.size() && known[number]);
}

std::vector<std::string_view> CallsLike(std::string_view call) {
  std::vector<std::string_view> calls = {call};
  if (const SameCalls* const group = GroupOf(call)) {
    for (const std::string_view other : group->calls) {
      if (!other.empty() && other != call) calls.push_back(other);
    }
  }
  return calls;
}

Answer AskEveryWay(const TaskState& task, std::string_view call, ArgumentsOf arguments_of) {
  std::optional<Answer> best;
  for (const std::string_view name : CallsLike(call)) {
    const auto arguments = arguments_of(name);
    if (!arguments) continue;
    std::string way;
    Answer answer = AskDeniedCall(task, {std::string(name), *arguments}, way);
    if (answer.verdict == Verdict::kYes) {
      if (name != call) way.insert(0, "by " + std::string(name) + (way.empty() ? "" : " "));
      answer.because = std::move(way);
      return answer;
    }
    if (IsFirst(answer, best)) best = std::move(answer);
  }
  if (HasRingOperation(call)) {
    Answer rings = AskRings(task);
    if (rings.verdict == Verdict::kYes) {
      rings.because = "by io_uring";
      return rings;
    }
    if (IsFirst(rings, best)) best = std::move(rings);
  }
  return best ? *std::move(best) : No("kernel", "no architecture of this machine has the call");
}

Answer AskEveryWay(const TaskState& task, std::string_view call) {
  return AskEveryWay(task, call, WithAny);
}

std::string OtherWay(const TaskState& task, std::string_view call) {
  for (const std::string_view name : CallsLike(call)) {
    if (name != call && AskDeniedCall(task, {std::string(name), {}}).verdict == Verdict::kYes) {
      return std::string(name) + ", which does the same, is let through";
    }
  }
  if (!HasRingOperation(call)) return {};
  switch (AskRings(task).verdict) {
    case Verdict::kYes:
      return "io_uring does the same, and no filter sees it";
    case Verdict::kUnknown:
      return "a ring (io_uring) that is older than the filter may do the same";
    case Verdict::kNo:
      break;
  }
  return {};
}

}  // namespace runclad::look
