// What a running container has done with the tmpfs that runclad gave it.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "runclad/store/records.hpp"

namespace runclad::ctl {

struct Usage {
  // The directories in which something was changed since the program started, without those below
  // others: "/etc/chrony".
  std::vector<std::string> written;
  // Those of them that hold a program or library that is new.
  std::vector<std::string> programs;
  // Where hardly anything more can be written, with what the tmpfs holds: "/run (64 MiB)".
  std::vector<std::string> full;
  // Of the other directories from which programs may run, those that hold neither a program nor a
  // library.
  std::vector<std::string> without_programs;
};

// Of the tmpfs at `directories`, and of `exec_paths` elsewhere, as the process `pid` sees them. No
// value: when the container `id` started is not known, or its root cannot be read.
std::optional<Usage> UsageOf(pid_t pid, const std::string& id,
                             const std::vector<std::string>& directories,
                             const std::vector<std::string>& exec_paths,
                             const std::string& records = std::string(store::kRecordsDirectory));

}  // namespace runclad::ctl
