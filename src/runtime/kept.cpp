#include "kept.hpp"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <string>
#include <thread>

#include <poll.h>

#include "runclad/base/unique_fd.hpp"
#include "runclad/enforce/promise.hpp"
#include "runclad/sys/process.hpp"

namespace runclad::runtime {
namespace {

using std::chrono::steady_clock;
constexpr std::chrono::seconds kLongestEnd(10);

// Kills the process and waits until it has ended: an engine that learns of the refusal first takes
// the container for one that is still there, and keeps its task and its shim for ever.
void End(const host::RuntimeState& state, const UniqueFd& process) {
  const auto deadline = steady_clock::now() + kLongestEnd;
  if (process) {
    ::syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0);
    pollfd ended = {.fd = process.get(), .events = POLLIN, .revents = 0};
    while (steady_clock::now() < deadline) {
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now());
      if (::poll(&ended, 1, static_cast<int>(left.count())) >= 0 || errno != EINTR) return;
    }
    return;
  }
  // Kernels before 5.3.
  constexpr std::chrono::milliseconds kPause(10);
  ::kill(state.pid, SIGKILL);
  while (steady_clock::now() < deadline && sys::StartTime(state.pid) == state.start_time) {
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace

Status Keeps(const Call& call, const enforce::Record& record, const host::RuntimeState& state) {
  const policy::Effective& policy = record.process_policy;
  if (policy.mode == policy::Mode::kAudit || (record.pid != 0 && !state.is_waiting)) return {};
  // By descriptor, so that the number cannot go to another process while we look.
  const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, state.pid, 0)));
  if (sys::StartTime(state.pid) != state.start_time) {
    return Error{"container " + record.id +
                 " cannot be verified: its first process has ended or cannot be examined"};
  }
  const enforce::Created created{.pid = state.pid,
                                 .id = record.id,
                                 .bundle = record.bundle,
                                 .runtime_root = call.root(),
                                 .is_crun = state.is_crun};
  const Status kept = state.is_waiting ? enforce::Verify(record.promise, created)
                                       : enforce::VerifyRunning(record.promise, created);
  if (kept) return {};
  if (state.is_waiting) End(state, process);
  const Error refusal{
      "refused by verification: container " + record.id + " does not match the recorded decision" +
      (state.is_waiting ? " and was stopped: " : ": ") + kept.error().message + "; " +
      (state.is_waiting ? "create it again" : "stop it and create it again")};
  if (auto logged = LogError(call, policy, record.bundle, refusal); !logged) return logged;
  return refusal;
}

}  // namespace runclad::runtime
