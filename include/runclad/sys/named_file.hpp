// Files by their names, links followed: for what the caller names, and what the host's owner or the
// kernel writes. sys/file.hpp has the ways for everything else.
#pragma once

#include <cstddef>
#include <string>

#include "runclad/base/result.hpp"

namespace runclad::sys {

// Everything in a regular file of at most `max_bytes`. Errors begin with `path`.
Result<std::string> ReadFile(const std::string& path, std::size_t max_bytes);

// The same; empty if it cannot be read.
std::string ContentOf(const std::string& path);

}  // namespace runclad::sys
