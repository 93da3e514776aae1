#include "case_report.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "markup.hpp"

namespace runclad::ctl {
namespace {

using Document = nlohmann::json;

bool HasFailed(const CaseResult& result) { return !result.differences.empty(); }

std::string Suite(const std::string& file, const std::vector<CaseResult>& results) {
  std::string text;
  std::size_t tests = 0;
  std::size_t failures = 0;
  for (const CaseResult& result : results) {
    if (result.file != file) continue;
    ++tests;
    text += "    <testcase classname=\"" + Markup(file) + "\" name=\"" + Markup(result.name) + "\"";
    if (!HasFailed(result)) {
      text += "/>\n";
      continue;
    }
    ++failures;
    text += ">\n      <failure message=\"" + Markup(result.differences.front()) + "\">" +
            Markup(Joined(result.differences, "; ")) + "</failure>\n    </testcase>\n";
  }
  return "  <testsuite name=\"" + Markup(file) + "\" tests=\"" + std::to_string(tests) +
         "\" failures=\"" + std::to_string(failures) + "\">\n" + text + "  </testsuite>\n";
}

}  // namespace

Output ReportCases(const std::vector<CaseResult>& results, bool as_json, const Style& style) {
  const auto failed = static_cast<std::size_t>(std::ranges::count_if(results, HasFailed));
  Output output;
  output.status = failed == 0 ? kUnchanged : kChanged;
  if (as_json) {
    Document cases = Document::array();
    for (const CaseResult& result : results) {
      cases.push_back(
          {{"file", result.file}, {"name", result.name}, {"differences", result.differences}});
    }
    output.text = Document{{"cases", std::move(cases)}, {"failed", failed}}.dump(
                      2, ' ', /*ensure_ascii=*/true, Document::error_handler_t::replace) +
                  "\n";
    return output;
  }
  const bool is_one_file = std::ranges::all_of(
      results, [&](const CaseResult& result) { return result.file == results.front().file; });
  std::string file;
  for (const CaseResult& result : results) {
    if (!is_one_file && result.file != file) output.text += "# " + Printable(result.file) + "\n";
    file = result.file;
    output.text += (HasFailed(result) ? style.Red("not ok") : style.Green("ok")) + " - " +
                   Printable(result.name) + "\n";
    for (const std::string& difference : result.differences) {
      output.text += Wrapped(Printable(difference), 4);
    }
  }
  output.text +=
      std::to_string(results.size() - failed) + " passed, " + std::to_string(failed) + " failed\n";
  return output;
}

std::string CasesAsJunit(const std::vector<CaseResult>& results) {
  std::string suites;
  std::vector<std::string> files;
  for (const CaseResult& result : results) {
    if (std::ranges::find(files, result.file) != files.end()) continue;
    files.push_back(result.file);
    suites += Suite(result.file, results);
  }
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites tests=\"" +
         std::to_string(results.size()) + "\" failures=\"" +
         std::to_string(std::ranges::count_if(results, HasFailed)) + "\">\n" + suites +
         "</testsuites>\n";
}

}  // namespace runclad::ctl
