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
// The same of the process as a whole: where its first thread has ended and others go on, it is the
// directory of one of these, since the first has no mounts and no namespaces any more.
UniqueFd OpenLiving(pid_t pid, std::uint64_t start_time);

// A file of the process; no value where it cannot be read.
std::optional<std::string> ReadOf(int process, const char* name);

// A link's text.
std::string LinkOf(int process, const char* name);

// Whether it is a zombie, which can do nothing any more.
bool IsDead(std::string_view status);
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
struct HostProcesses {
  std::vector<HostProcess> found;
  bool has_missed = false;  // one ended before it was known whose it was
};
HostProcesses AllProcesses();

}  // namespace runclad::look
