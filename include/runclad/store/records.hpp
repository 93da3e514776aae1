// The decision for each living container, under /run/runclad, so that exec and start can apply it
// without reading any policy.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runclad/base/result.hpp"
#include "runclad/base/unique_fd.hpp"

namespace runclad::store {

inline constexpr std::string_view kRecordsDirectory = "/run/runclad";
// A mount takes about twice as much as in the document, which has at most 8 MiB.
inline constexpr std::size_t kMaxRecordBytes = std::size_t{32} << 20;

// What a record says of its container's first process; the rest of it is the caller's.
struct Life {
  std::string id;
  pid_t pid = 0;                 // of the container's first process, once started
  std::uint64_t start_time = 0;  // sys::StartTime of it
};

// The records of one runtime root (--root), named by the root's device and inode: the same
// directory under another name has the same records.
class Records {
 public:
  // `runtime_root` must exist. With `create`, our own directories are made, and no sweep removes
  // this one while the object lives.
  static Result<Records> Open(const std::string& runtime_root, bool create);

  // The text of a record, a JSON object. No value: there is none. An error: there is one that
  // cannot be trusted.
  [[nodiscard]] Result<std::optional<std::string>> Find(std::string_view id) const;
  // The same of its first process alone; an error where the text cannot be understood, too.
  [[nodiscard]] Result<std::optional<Life>> FindLife(std::string_view id) const;
  // The id of the recorded container whose first process is `pid`; empty when there is none. For a
  // container that `run` made, which no start has written into its record, the lower runtime's
  // state says so.
  [[nodiscard]] std::string FindByPid(pid_t pid) const;

  // Writes the record, whose members "id", "pid" and "startTime" are those of `life`, and once it
  // has a pid, a link from the pid to it.
  [[nodiscard]] Status Write(const Life& life, std::string_view text) const;
  // Writes the first process into the record of `id`, which must exist, as Write() would.
  [[nodiscard]] Status Stamp(std::string_view id, pid_t pid, std::uint64_t start_time) const;
  void Remove(std::string_view id) const;
  // Removes leftovers that are at least ten minutes old: records whose container is gone from
  // `runtime_root`, links from a pid to none, temporary files; and the records of runtime roots
  // that are gone themselves. At most 64 of these at a time, and once all are gone, it looks again
  // after ten minutes.
  void Sweep(const std::string& runtime_root) const;

 private:
  [[nodiscard]] Status Replace(std::string_view id, std::string_view text, pid_t pid) const;

  [[nodiscard]] std::string FindStarted(pid_t pid) const;
  [[nodiscard]] std::string FindRun(pid_t pid) const;

  Records(UniqueFd directory, std::string runtime_root)
      : directory_(std::move(directory)), runtime_root_(std::move(runtime_root)) {}

  UniqueFd directory_;  // not open: there are no records at all
  std::string runtime_root_;
};

// The runtime roots that have records and are where they were noted: every --root that runclad was
// called with, as far as it can be reached from here.
std::vector<std::string> NotedRoots();

}  // namespace runclad::store
