#include "kept.hpp"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runclad/base/unique_fd.hpp"
#include "runclad/enforce/promise.hpp"
#include "runclad/sys/process.hpp"

namespace runclad::runtime {
Status Keeps(const Call& call, const enforce::Record& record, const enforce::RuntimeState& state) {
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
  if (state.is_waiting && process) {
    ::syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0);
  } else if (state.is_waiting) {
    ::kill(state.pid, SIGKILL);
  }
  const Error refusal{
      "refused by verification: container " + record.id + " is not what was decided on" +
      (state.is_waiting ? " and was stopped: " : ": ") + kept.error().message + "; " +
      (state.is_waiting ? "create it again" : "stop it and create it again")};
  if (auto logged = LogError(call, policy, record.bundle, refusal); !logged) return logged;
  return refusal;
}

}  // namespace runclad::runtime
