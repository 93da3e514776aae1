#pragma once

#include <optional>
#include <string>

#include "runclad/base/result.hpp"
#include "runclad/enforce/record.hpp"

namespace runclad::ctl {

// The record of the one container whose id begins with `prefix`, or of the running one that has
// this name.
Result<enforce::Record> FindContainer(const std::string& prefix,
                                      const std::optional<std::string>& runtime_root);

}  // namespace runclad::ctl
