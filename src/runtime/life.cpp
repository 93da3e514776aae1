// start and delete: the record follows the container's life.
#include "runclad/enforce/record.hpp"
#include "runclad/host/runtime_state.hpp"
#include "runclad/sys/process.hpp"

#include "call.hpp"
#include "kept.hpp"

namespace runclad::runtime {

Result<Arguments> Start(const Call& call) {
  const std::string root = call.root();
  const auto records = store::Records::Open(root, /*create=*/false);
  if (!records) return records.error();
  auto record = enforce::FindRecord(*records, call.line.id(), enforce::RecordParts::kLife);
  if (!record) return record.error();
  const auto state = host::ReadRuntimeState(root, call.line.id());
  if (record->has_value() && !state && host::ContainerExists(root, call.line.id()) &&
      (*record)->process_policy.mode == policy::Mode::kEnforce) {
    return Error{"container " + std::string(call.line.id()) + " cannot be verified: its state in " +
                 root + " cannot be read"};
  }
  if (record->has_value() && state && (*record)->bundle == state->bundle) {
    if (auto kept = Keeps(call, **record, *state); !kept) return kept.error();
    if (auto stamped = records->Stamp(call.line.id(), state->pid, state->start_time); !stamped) {
      return stamped.error();
    }
  }
  return call.line.Canonical();
}

Result<Arguments> Delete(const Call& call) {
  const std::string root = call.root();
  const auto state = host::ReadRuntimeState(root, call.line.id());
  // The lower runtime refuses to delete a running container without --force: its record stays.
  const bool is_alive = state && state->pid > 0 && sys::StartTime(state->pid) == state->start_time;
  if (!is_alive || call.line.flag("force")) {
    if (const auto records = store::Records::Open(root, /*create=*/false); records) {
      records->Remove(call.line.id());
    }
  }
  return call.line.Canonical();
}

}  // namespace runclad::runtime
