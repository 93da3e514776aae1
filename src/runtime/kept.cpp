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
  if (policy.mode == policy::Mode::kAudit || !state.is_waiting) return {};
  // By descriptor, so that the number cannot go to another process while we look.
  const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, state.pid, 0)));
  if (sys::StartTime(state.pid) != state.start_time) {
    return Error{"container " + record.id +
                 " cannot be verified: its first process has ended or cannot be examined"};
  }
  const Status kept = enforce::Verify(record.promise, state.pid, state.is_crun);
  if (kept) return {};
  if (process) {
    ::syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0);
  } else {
    ::kill(state.pid, SIGKILL);
  }
  const Error refusal{"refused by verification: container " + record.id +
                      " is not what was decided on and was stopped: " + kept.error().message +
                      "; create it again"};
  if (auto logged = LogError(call, policy, record.bundle, refusal); !logged) return logged;
  return refusal;
}

}  // namespace runclad::runtime
