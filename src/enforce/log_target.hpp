// Where decisions are logged: a file, systemd-journald or syslog. runclad never waits for any of
// them: a FIFO or a daemon that does not read must not block a container.
#pragma once

#include <string>

#include "runclad/base/result.hpp"

#include "log_file.hpp"

namespace runclad::enforce {

// Appends `line` to `target` ("file:PATH", "journald" or "syslog") in one system call. An error
// names the target and why it did not take the whole line. A file is rotated.
Status WriteToTarget(const std::string& target, const std::string& line, const Rotation& rotation);

}  // namespace runclad::enforce
