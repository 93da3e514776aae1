// The reports of vulnerability scanners: Trivy's (SchemaVersion 2) and Grype's JSON.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runclad/base/result.hpp"
#include "runclad/store/scan_verdict.hpp"

namespace runclad::ctl {

struct ScanReport {
  store::ScanVerdict verdict;
  std::vector<std::string> digests;  // of the image that was scanned, each once
  // Trivy's report has no results for packages: it may not have checked any.
  bool names_no_packages = false;
};

// A vulnerability counts once for each package, with the worst that the report says of it.
Result<ScanReport> ReadScanReport(std::string_view text);

}  // namespace runclad::ctl
