// Command lines of docker run and podman run.
#pragma once

#include <string>
#include <vector>

#include "runclad/base/result.hpp"
#include "runclad/draft/request.hpp"

namespace runclad::draft {

// `arguments`: "docker", "run", "--rm", …, as a shell would pass them. Files that options name
// (--env-file, a seccomp profile) are read. An error for arguments that the engine or runcladctl
// does not understand.
Result<Request> ReadArguments(const std::vector<std::string>& arguments);

}  // namespace runclad::draft
