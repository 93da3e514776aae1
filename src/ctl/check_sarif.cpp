#include "check_sarif.hpp"

#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "runclad/rules/catalog.hpp"

#include "findings.hpp"
#include "sarif.hpp"

namespace runclad::ctl {
namespace {

using json::Document;

// Every code of the catalogue.
Document CodesAsRules() {
  Document rules = Document::array();
  for (const rules::Rule* rule : rules::Catalog()) {
    for (const rules::Code& code : rule->codes) {
      rules.push_back(SarifRule(std::string(rule->id()) + "/" + code.id, code.meaning,
                                std::string(rule->rationale)));
    }
  }
  return rules;
}

std::string_view LevelOf(const Finding& finding) {
  if (finding.action == "refused") return "error";
  return finding.action == "warned" ? "note" : "warning";
}

Document ResultOf(const Finding& finding, const JudgedDocument& document) {
  Document location = {
      {"logicalLocations", Document::array({{{"name", finding.path},
                                             {"fullyQualifiedName", document.what + finding.path},
                                             {"kind", "member"}}})}};
  if (!document.path.empty()) location.update(SarifFile(document.path, 0));
  return {{"ruleId", finding.code},
          {"level", LevelOf(finding)},
          {"message", {{"text", Sentence(finding)}}},
          {"locations", Document::array({std::move(location)})}};
}

}  // namespace

std::string AsSarif(const std::vector<JudgedDocument>& documents) {
  Document results = Document::array();
  std::vector<SarifNotice> notices;
  for (const JudgedDocument& document : documents) {
    for (const std::string& what : document.not_judged) {
      notices.push_back({false, document.what + ": not judged: " + what});
    }
    if (!document.judgement) {
      notices.push_back({true, document.what + ": " + document.judgement.error().message});
      continue;
    }
    for (const Finding& finding : FindingsFrom(document.judgement->decision.findings)) {
      results.push_back(ResultOf(finding, document));
    }
  }
  return Sarif(CodesAsRules(), std::move(results), notices);
}

}  // namespace runclad::ctl
