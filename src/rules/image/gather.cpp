#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "runclad/base/time.hpp"
#include "runclad/rules/scan.hpp"
#include "runclad/store/scan_verdict.hpp"

#include "rules/image/parameters.hpp"

namespace runclad::rules {
namespace {

bool AsksForScan(const image::Parameters& parameters) {
  const auto is_other = [](std::string_view value, std::string_view nothing) {
    return !value.empty() && value != nothing;
  };
  return is_other(parameters.scan_refuse, "off") || is_other(parameters.scan_warn, "off") ||
         is_other(parameters.scan_missing, "allow");
}

}  // namespace

Scan FindScan(const policy::Parameters& image, const engine::Identity& identity, std::int64_t now,
              const std::string& state_directory) {
  if (!AsksForScan(image::kParameters.Read(image))) return {};
  std::vector<std::string> digests = identity.manifest_digests;
  if (identity.is_known()) digests.insert(digests.begin(), identity.config_digest);
  if (digests.empty()) {
    return {{}, "none of its digests is known"};
  }
  for (const std::string& digest : digests) {
    auto verdict = store::ReadVerdict(digest, state_directory);
    // The next verdict must not be used instead: this one may be the one with findings.
    if (!verdict) return {{}, verdict.error().message};
    if (!*verdict) continue;
    auto& [scanner, scanned, counts] = **verdict;
    // It would look new for longer than it is.
    if (scanned > now + kSecondsPerDay) {
      return {{}, "the scan of " + digest + " is dated in the future"};
    }
    const std::int64_t age = std::max<std::int64_t>(0, now - scanned) / kSecondsPerDay;
    return {ScanFacts{std::move(scanner), counts, age}, {}};
  }
  return {{}, "no scan was imported for " + digests.front()};
}

}  // namespace runclad::rules
