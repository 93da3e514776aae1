// What was decided for each living container, under /run/runclad, so that exec and start are held
// to it without reading any policy.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "runclad/base/result.hpp"
#include "runclad/base/unique_fd.hpp"
#include "runclad/enforce/promise.hpp"
#include "runclad/engine/identity.hpp"
#include "runclad/json/value.hpp"
#include "runclad/policy/effective.hpp"

namespace runclad::enforce {

inline constexpr std::string_view kRecordsDirectory = "/run/runclad";
// A mount takes about twice as much as in the document, which has at most 8 MiB.
inline constexpr std::size_t kMaxRecordBytes = std::size_t{32} << 20;

struct Record {
  std::string id;
  std::string bundle;  // absolute
  // The policy as far as exec and update need it: mode, log, the rules of the process with the
  // capabilities narrowed to the container's own, and those that judge updates.
  policy::Effective process_policy;
  engine::Identity identity;
  Promise promise;               // what start holds the created container to
  json::Value findings;          // as in the log line
  pid_t pid = 0;                 // of the container's first process, once started
  std::uint64_t start_time = 0;  // sys::StartTime of it
};

// How much of a record is read. Most of its bytes are rules and findings.
enum class RecordParts {
  kLife,  // what start and the search by pid need: without rules, identity and findings
  kAll,
};

// The records of one runtime root (--root), named by the root's device and inode: the same
// directory under another name has the same records.
class Records {
 public:
  // `runtime_root` must exist. With `create`, our own directories are made, and no sweep removes
  // this one while the object lives.
  static Result<Records> Open(const std::string& runtime_root, bool create);

  // No value: there is no record. An error: there is one that cannot be trusted or understood.
  [[nodiscard]] Result<std::optional<Record>> Find(std::string_view id,
                                                   RecordParts parts = RecordParts::kAll) const;
  // The id of the recorded container whose first process is `pid`; empty when there is none.
  [[nodiscard]] std::string FindByPid(pid_t pid) const;

  // Writes the record and, once it has a pid, the way from the pid to it.
  [[nodiscard]] Status Write(const Record& record) const;
  // Writes the first process into the record of `id`, which must exist, as Write() would.
  [[nodiscard]] Status Stamp(std::string_view id, pid_t pid, std::uint64_t start_time) const;
  void Remove(std::string_view id) const;
  // Removes what was left behind ten minutes ago or earlier: records whose container is gone from
  // `runtime_root`, links from a pid to none, temporary files; and the records of runtime roots
  // that are gone themselves. At most 64 of these at a time, and once all are gone, it looks again
  // after ten minutes.
  void Sweep(const std::string& runtime_root) const;

 private:
  // The file of the record; no value where there is none.
  [[nodiscard]] Result<std::optional<std::string>> Read(std::string_view id) const;
  [[nodiscard]] Status Replace(std::string_view id, std::string_view text, pid_t pid) const;

  explicit Records(UniqueFd directory) : directory_(std::move(directory)) {}

  UniqueFd directory_;  // not open: there are no records at all
};

}  // namespace runclad::enforce
