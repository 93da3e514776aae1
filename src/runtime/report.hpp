// How a failure is reported to the user: runc's contract with the engines.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runclad/base/result.hpp"
#include "runclad/policy/effective.hpp"

namespace runclad::runtime {

// Says `error` once on stderr and, as exactly one line, in the file that the call names with --log
// (in the form of --log-format); containerd and podman show the user what stands there. Takes the
// raw arguments, since the call may be one that could not be parsed. Returns the exit status.
int Report(const Error& error, const std::vector<std::string>& arguments);

// Says on stderr and to syslog that another policy than the one in force is used, and why. The
// engine's own log line says it, too; stderr may be the container's.
void WarnOfFallback(const policy::Effective& policy);

// The file of --log was judged, and nobody else could have made it a link. Until then, Report
// writes there only if it finds that itself.
void LogIsJudged();
// Whether to write to `path`, the file of --log, at once: without allocating anything.
bool MayWriteLogAtOnce(std::string_view path);

}  // namespace runclad::runtime
