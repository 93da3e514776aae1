// What another policy would decide about the containers that run.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "runclad/base/result.hpp"

#include "style.hpp"

namespace runclad::ctl {

struct PolicyTrial {
  std::string text;               // each container with a difference, and a last line
  std::size_t newly_refused = 0;  // or newly impossible to judge
};

// Judges every running container by the policy in `candidate` and by the one in force in
// `directory` (as --config).
PolicyTrial TryPolicy(const std::optional<std::string>& directory, const std::string& candidate,
                      const Style& style);

}  // namespace runclad::ctl
