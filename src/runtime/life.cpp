// start and delete: the record follows the container's life. And verbs that runclad does not know.
#include "runclad/enforce/record.hpp"
#include "runclad/host/runtime_state.hpp"

#include "call.hpp"
#include "directories.hpp"
#include "kept.hpp"
#include "machine.hpp"

namespace runclad::runtime {

namespace {

// What was counted and not logged so far. A container must be removable, whatever becomes of its
// line.
void LogRepeats(const Call& call, const std::string& root, const Records& records) {
  const std::string line = call.machine.TakeRepeats(root, call.line.id());
  if (line.empty()) return;
  const auto record = records.Find(call.line.id(), enforce::RecordParts::kLife);
  if (!record || !record->has_value()) return;
  [[maybe_unused]] const Status written =
      call.machine.WriteLog((*record)->process_policy.log, line);
}

}  // namespace

Result<Arguments> Start(const Call& call) {
  const std::string root = call.root();
  Machine& machine = call.machine;
  const auto records = machine.OpenRecords(root, /*create=*/false);
  if (!records) return records.error();
  auto record = (*records)->Find(call.line.id(), enforce::RecordParts::kLife);
  if (!record) return record.error();
  const auto state = machine.StateOf(root, call.line.id());
  if (record->has_value() && !state && machine.HasContainer(root, call.line.id()) &&
      (*record)->process_policy.is_enforced()) {
    return Error{"container " + std::string(call.line.id()) + " cannot be verified: its state in " +
                 root + " cannot be read"};
  }
  if (record->has_value() && state && (*record)->bundle == state->bundle) {
    if (auto kept = Keeps(call, **record, *state); !kept) return kept.error();
    if (auto stamped = (*records)->Stamp(call.line.id(), state->pid, state->start_time); !stamped) {
      return stamped.error();
    }
  }
  return call.line.Canonical();
}

Result<Arguments> Delete(const Call& call) {
  const std::string root = call.root();
  Machine& machine = call.machine;
  const auto state = machine.StateOf(root, call.line.id());
  // The lower runtime refuses to delete a running container without --force: its record stays.
  const bool is_alive =
      state && state->pid > 0 && machine.StartTime(state->pid) == state->start_time;
  if (!is_alive || call.line.flag("force")) {
    if (const auto records = machine.OpenRecords(root, /*create=*/false); records) {
      LogRepeats(call, root, **records);
      (*records)->Remove(call.line.id());
    }
  }
  return call.line.Canonical();
}

Result<Arguments> PassUnknown(const Call& call) {
  const Error refusal = oci::UnknownVerb(call.line.verb);
  const auto policy = LoadNamedPolicy(call, call.line.config_directory, {});
  if (!policy) return policy.error();
  if (auto logged = LogRefusal(call, *policy, {}, refusal); !logged) return logged.error();
  if (policy->is_enforced()) return refusal;
  return call.line.Canonical();
}

}  // namespace runclad::runtime
