// What policy lint found, in the forms that people and CI read.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "commands.hpp"

namespace runclad::ctl {

enum class LintLevel { kFault, kWarning };

struct LintFinding {
  std::string file;      // as it was found below the path that was given
  std::size_t line = 0;  // from 1; 0: the file as a whole
  LintLevel level = LintLevel::kFault;
  std::string kind;  // a short name for the sort of fault: "format", "waiver-expired"
  std::string message;
  friend bool operator==(const LintFinding&, const LintFinding&) = default;
};

// The findings of a policy's directory.
std::vector<LintFinding> LintDirectory(const std::string& directory);

// `praise` is printed if there are no findings. The status is kChanged when there are errors.
Output ReportLint(const std::vector<LintFinding>& findings, const std::string& praise,
                  LintFormat format, const Style& style);

}  // namespace runclad::ctl
