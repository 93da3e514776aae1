// Findings as the log and the records have them, for people.
#pragma once

#include <string>
#include <vector>

#include "runclad/enforce/decision.hpp"
#include "runclad/json/value.hpp"
#include "runclad/rules/rule.hpp"

#include "style.hpp"

namespace runclad::ctl {

struct Finding {
  std::string rule;
  std::string path;
  std::string action;  // "fixed", "refused", "warned"
  std::string why;
  json::Value before;       // null: there was nothing
  json::Value after;        // null: removed or, when refused, no safe form
  std::string code = {};    // "host-mounts/denied"; empty: of a version that had none
  json::Value remedy = {};  // as enforce::ToDocument() has it; null: not known
};

// Of the catalogue; null: of a version that had none, or of a later one.
const rules::Code* CodeOf(const Finding& finding);

// From a record or a log line, which leave out values that are large; what is no finding is left
// out as well.
std::vector<Finding> FindingsFrom(const json::Document& array);
// With every value whole.
std::vector<Finding> FindingsFrom(const std::vector<enforce::Applied>& applied);

// As a member of "findings", in the form that the log has too.
json::Document ToDocument(const Finding& finding);

// Each finding with what changes, in several lines, with an empty line in front; the five sets of
// capabilities, which mostly change alike, are said once.
std::string Render(const std::vector<Finding>& findings, const Style& style);

// In one sentence: "refused by host-mounts: /mounts/7/source "/" is the host's root filesystem".
std::string Sentence(const Finding& finding);

// "2 fixed, 1 refused"
std::string Summary(const std::vector<Finding>& findings);

// System calls that the filter `before` allowed and `after` does not.
std::vector<std::string> LostSyscalls(const json::Document& before, const json::Document& after);

}  // namespace runclad::ctl
