#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runclad/base/result.hpp"

namespace runclad::sys {

// Field 22 of /proc/PID/stat (clock ticks since boot): with the pid it names one process for good.
std::optional<std::uint64_t> StartTime(pid_t pid);

// Becomes the program at `path` with the current environment; returns only on failure.
Error Exec(const std::string& path, const std::vector<std::string>& argv);

}  // namespace runclad::sys
