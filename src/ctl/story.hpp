// The decision for one container, from its record or from the log.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "runclad/base/result.hpp"
#include "runclad/engine/identity.hpp"
#include "runclad/policy/effective.hpp"

#include "commands.hpp"
#include "findings.hpp"

namespace runclad::ctl {

struct Story {
  std::string container;
  std::string name;  // that the engine's user knows; empty: unknown
  std::string bundle;
  std::string source;   // "its record"
  std::string time;     // empty: unknown
  std::string outcome;  // from the log; empty: unknown
  std::string profile;
  std::string mode;
  std::string error;
  std::vector<Finding> findings;
  engine::Identity image;
  pid_t pid = 0;  // of its first process, of a record; 0: it was not started
};

// Of the container that the request names by its id, by the beginning of it or by its name, or of
// the last one in the log. `policy` says where that is.
Result<Story> FindStory(const WhyRequest& request, const Result<policy::Effective>& policy);

}  // namespace runclad::ctl
