// What hidden-paths asks of the image for itself.
#pragma once

#include "runclad/base/result.hpp"
#include "runclad/rules/questions.hpp"
#include "runclad/rules/rule.hpp"

namespace runclad::rules::hidden_paths {

struct HiddenFiles : HiddenFacts {
  static Result<HiddenFiles> Gather(const Asked& asked);
};

}  // namespace runclad::rules::hidden_paths
