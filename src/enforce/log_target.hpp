// Where decisions are logged: a file, systemd-journald or syslog. runclad never waits for any of
// them: a FIFO or a daemon that does not read must not block a container.
#pragma once

#include <string>

#include "runclad/base/result.hpp"

namespace runclad::enforce {

// Appends `line` to `target` ("file:PATH", "journald" or "syslog") in one system call. An error
// names the target and why it did not take the whole line.
Status WriteToTarget(const std::string& target, const std::string& line);

// Sends `warning` to syslog, if it is there to take it.
void WarnSyslog(const std::string& warning);

}  // namespace runclad::enforce
