// A scanner's result for an image.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "runclad/engine/identity.hpp"
#include "runclad/policy/parameters.hpp"
#include "runclad/rules/facts.hpp"
#include "runclad/store/state_directory.hpp"

namespace runclad::rules {

struct Scan {
  std::optional<ScanFacts> found;
  std::string missing_because;  // where there is none and the rule wants one
};

// What the rule `image` with these parameters wants to know. The verdict of the config's digest
// counts, or else that of the first manifest that has one. `now` is in seconds since 1970-01-01
// UTC.
Scan FindScan(const policy::Parameters& image, const engine::Identity& identity, std::int64_t now,
              const std::string& state_directory = store::kStateDirectory);

}  // namespace runclad::rules
