// What is known of a container that an exec or an update names.
#pragma once

#include <optional>
#include <string>

#include "runclad/base/result.hpp"
#include "runclad/enforce/record.hpp"
#include "runclad/host/runtime_state.hpp"

#include "call.hpp"

namespace runclad::runtime {

struct Known {
  host::RuntimeState state;
  // Of this very container, and not of one that had the id before.
  std::optional<enforce::Record> record;
};

// An error: there is no such container, or it has a record that cannot be trusted.
Result<Known> FindKnown(const Call& call);

}  // namespace runclad::runtime
