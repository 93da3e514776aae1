#include "known.hpp"

#include <utility>

#include "runclad/sys/process.hpp"

namespace runclad::runtime {
namespace {

// A record counts when it is of the container that the runtime knows by this id, and not of one
// that had the id before.
bool IsOf(const enforce::Record& record, const host::RuntimeState& state) {
  if (record.bundle != state.bundle) return false;
  return record.pid == 0 || (record.pid == state.pid && record.start_time == state.start_time);
}

// While the process that was first in the container lives, the record knows of the container what
// the lower runtime knows; its own state is tens of kilobytes, and health checks come every second.
std::optional<host::RuntimeState> AsRecorded(const enforce::Record& record,
                                             const std::string& root) {
  if (record.pid == 0 || sys::StartTime(record.pid) != record.start_time) return std::nullopt;
  if (!host::ContainerExists(root, record.id)) return std::nullopt;
  host::RuntimeState state;
  state.pid = record.pid;
  state.start_time = record.start_time;
  state.bundle = record.bundle;
  return state;
}

}  // namespace

Result<Known> FindKnown(const Call& call) {
  const std::string root = call.root();
  const auto records = store::Records::Open(root, /*create=*/false);
  if (!records) return records.error();
  auto record = enforce::FindRecord(*records, call.line.id(), enforce::RecordParts::kProcess);
  if (!record) return record.error();
  std::optional<host::RuntimeState> state;
  if (record->has_value()) state = AsRecorded(**record, root);
  if (!state) state = host::ReadRuntimeState(root, call.line.id());
  if (!state) {
    return Error{"no container " + std::string(call.line.id()) + " exists in " + root};
  }
  if (record->has_value() && !IsOf(**record, *state)) record->reset();
  return Known{*std::move(state), *std::move(record)};
}

}  // namespace runclad::runtime
