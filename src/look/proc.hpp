// A process's own directory in /proc, held open: it never shows another process that got the pid.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runclad/base/unique_fd.hpp"
#include "runclad/look/container.hpp"

namespace runclad::look {

// Not open where there is no such process, or the one that there is started at another time.
UniqueFd OpenProcess(pid_t pid, std::uint64_t start_time);

// A file of the process; no value where it cannot be read.
std::optional<std::string> ReadOf(int process, const char* name);

// A link's text.
std::string LinkOf(int process, const char* name);

std::optional<Credentials> CredentialsFrom(std::string_view status);
// "nginx" of its field Name, the kernel's escapes as they stand.
std::string NameFrom(std::string_view status);

// Numbers in `text` between blanks; what is none is passed over.
std::vector<std::uint32_t> NumbersIn(std::string_view text);

// Every process of the host by its cgroups and its mount namespace.
struct HostProcess {
  pid_t pid = 0;
  std::vector<std::string> cgroups;  // paths that are not "/"
  ino_t mounts = 0;                  // the namespace; 0: not known
};
std::vector<HostProcess> AllProcesses();

// The tasks of the processes, at most `most`.
std::vector<Task> TasksOf(const std::vector<pid_t>& processes, std::size_t most);

}  // namespace runclad::look
