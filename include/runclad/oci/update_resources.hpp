// The limits that `runc update` is given by flags, as the JSON that it takes with --resources.
#pragma once

#include "runclad/base/result.hpp"
#include "runclad/json/value.hpp"
#include "runclad/oci/command_line.hpp"

namespace runclad::oci {

// Only what the flags mention. Errors: a number is none, or a size that runc versions round in
// their own ways ("1.5g").
Result<json::Value> ResourcesFromFlags(const CommandLine& line);

// Removes the flags that ResourcesFromFlags has taken up: --resources says it all.
void DropResourceFlags(CommandLine& line);

}  // namespace runclad::oci
