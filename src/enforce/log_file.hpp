// The decision log as a file: many processes append to it at once, and the one that finds it too
// large moves it aside. Nobody waits for it: not for a FIFO's reader, nor long for another process.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runclad/base/result.hpp"
#include "runclad/sys/file.hpp"

namespace runclad::enforce {

struct Rotation {
  std::int64_t max_bytes = 0;  // a larger file becomes "<path>-20261126T180530.000042Z"; 0: never
  std::int64_t keep = 0;       // of those, at most; older ones are removed
};

// Appends `line` and a newline in one write, and creates the file and its directory where they are
// missing. An error names the file and what would help; nothing of the line is in the file then.
Status AppendToLog(const std::string& path, std::string_view line, const Rotation& rotation);

// Which file is at `path`, and its size; zeros where there is none.
struct LogFile {
  sys::Inode inode;
  std::uint64_t size = 0;
};
LogFile LogFileAt(const std::string& path);

}  // namespace runclad::enforce
