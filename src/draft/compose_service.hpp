// One service of a compose file, as a request to Docker.
#pragma once

#include <string>

#include "runclad/base/result.hpp"
#include "runclad/draft/request.hpp"
#include "runclad/json/value.hpp"

namespace runclad::draft {

struct Project {
  std::string name;
  std::string directory;  // relative paths start there
  const json::Document* file = nullptr;
};

// Unknown keys, and those that only compose can resolve, are errors.
Result<Request> ReadService(const std::string& name, const json::Document& service,
                            const Project& project);

}  // namespace runclad::draft
