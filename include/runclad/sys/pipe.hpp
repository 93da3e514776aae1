// Documents that a caller hands over in a pipe: runc reads them as it reads a file.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "runclad/base/result.hpp"

namespace runclad::sys {

struct Input {
  std::string bytes;
  bool is_pipe = false;  // the bytes are gone from it: nobody else can read them again
};

// How long a pipe may take until its last writer closes it. runc waits for ever; a call that hangs
// holds its container's lock in the engine.
inline constexpr std::chrono::seconds kLongestPipe(10);

// Everything in `fd`, at most `max_bytes`: a regular file, or a pipe or FIFO whose writers close it
// within `limit`. A FIFO that nobody writes to is an error after that time.
Result<Input> ReadFileOrPipe(int fd, std::size_t max_bytes,
                             std::chrono::milliseconds limit = kLongestPipe);

}  // namespace runclad::sys
