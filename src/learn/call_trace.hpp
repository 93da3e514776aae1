// Which system calls a container makes.
#pragma once

#include <string>
#include <string_view>

#include "runclad/base/result.hpp"

#include "trace_text.hpp"
#include "tracefs.hpp"

namespace runclad::learn {

// Traces raw_syscalls:sys_enter in an instance of its own, without stacks. A call that was seen is
// left out by the event's filter from then on, so that hardly anything is written after the start.
// While it is on, each call of every other process on the host takes a little longer.
class CallTrace {
 public:
  CallTrace() = default;
  ~CallTrace() { Stop(); }
  CallTrace(const CallTrace&) = delete;
  CallTrace& operator=(const CallTrace&) = delete;

  Status Start();
  // This process and all its descendants; counting begins at the container's own execve.
  void Follow(int pid);
  Calls Stop();

 private:
  void Take(std::string_view text);

  TraceInstance instance_;
  CallReader text_;
  std::string unread_;  // the line that has not ended
};

}  // namespace runclad::learn
