// OASIS SARIF 2.1.0, as code hosts take it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "runclad/json/value.hpp"

namespace runclad::ctl {

// A rule with its texts; `help` may be empty.
json::Document SarifRule(const std::string& id, std::string_view title, const std::string& help);

// An element of "locations": a line of a file, 0 if it is not known.
json::Document SarifFile(const std::string& file, std::size_t line);

// What was not examined; an error: the run failed for it.
struct SarifNotice {
  bool is_error = false;
  std::string text;
};

// One run.
std::string Sarif(json::Document rules, json::Document results,
                  const std::vector<SarifNotice>& notices = {});

}  // namespace runclad::ctl
