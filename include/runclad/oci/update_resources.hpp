// The limits that `runc update` is given by flags, as the JSON that it takes with --resources.
#pragma once

#include "runclad/base/result.hpp"
#include "runclad/json/value.hpp"
#include "runclad/oci/command_line.hpp"
#include "runclad/oci/spec.hpp"

namespace runclad::oci {

// Only what the flags mention. Errors: a number is none, or a size that runc versions round in
// their own ways ("1.5g").
Result<json::Value> ResourcesFromFlags(const CommandLine& line);

// The caches and memory bandwidth that flags ask for, as a spec has them below /linux/intelRdt.
// --resources cannot say them: they stay flags.
void AddCacheSchemas(const CommandLine& line, Spec& spec);

// Removes the flags that ResourcesFromFlags has taken up: --resources says it all. Those that older
// lower runtimes do not know stay, since in --resources these would not see them and say nothing.
void DropResourceFlags(CommandLine& line);

}  // namespace runclad::oci
