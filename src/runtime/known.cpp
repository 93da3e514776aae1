#include "known.hpp"

#include <utility>

#include "runclad/oci/exec_process.hpp"
#include "runclad/oci/update_resources.hpp"

#include "machine.hpp"

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
std::optional<host::RuntimeState> AsRecorded(const enforce::Record& record, const std::string& root,
                                             Machine& machine) {
  if (record.pid == 0 || machine.StartTime(record.pid) != record.start_time) return std::nullopt;
  if (!machine.HasContainer(root, record.id)) return std::nullopt;
  host::RuntimeState state;
  state.pid = record.pid;
  state.start_time = record.start_time;
  state.bundle = record.bundle;
  return state;
}

}  // namespace

Result<std::optional<Known>> FindKnown(const Call& call) {
  const std::string root = call.root();
  Machine& machine = call.machine;
  const auto records = machine.OpenRecords(root, /*create=*/false);
  if (!records) return records.error();
  auto record = (*records)->Find(call.line.id(), enforce::RecordParts::kRunning);
  if (!record) return record.error();
  std::optional<host::RuntimeState> state;
  if (record->has_value()) state = AsRecorded(**record, root, machine);
  if (!state) state = machine.StateOf(root, call.line.id());
  if (!state && !machine.HasContainer(root, call.line.id())) return std::optional<Known>();
  if (!state) {
    return Error{"the state of container " + std::string(call.line.id()) + " in " + root +
                 " cannot be read"};
  }
  if (record->has_value() && !IsOf(**record, *state)) record->reset();
  // It will be verified, although it has a process already.
  if (record->has_value() && !(*record)->has_promise && state->is_waiting) {
    record = (*records)->Find(call.line.id(), enforce::RecordParts::kProcess);
    if (!record) return record.error();
  }
  return std::optional(Known{*std::move(state), *std::move(record)});
}

Arguments WithoutContainer(oci::CommandLine line) {
  constexpr const char* kNothing = "/dev/null";
  if (line.kind == oci::VerbKind::kUpdate) {
    oci::DropResourceFlags(line);
    line.SetOption("resources", kNothing);
  } else {
    oci::DropProcessFlags(line);
    line.SetOption("process", kNothing);
  }
  return line.Canonical();
}

}  // namespace runclad::runtime
