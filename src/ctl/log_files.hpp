// The decision log as operators keep it: the file, and those that were rotated away from it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "runclad/base/result.hpp"

namespace runclad::ctl {

// The log at `path` and what logrotate(8) made of earlier ones beside it ("audit.jsonl.1",
// "audit.jsonl-20261126.gz"), the newest first. Empty: there is none.
std::vector<std::string> LogFiles(const std::string& path);

// Calls `visit` with each line. A compressed file is read through the program that belongs to its
// suffix (gzip, xz, bzip2, zstd).
Status VisitLines(const std::string& path, const std::function<void(const std::string&)>& visit);

}  // namespace runclad::ctl
