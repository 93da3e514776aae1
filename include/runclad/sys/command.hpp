// Other programs that are asked something: an engine's client or its own checker.
#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "runclad/base/result.hpp"

namespace runclad::sys {

struct CommandOutput {
  int status = -1;  // the exit status; 128 + N if signal N ended it
  std::string out;
  std::string err;
};

struct CommandOptions {
  std::chrono::seconds limit{20};                                // then it is killed: an error
  std::vector<std::pair<std::string, std::string>> environment;  // added to ours
  std::string input = "/dev/null";                               // the file of its standard input
};

// Runs argv[0], found in PATH, and waits for it. At most 64 MiB of either output are read. An error
// if it cannot be started or takes too long.
Result<CommandOutput> RunCommand(const std::vector<std::string>& argv,
                                 const CommandOptions& options = {});

// The absolute path of a program in PATH; empty if there is none.
std::string FindInPath(const std::string& name);

}  // namespace runclad::sys
