// The seccomp filters that the kernel holds for a task, and what they let through.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runclad/base/result.hpp"
#include "runclad/privilege/filter_program.hpp"
#include "runclad/privilege/seccomp.hpp"

namespace runclad::look {

struct Task {
  pid_t id = 0;
  std::uint64_t start_time = 0;  // sys::StartTime: another task with this id is not looked at
  pid_t process = 0;
  // Of its process, when this one was listed; 0: any number; kUncounted: some may not be listed.
  // One that is not among them could start a program, which then goes on under the id and the start
  // time of the first thread.
  std::size_t threads = 0;
};
inline constexpr std::size_t kUncounted = SIZE_MAX;

// Whether tasks are stopped for a moment to read their filters.
enum class Attach { kNo, kYes };

struct TaskFilters {
  pid_t task = 0;
  std::vector<privilege::FilterProgram> programs;  // in the kernel's order, the newest first
  std::string unknown_because;                     // empty: these are all that the task has
  // Which is why they are unknown, or its process has other threads than when it was listed.
  bool has_ended = false;
};

// Reads the filters of each task (PTRACE_SECCOMP_GET_FILTER): stops it, reads, and lets it go on. A
// child process does so and ends afterwards, so that the kernel releases every task, whatever
// happens to us; nothing takes longer than `patience` for each task, once ten times that for all
// that did not stop the first time, and nothing begins after `deadline`. A task that has a tracer,
// does not stop in time or has ended is unknown.
std::vector<TaskFilters> ReadFilters(
    std::span<const Task> tasks,
    std::chrono::milliseconds patience = std::chrono::milliseconds(200),
    std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max());

// How many threads a process has; 0: it has ended.
std::size_t ThreadsOf(pid_t process);

// The program that the lower runtime makes of a document's filter. An error names what it does not
// accept.
Result<std::vector<privilege::FilterProgram>> ProgramsOf(
    const std::optional<privilege::SeccompFilter>& filter);

// Ways into this kernel, the native one first: "SCMP_ARCH_X86_64", …
std::span<const std::string_view> Architectures();

struct FilterSummary {
  enum class Source {
    kNone,      // there is no filter
    kKernel,    // read out of the task
    kRecord,    // of the document that runclad passed on; the kernel says that there is no other
    kDocument,  // of the document alone
    kUnknown,
  };
  Source source = Source::kNone;
  std::string unknown_because;  // why the kernel's is not known
  int allowed = 0;              // of the native system calls
  int known = 0;
  // Of a list of those that lead to holes of the kernel or to more power: "mount", "AF_ALG".
  std::vector<std::string> risky;
};

// Of all filters of a task; none: everything is let through.
FilterSummary Summarize(std::span<const privilege::FilterProgram> programs);

}  // namespace runclad::look
