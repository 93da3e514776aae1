// Capability uses in the kernel's trace: the text of a tracefs instance's trace_pipe with the
// events capability:cap_capable, sched:sched_process_exec and sched:sched_process_fork, each with
// its stack (option stacktrace), for the processes that a runtime's `create` started.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace runclad::learn {

// A capability that was requested and granted.
struct Use {
  int capability = 0;   // its number
  std::string call;     // "chown(2)"; empty: not in a system call, or the stack does not say
  std::string program;  // "/usr/sbin/nginx", else the kernel's name of the process
  friend bool operator==(const Use&, const Use&) = default;
};

struct Uses {
  std::vector<Use> uses;    // the first of each capability, in the order of the trace
  bool has_begun = false;   // the container's own execve was seen
  bool has_losses = false;  // the kernel dropped events, or lines could not be understood
};

// Uses by the container: from its own execve on, without processes of the runtime. Two kinds of
// uses are left out: those by overlayfs with the credentials of its mounter, which are recognised
// by a capability that the container does not have (`bounding`: those that it has), and SYS_ADMIN
// for memory. `text` may end anywhere.
Uses UsesIn(std::string_view text, std::uint64_t bounding);

// System calls by the container, by their numbers: in the text of an instance with the events
// raw_syscalls:sys_enter, sched:sched_process_exec and sched:sched_process_fork.
struct Calls {
  std::set<int> numbers;
  bool has_begun = false;   // the container's own execve was seen
  bool has_losses = false;  // the kernel dropped events, or lines could not be understood
};
class CallReader {
 public:
  CallReader();
  ~CallReader();
  CallReader(const CallReader&) = delete;
  CallReader& operator=(const CallReader&) = delete;

  // The next whole line; whether it has a call that was not seen before.
  bool Line(std::string_view line);
  [[nodiscard]] const Calls& calls() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The process ID of a line that was written into trace_marker with this text; 0: it is another
// line.
int MarkerPidIn(std::string_view line, std::string_view text);

}  // namespace runclad::learn
