// Whether a container that is created but not yet started matches the recorded decision.
#pragma once

#include "runclad/base/result.hpp"
#include "runclad/enforce/record.hpp"
#include "runclad/host/runtime_state.hpp"

#include "call.hpp"

namespace runclad::runtime {

// Holds a container whose record has no process so far to the promise (in mode enforce). When a
// waiting one breaks it, its process is killed and has ended when this returns, the decision is
// logged, and the error says what differs. One that runs, which was not started by us, keeps
// running.
Status Keeps(const Call& call, const enforce::Record& record, const host::RuntimeState& state);

}  // namespace runclad::runtime
