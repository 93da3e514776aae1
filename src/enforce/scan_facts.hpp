// What a scanner said of a container's image.
#pragma once

#include <cstdint>
#include <string>

#include "runclad/enforce/state_directory.hpp"
#include "runclad/engine/identity.hpp"
#include "runclad/policy/effective.hpp"
#include "runclad/rules/facts.hpp"

namespace runclad::enforce {

// Fills facts.scan, or facts.no_scan_because, where the rule `image` is told to look at scans. The
// verdict of the config's digest counts, or else that of the first manifest that has one. `now` is
// in seconds since 1970-01-01 UTC.
void GatherScan(const policy::RuleSetting& image, const engine::Identity& identity,
                std::int64_t now, rules::Facts& facts,
                const std::string& state_directory = kStateDirectory);

}  // namespace runclad::enforce
