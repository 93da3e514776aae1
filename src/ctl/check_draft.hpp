// runcladctl check for containers that do not exist yet.
#pragma once

#include <string>
#include <vector>

#include "commands.hpp"

namespace runclad::ctl {

// One of these is given:
struct DraftRequest {
  std::vector<std::string> command_line;  // "docker", "run", …
  std::string compose;                    // a compose file
  std::string pod;                        // a Kubernetes manifest
  std::vector<std::string> services;      // of `compose`; none: every service without a profile
  // A file that replaces what an engine's store says about the image.
  std::string image_config;
};

// What create would do about what the engine would ask for. `request.target` is not used.
Result<Output> CheckDraft(const DraftRequest& draft, const CheckRequest& request,
                          const Style& style);

}  // namespace runclad::ctl
