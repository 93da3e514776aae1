// The process that `runc exec` makes of the bundle's config.json and its flags if --process is not
// given. runclad makes it itself, so that nothing is read a second time.
#pragma once

#include "runclad/base/result.hpp"
#include "runclad/json/value.hpp"
#include "runclad/oci/command_line.hpp"

namespace runclad::oci {

// `config_process` is /process of the bundle's config.json. Errors: no program is named, a number
// (--user, --additional-gids) is none, or there is nothing to add --cap to.
Result<json::Value> ProcessFromFlags(const json::Document& config_process, const CommandLine& line);

// Removes the flags that ProcessFromFlags has taken up, and the program's arguments: --process says
// it all.
void DropProcessFlags(CommandLine& line);

}  // namespace runclad::oci
