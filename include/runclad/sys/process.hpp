#pragma once

#include <signal.h>
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runclad/base/result.hpp"

namespace runclad::sys {

// Field 22 of /proc/PID/stat (clock ticks since boot): with the pid it names one process for good.
// No value once the first thread has ended, whether or not a parent has waited for it: a zombie
// still has a start time, and the runtimes call its container stopped.
std::optional<std::uint64_t> StartTime(pid_t pid);
// The same, but a process is alive as long as one of its threads is.
std::optional<std::uint64_t> GroupStartTime(pid_t pid);

// Whether root runs the process of this directory in /proc: by its real, effective, saved and file
// system uid. The directory itself also belongs to root if a user has started a set-user-ID
// program, whose arguments are the user's.
bool RunsAsRoot(const std::string& process);

// Opens /dev/null (or, without one, the root directory) where standard input, output or error is
// closed, so that no file that we open gets their numbers. Go programs do the same.
void KeepStandardStreams();

// Sets the action of `signal` for the object's lifetime and restores the caller's afterwards: the
// program that we exec, and the container's program, inherit ignored signals.
class SignalAction {
 public:
  SignalAction(int signal, void (*handler)(int));
  ~SignalAction();
  SignalAction(const SignalAction&) = delete;
  SignalAction& operator=(const SignalAction&) = delete;

 private:
  int signal_;
  struct sigaction before_ {};
};

// Executes the program at `path` with the current environment; returns only on failure.
Error Exec(const std::string& path, const std::vector<std::string>& argv);

// Runs it as a child and waits for it. Its exit status; 128 and the signal's number if it was
// killed.
Result<int> RunAndWait(const std::string& path, const std::vector<std::string>& argv);

}  // namespace runclad::sys
