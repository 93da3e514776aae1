// Services of a compose file.
#pragma once

#include <string>
#include <vector>

#include "runclad/base/result.hpp"
#include "runclad/draft/request.hpp"

namespace runclad::draft {

struct ComposeRequest {
  std::string path;
  std::vector<std::string> services;  // none: those that `docker compose up` starts
};

// A request for each service, sorted by name. `docker compose config` resolves the file, within 20
// seconds, if it is installed. Without it, features that need compose (extends, include) are
// errors.
Result<std::vector<Request>> ReadCompose(const ComposeRequest& asked);

// The same without calling compose: variables come from the environment and from .env beside the
// file.
Result<std::vector<Request>> ReadPlainCompose(const ComposeRequest& asked);

}  // namespace runclad::draft
