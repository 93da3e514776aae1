// The decision log as operators keep it: the file, and those that were rotated away from it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "runclad/base/result.hpp"
#include "runclad/base/unique_fd.hpp"
#include "runclad/policy/effective.hpp"

namespace runclad::ctl {

// The file that has the decisions as runclad writes them: the log or, if that is not a file, one
// that it is forwarded to as it is. None: they are in no file that runcladctl reads.
std::optional<std::string> ReadableLog(const policy::LogSettings& settings);

// The log at `path` and what logrotate(8) made of earlier ones beside it ("audit.jsonl.1",
// "audit.jsonl-20261126.gz"), the newest first. Empty: there is none.
std::vector<std::string> LogFiles(const std::string& path);

// Calls `visit` with each line. A compressed file is read through the program that belongs to its
// suffix (gzip, xz, bzip2, zstd).
Status VisitLines(const std::string& path, const std::function<void(const std::string&)>& visit);

// The same, for the last lines alone, about `max_bytes`. False: something was left out; of a
// compressed file that is larger, everything is.
Result<bool> VisitLastLines(const std::string& path, std::uint64_t max_bytes,
                            const std::function<void(const std::string&)>& visit);

// One of them, open, as it may be renamed meanwhile.
struct OpenLog {
  std::string path;
  UniqueFd file;
};
Result<OpenLog> Open(const std::string& path);

// A longer line is visited as an empty one.
inline constexpr std::size_t kMaxLineBytes = std::size_t{64} << 20;

// The first line, which is unlike that of every other log: it has the time and the container.
// Empty: there is none that is whole.
Result<std::string> FirstLine(const OpenLog& log);

// Calls `visit` with each whole line from byte `begin` of the (decompressed) text on, until about
// `max_bytes` were visited. Returns where to go on.
Result<std::uint64_t> VisitLinesFrom(const OpenLog& log, std::uint64_t begin,
                                     std::uint64_t max_bytes,
                                     const std::function<void(const std::string&)>& visit);

}  // namespace runclad::ctl
