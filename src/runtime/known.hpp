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

// No value: there is no such container. An error: its state or record cannot be read or trusted.
Result<std::optional<Known>> FindKnown(const Call& call);

// The call of a container that does not exist, so that the lower runtime says so in its words and
// with its status. If the container is created in the meantime, there is nothing to run or to set:
// /dev/null is not a document.
Arguments WithoutContainer(oci::CommandLine line);

}  // namespace runclad::runtime
