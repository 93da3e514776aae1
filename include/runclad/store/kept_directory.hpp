// The directories of what runclad keeps, below /var/lib/runclad.
#pragma once

#include <string>

#include "runclad/base/result.hpp"
#include "runclad/base/unique_fd.hpp"

namespace runclad::store {

// Opens <state_directory>/<name>; an error where others than root could have written to it. With
// `create`, both are made.
Result<UniqueFd> OpenKeptDirectory(const std::string& state_directory, const std::string& name,
                                   bool create);

}  // namespace runclad::store
