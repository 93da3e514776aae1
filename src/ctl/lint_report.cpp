#include "lint_report.hpp"

#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>

#include "sarif.hpp"

namespace runclad::ctl {
namespace {

using Document = nlohmann::json;

std::string NameOf(LintLevel level) { return level == LintLevel::kFault ? "error" : "warning"; }

std::string AsText(const std::vector<LintFinding>& findings, const Style& style) {
  std::string text;
  for (const LintFinding& finding : findings) {
    text += Printable(finding.file);
    if (finding.line > 0) text += ":" + std::to_string(finding.line);
    text += finding.level == LintLevel::kWarning ? ": " + style.Yellow("warning: ") : ": ";
    text += Printable(finding.message) + "\n";
  }
  return text;
}

std::string AsJson(const std::vector<LintFinding>& findings) {
  Document array = Document::array();
  for (const LintFinding& finding : findings) {
    array.push_back({{"file", finding.file},
                     {"line", finding.line},
                     {"level", NameOf(finding.level)},
                     {"kind", finding.kind},
                     {"message", finding.message}});
  }
  return Document{{"findings", std::move(array)}}.dump(2, ' ', /*ensure_ascii=*/true,
                                                       Document::error_handler_t::replace) +
         "\n";
}

std::string AsSarif(const std::vector<LintFinding>& findings) {
  std::set<std::string> kinds;
  Document results = Document::array();
  for (const LintFinding& finding : findings) {
    kinds.insert(finding.kind);
    results.push_back({{"ruleId", finding.kind},
                       {"level", NameOf(finding.level)},
                       {"message", {{"text", finding.message}}},
                       {"locations", Document::array({SarifFile(finding.file, finding.line)})}});
  }
  Document rules = Document::array();
  for (const std::string& kind : kinds) rules.push_back({{"id", kind}});
  return Sarif(std::move(rules), std::move(results));
}

}  // namespace

Output ReportLint(const std::vector<LintFinding>& findings, const std::string& praise,
                  LintFormat format, const Style& style) {
  Output output;
  switch (format) {
    case LintFormat::kJson:
      output.text = AsJson(findings);
      break;
    case LintFormat::kSarif:
      output.text = AsSarif(findings);
      break;
    case LintFormat::kText:
      output.text = findings.empty() ? Printable(praise) + "\n" : AsText(findings, style);
      break;
  }
  const bool has_errors = std::ranges::any_of(
      findings, [](const LintFinding& finding) { return finding.level == LintLevel::kFault; });
  output.status = has_errors ? kChanged : kUnchanged;
  return output;
}

}  // namespace runclad::ctl
