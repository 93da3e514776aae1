// A scanner's result for an image, by its digest: <state>/scans/sha256/<hex>.json.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "runclad/base/result.hpp"
#include "runclad/store/state_directory.hpp"
#include "runclad/store/vulnerabilities.hpp"

namespace runclad::store {

struct ScanVerdict {
  std::string scanner;       // "trivy 0.68.1"
  std::int64_t scanned = 0;  // seconds since 1970-01-01 UTC
  VulnerabilityCounts counts{};
};

// No value: the digest has no verdict. An error: it has one that cannot be trusted or understood.
Result<std::optional<ScanVerdict>> ReadVerdict(
    const std::string& digest, const std::string& state_directory = kStateDirectory);

// Writes the digest's verdict in place of an earlier one.
Status WriteVerdict(const std::string& digest, const ScanVerdict& verdict,
                    const std::string& state_directory = kStateDirectory);

}  // namespace runclad::store
