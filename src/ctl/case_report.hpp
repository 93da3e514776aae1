// The results of policy test, in the forms that people and CI read.
#pragma once

#include <string>
#include <vector>

#include "commands.hpp"

namespace runclad::ctl {

struct CaseResult {
  std::string file;
  std::string name;
  std::vector<std::string> differences;  // sentences; empty: it is as expected
};

// The status is kChanged if a case failed.
Output ReportCases(const std::vector<CaseResult>& results, bool as_json, const Style& style);

// JUnit's XML, a test suite for each file.
std::string CasesAsJunit(const std::vector<CaseResult>& results);

}  // namespace runclad::ctl
