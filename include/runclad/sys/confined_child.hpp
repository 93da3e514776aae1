// Parses untrusted bytes in a sandbox, so that a bug in the parser gives an attacker nothing.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "runclad/base/result.hpp"

namespace runclad::sys {

struct ConfinedLimits {
  std::size_t max_input_bytes = std::size_t{256} << 20;
  std::size_t max_output_bytes = std::size_t{8} << 20;
  std::size_t memory_bytes = std::size_t{1} << 30;  // of addresses, the input among them
  unsigned cpu_seconds = 5;
  unsigned seconds = 10;  // until it is killed
};

// Takes a file's content, which is the child's own copy; no value: it cannot be understood.
using ConfinedWork = std::function<std::optional<std::string>(std::span<char>)>;

// What `work` makes of the regular file `input`, in a child process without any user, group,
// capability or file of ours. It may only compute, allocate memory and answer; any other system
// call kills it. The answer is as untrusted as the input.
Result<std::string> RunConfined(int input, const ConfinedWork& work,
                                const ConfinedLimits& limits = {});

}  // namespace runclad::sys
