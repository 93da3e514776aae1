// runcladctl rules and explain: the catalogue, for people and for programs.
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "runclad/base/spelling.hpp"
#include "runclad/rules/rule.hpp"

#include "commands.hpp"
#include "rule_texts.hpp"

namespace runclad::ctl {
namespace {

using json::Document;
using policy::ParameterSchema;

std::string ScopeName(const rules::Rule& rule) {
  return rule.scope == rules::Scope::kProcess ? "process" : "container";
}

Document RuleDocument(const rules::Rule& rule, const Profiles& profiles) {
  Document actions = Document::object();
  for (const policy::Effective& profile : profiles) {
    actions[profile.profile] = policy::Name(profile.rule(rule.id()).action);
  }
  Document parameters = Document::array();
  for (const ParameterSchema& parameter : rule.schema.parameters) {
    Document values = Document::object();
    for (const policy::Effective& profile : profiles) {
      values[profile.profile] = ValueOf(profile.rule(rule.id()), parameter);
    }
    parameters.push_back({{"name", parameter.name},
                          {"type", TypeName(parameter)},
                          {"description", parameter.description},
                          {"profiles", std::move(values)}});
  }
  Document codes = Document::array();
  for (const rules::Code& code : rule.codes) {
    codes.push_back({{"code", FullCode(rule, code)}, {"meaning", code.meaning}});
  }
  return {{"id", rule.id()},
          {"title", rule.title},
          {"codes", std::move(codes)},
          {"rationale", rule.rationale},
          {"wayOut", rule.way_out},
          {"benchmarks", std::vector<std::string>(rule.benchmarks.begin(), rule.benchmarks.end())},
          {"paths", std::vector<std::string>(rule.paths.begin(), rule.paths.end())},
          {"scope", ScopeName(rule)},
          {"actions", ActionNames(rule)},
          {"parameters", std::move(parameters)},
          {"profiles", std::move(actions)}};
}

std::string ParameterText(const ParameterSchema& parameter, const rules::Rule& rule,
                          const Profiles& profiles, const Style& style) {
  std::string text = "  " + style.Bold(parameter.name) + "  (" + TypeName(parameter) + ")\n" +
                     Wrapped(parameter.description, 6);
  for (const auto& [value, names] : ValuesOf(parameter, rule, profiles)) {
    text += Wrapped(names + ": " + value, 6);
  }
  return text;
}

}  // namespace

Result<Output> ListRules(bool json, const Style& style) {
  const auto profiles = LoadProfiles();
  if (!profiles) return profiles.error();
  if (json) {
    Document all = Document::array();
    for (const rules::Rule* rule : rules::Catalog()) all.push_back(RuleDocument(*rule, *profiles));
    return Output{all.dump(2) + '\n'};
  }
  std::vector<std::vector<std::string>> rows = {
      {"RULE", "RESTRICTED", "BASELINE", "BUILD", "SCOPE", "BENCHMARKS", "TITLE"}};
  for (const rules::Rule* rule : rules::Catalog()) {
    std::vector<std::string> row = {std::string(rule->id())};
    for (const policy::Effective& profile : *profiles) {
      row.emplace_back(policy::Name(profile.rule(rule->id()).action));
    }
    row.insert(row.end(), {ScopeName(*rule), Joined(rule->benchmarks), std::string(rule->title)});
    rows.push_back(std::move(row));
  }
  const std::string table = Table(rows);
  const std::size_t header_end = table.find('\n');
  return Output{style.Bold(table.substr(0, header_end)) + table.substr(header_end)};
}

Result<Output> Explain(const std::string& name, const Style& style) {
  const auto found = NamedRule(name);
  if (!found) return found.error();
  const rules::Rule* rule = *found;
  const auto profiles = LoadProfiles();
  if (!profiles) return profiles.error();

  std::string text = style.Bold(rule->id()) + ": " + std::string(rule->title) + '\n';
  if (!rule->benchmarks.empty()) text += Joined(rule->benchmarks) + '\n';
  text += '\n' + Wrapped(rule->rationale, 0) + '\n';
  text += "Applies to " + ScopeText(*rule) + "\nPaths:\n";
  for (const std::string_view path : rule->paths) text += "  " + std::string(path) + '\n';
  text += "Actions: " + Joined(ActionNames(*rule)) + " (" + ActionsText(*rule, *profiles) + ")\n";
  if (!rule->schema.parameters.empty()) text += "Parameters:\n";
  for (const ParameterSchema& parameter : rule->schema.parameters) {
    text += ParameterText(parameter, *rule, *profiles, style);
  }
  if (!rule->codes.empty()) text += "Findings:\n";
  for (const rules::Code& code : rule->codes) {
    text += "  " + style.Bold(FullCode(*rule, code)) + '\n' + Wrapped(std::string(code.meaning), 6);
  }
  return Output{text + Wrapped("Way out: " + std::string(rule->way_out), 0)};
}

}  // namespace runclad::ctl
