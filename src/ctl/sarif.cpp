#include "sarif.hpp"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "runclad/base/version.hpp"

#include "document_text.hpp"

namespace runclad::ctl {

using json::Document;

Document SarifRule(const std::string& id, std::string_view title, const std::string& help) {
  return {{"id", id},
          {"shortDescription", {{"text", title}}},
          {"help", {{"text", help.empty() ? std::string(title) : help}}}};
}

Document SarifFile(const std::string& file, std::size_t line) {
  return {{"physicalLocation",
           {{"artifactLocation", {{"uri", file}}},
            {"region", {{"startLine", std::max<std::size_t>(line, 1)}}}}}};
}

std::string Sarif(Document rules, Document results, const std::vector<SarifNotice>& notices) {
  Document run = {
      {"tool",
       {{"driver", {{"name", "runcladctl"}, {"version", Version()}, {"rules", std::move(rules)}}}}},
      {"results", std::move(results)}};
  if (!notices.empty()) {
    Document notifications = Document::array();
    for (const SarifNotice& notice : notices) {
      notifications.push_back(
          {{"level", notice.is_error ? "error" : "note"}, {"message", {{"text", notice.text}}}});
    }
    const bool has_failed = std::ranges::any_of(notices, &SarifNotice::is_error);
    run["invocations"] =
        Document::array({{{"executionSuccessful", !has_failed},
                          {"toolExecutionNotifications", std::move(notifications)}}});
  }
  return Dump({{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
               {"version", "2.1.0"},
               {"runs", Document::array({std::move(run)})}});
}

}  // namespace runclad::ctl
