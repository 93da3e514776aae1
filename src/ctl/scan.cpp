// runcladctl scan import: what a scanner found in an image, as the rule `image` reads it.
#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <vector>

#include "runclad/base/spelling.hpp"
#include "runclad/base/time.hpp"
#include "runclad/base/unique_fd.hpp"
#include "runclad/engine/reference.hpp"
#include "runclad/sys/file.hpp"

#include "commands.hpp"
#include "scan_report.hpp"

namespace runclad::ctl {
namespace {

constexpr std::size_t kMaxReportBytes = 256U << 20U;

Result<std::string> ReadReport(const std::string& path) {
  // O_NONBLOCK: opening a FIFO must not block.
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file) return SystemError("cannot be opened", errno);
  return sys::ReadRegularFile(file.get(), kMaxReportBytes);
}

std::string CountsTable(const store::VulnerabilityCounts& counts) {
  std::vector<std::vector<std::string>> rows = {{"SEVERITY", "FIXABLE", "WITHOUT A FIX"}};
  for (std::size_t i = counts.size(); i-- > 0;) {
    rows.push_back({std::string(store::kSeverityNames.at(i)), std::to_string(counts.at(i).fixable),
                    std::to_string(counts.at(i).unfixable)});
  }
  return Table(rows);
}

}  // namespace

Result<Output> ImportScan(const ScanRequest& request) {
  if (!request.digest.empty() && !engine::IsSha256Digest(request.digest)) {
    return Error{Quoted(request.digest) +
                 " is not sha256: followed by 64 lower-case hexadecimal digits"};
  }
  const auto text = ReadReport(request.file);
  if (!text) return text.error().In(request.file);
  auto report = ReadScanReport(*text);
  if (!report) return Error{request.file + " " + report.error().message};
  if (report->verdict.scanned > std::time(nullptr) + kSecondsPerDay) {
    return Error{request.file + " is dated in the future: " + FormatDay(report->verdict.scanned)};
  }
  std::vector<std::string>& digests = report->digests;
  if (!request.digest.empty() && std::ranges::find(digests, request.digest) == digests.end()) {
    digests.push_back(request.digest);
  }
  if (digests.empty()) {
    return Error{request.file +
                 " does not contain the digest of an image; specify it with --digest"};
  }
  for (const std::string& digest : digests) {
    const auto written = store::WriteVerdict(digest, report->verdict, request.state_directory);
    if (!written) return written.error();
  }
  std::string output = report->verdict.scanner + ", " + FormatDay(report->verdict.scanned) + "\n" +
                       CountsTable(report->verdict.counts) + "Written to " +
                       request.state_directory + "/scans for:\n";
  for (const std::string& digest : digests) output += "  " + digest + "\n";
  if (report->names_no_packages) {
    output +=
        "The report has no results for packages: make sure that the scanner looked for "
        "vulnerabilities.\n";
  }
  return Output{output};
}

}  // namespace runclad::ctl
