// Whether a container that is created and not yet started is the one that was decided on.
#pragma once

#include "runclad/base/result.hpp"
#include "runclad/enforce/records.hpp"
#include "runclad/enforce/runtime_state.hpp"

#include "call.hpp"

namespace runclad::runtime {

// Holds the waiting container to its record's promise (in mode enforce; one that runs already is
// left alone). When it is broken, the container's process is killed, the decision is logged, and
// the error says what differs.
Status Keeps(const Call& call, const enforce::Record& record, const enforce::RuntimeState& state);

}  // namespace runclad::runtime
