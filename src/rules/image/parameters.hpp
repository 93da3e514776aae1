// The parameters of image.
#pragma once

#include <cstdint>
#include <string_view>

#include "runclad/policy/table.hpp"

namespace runclad::rules::image {

inline constexpr std::int64_t kNoAgeLimit = 36500;

struct Parameters {
  policy::StringList allow;
  policy::StringList deny;
  bool only_listed = false;
  bool known_only = false;
  std::string_view scan_refuse;
  std::string_view scan_warn;
  bool scan_fixable_only = false;
  std::int64_t scan_max_age_days = 0;
  std::string_view scan_missing;
};

// The lowest severity that counts, in Severity's order, with "any" for the lowest and "off" at the
// end.
inline constexpr std::string_view kThresholds[] = {"any",  "low",      "medium",
                                                   "high", "critical", "off"};
inline constexpr std::string_view kMissing[] = {"refuse", "warn", "allow"};
inline constexpr auto kParameters = policy::TableOf<Parameters>({
    {&Parameters::allow,
     {.name = "allow",
      .vocabulary = policy::Vocabulary::kImage,
      .description = "images that may run if only-listed is set"}},
    {&Parameters::deny,
     {.name = "deny",
      .merge = policy::Merge::kAccumulate,
      .vocabulary = policy::Vocabulary::kImage,
      .description = "images that may not run, whatever other names they have"}},
    {&Parameters::only_listed,
     {.name = "only-listed",
      .description = "refuse every image that allow does not list",
      .order = policy::Order::kFalseIsLooser,
      .docker_default = true}},
    {&Parameters::known_only,
     {.name = "known-only",
      .description = "refuse a container whose image cannot be verified from the engine's state",
      .order = policy::Order::kFalseIsLooser,
      .docker_default = true}},
    {&Parameters::scan_refuse,
     {.name = "scan-refuse",
      .choices = kThresholds,
      .description =
          "refuse an image in which a scanner found a vulnerability of this severity or higher",
      .docker_default = std::string_view("any")}},
    {&Parameters::scan_warn,
     {.name = "scan-warn",
      .choices = kThresholds,
      .description =
          "warn about an image in which a scanner found a vulnerability of this severity or higher",
      .docker_default = std::string_view("any")}},
    {&Parameters::scan_fixable_only,
     {.name = "scan-fixable-only",
      .description = "count only vulnerabilities that are fixed in a newer version of the package",
      .order = policy::Order::kTrueIsLooser,
      .docker_default = false}},
    {&Parameters::scan_max_age_days,
     {.name = "scan-max-age-days",
      .description = "an older scan counts as missing for scan-missing",
      .order = policy::Order::kMoreIsLooser,
      .docker_default = std::int64_t{0},
      .maximum = kNoAgeLimit,
      .has_unlimited = true}},
    {&Parameters::scan_missing,
     {.name = "scan-missing",
      .choices = kMissing,
      .description = "what happens to an image for which no scan was imported on this host",
      .docker_default = std::string_view("refuse")}},
});

}  // namespace runclad::rules::image
