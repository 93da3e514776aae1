#include "lint_waivers.hpp"

#include <string_view>

#include <nlohmann/json.hpp>

#include "runclad/base/spelling.hpp"
#include "runclad/json/pointer.hpp"
#include "runclad/json/reader.hpp"
#include "runclad/rules/catalog.hpp"
#include "runclad/rules/meaning.hpp"

namespace runclad::ctl {
namespace {

using json::Document;

void AddFrom(const Document& object, const std::string& pointer, const json::Positions& positions,
             const std::string& file, std::vector<LintFinding>& findings) {
  const Document waivers = object.value("waivers", Document::array());
  for (std::size_t i = 0; i < waivers.size(); ++i) {
    if (waivers[i].value("rule", "") != rules::kHostMounts.id()) continue;
    const Document entries = waivers[i].value("exactly", Document::array());
    for (std::size_t j = 0; j < entries.size(); ++j) {
      const auto entry = entries[j].get<std::string>();
      const std::string_view why = rules::WhyHostRoot(entry);
      if (why.empty()) continue;
      const auto position = positions.find(pointer + "/waivers/" + std::to_string(i) + "/exactly/" +
                                           std::to_string(j));
      findings.push_back({file, position == positions.end() ? 0 : position->second.line,
                          LintLevel::kWarning, "waiver-equals-root",
                          "the waiver of host-mounts for " + Quoted(entry) +
                              " makes the container root on the host: " + std::string(why)});
    }
  }
}

}  // namespace

std::vector<LintFinding> RootWaivers(const std::string& file, const std::string& text) {
  std::vector<LintFinding> findings;
  json::Positions positions;
  const auto document = json::Read(text, {.comments = true, .positions = &positions});
  if (!document || !document->is_object()) return findings;
  AddFrom(*document, "", positions, file, findings);
  const Document tags = document->value("tags", Document::object());
  for (const auto& [tag, part] : tags.items()) {
    AddFrom(part, "/tags/" + json::Escape(tag), positions, file, findings);
  }
  return findings;
}

}  // namespace runclad::ctl
