#include "kept.hpp"

#include <optional>
#include <string>

#include "runclad/enforce/own_line.hpp"
#include "runclad/enforce/promise.hpp"

#include "machine.hpp"

namespace runclad::runtime {

Status Keeps(const Call& call, const enforce::Record& record, const host::RuntimeState& state) {
  const policy::Effective& policy = record.process_policy;
  if (!policy.is_enforced() || (record.pid != 0 && !state.is_waiting)) return {};
  if (!record.has_promise) {
    return Error{"container " + record.id + " cannot be verified: what was promised was not read"};
  }
  const enforce::Created created{.pid = state.pid,
                                 .id = record.id,
                                 .bundle = record.bundle,
                                 .runtime_root = call.root(),
                                 .is_crun = state.is_crun};
  const std::optional<Status> kept = call.machine.Verify(record.promise, created, state);
  if (!kept) {
    return Error{"container " + record.id +
                 " cannot be verified: its first process has ended or cannot be examined"};
  }
  if (*kept) return {};
  const Error refusal{std::string(enforce::kRefusedBy) + "verification: container " + record.id +
                      " does not match the recorded decision" +
                      (state.is_waiting ? " and was stopped: " : ": ") + kept->error().message +
                      "; " +
                      (state.is_waiting ? "create it again" : "stop it and create it again")};
  if (auto logged = LogError(call, policy, record.bundle, refusal); !logged) return logged;
  return refusal;
}

}  // namespace runclad::runtime
