// The vulnerabilities that a scanner found in an image, as values.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace runclad::store {

// What a scanner calls unknown counts as negligible.
enum class Severity { kNegligible, kLow, kMedium, kHigh, kCritical };
inline constexpr std::array<std::string_view, 5> kSeverityNames = {"negligible", "low", "medium",
                                                                   "high", "critical"};

// The vulnerabilities of one severity.
struct VulnerabilityCount {
  std::uint64_t fixable = 0;  // fixed in a newer version of the package
  std::uint64_t unfixable = 0;
  friend bool operator==(const VulnerabilityCount&, const VulnerabilityCount&) = default;
};
using VulnerabilityCounts = std::array<VulnerabilityCount, kSeverityNames.size()>;  // by Severity

}  // namespace runclad::store
