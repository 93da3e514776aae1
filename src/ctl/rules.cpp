// runcladctl rules and explain: the catalogue, for people and for what is generated from it.
#include <vector>

#include <nlohmann/json.hpp>

#include "runclad/base/spelling.hpp"
#include "runclad/rules/rule.hpp"

#include "commands.hpp"

namespace runclad::ctl {
namespace {

using json::Document;
using policy::ParameterSchema;
using policy::ParameterType;
using policy::Vocabulary;

struct Profiles {
  policy::Effective restricted;
  policy::Effective baseline;
};

Result<Profiles> LoadProfiles() {
  auto restricted = LoadProfile("restricted");
  if (!restricted) return restricted.error();
  auto baseline = LoadProfile("baseline");
  if (!baseline) return baseline.error();
  return Profiles{*std::move(restricted), *std::move(baseline)};
}

std::vector<std::string_view> ActionNames(const rules::Rule& rule) {
  std::vector<std::string_view> names;
  for (const policy::Action action : rule.schema.actions) names.push_back(policy::Name(action));
  return names;
}

std::string ScopeName(const rules::Rule& rule) {
  return rule.scope == rules::Scope::kProcess ? "process" : "container";
}

// "list of capabilities, replaced by later layers"
std::string TypeName(const ParameterSchema& parameter) {
  std::string elements = "strings";
  std::string element = "text";
  switch (parameter.vocabulary) {
    case Vocabulary::kAny:
      break;
    case Vocabulary::kCapability:
      elements = "capabilities";
      element = "capability";
      break;
    case Vocabulary::kSyscall:
      elements = "system calls";
      element = "system call";
      break;
    case Vocabulary::kAbsolutePath:
      elements = "absolute paths";
      element = "absolute path";
      break;
    case Vocabulary::kDevice:
      elements = "devices (c 10:229, b 8:*)";
      break;
    case Vocabulary::kIdRange:
      elements = "ids and ranges of ids (1000, 1000-65535)";
      break;
    case Vocabulary::kUserAndGroup:
      element = "user and group, not root's (1000:1000)";
      break;
    case Vocabulary::kImage:
      elements = "images (a name, a repository, a folder with /*, a digest)";
      break;
    case Vocabulary::kChoice:
      elements = "any of " + Joined(parameter.choices);
      element = Alternatives(parameter.choices);
      break;
  }
  switch (parameter.type) {
    case ParameterType::kStrings:
      return "list of " + elements +
             (parameter.merge == policy::Merge::kAccumulate ? "; a policy adds to its profile's"
                                                            : "; a policy replaces its profile's");
    case ParameterType::kInteger:
      return "number";
    case ParameterType::kText:
      return element;
    case ParameterType::kBoolean:
      break;
  }
  return "true or false";
}

Document ToDocument(const policy::RuleSetting& setting, const ParameterSchema& parameter) {
  const auto& values = setting.parameters.all();
  const auto found = values.find(parameter.name);
  if (found == values.end()) return nullptr;
  return std::visit([](const auto& value) -> Document { return value; }, found->second);
}

Document ToDocument(const rules::Rule& rule, const Profiles& profiles) {
  const policy::RuleSetting& restricted = profiles.restricted.rule(rule.id());
  const policy::RuleSetting& baseline = profiles.baseline.rule(rule.id());
  Document parameters = Document::array();
  for (const ParameterSchema& parameter : rule.schema.parameters) {
    parameters.push_back({{"name", parameter.name},
                          {"type", TypeName(parameter)},
                          {"description", parameter.description},
                          {"profiles",
                           {{"restricted", ToDocument(restricted, parameter)},
                            {"baseline", ToDocument(baseline, parameter)}}}});
  }
  return {{"id", rule.id()},
          {"title", rule.title},
          {"rationale", rule.rationale},
          {"wayOut", rule.way_out},
          {"benchmarks", std::vector<std::string>(rule.benchmarks.begin(), rule.benchmarks.end())},
          {"paths", std::vector<std::string>(rule.paths.begin(), rule.paths.end())},
          {"scope", ScopeName(rule)},
          {"actions", ActionNames(rule)},
          {"parameters", std::move(parameters)},
          {"profiles",
           {{"restricted", policy::Name(restricted.action)},
            {"baseline", policy::Name(baseline.action)}}}};
}

std::string ShownValue(const policy::RuleSetting& setting, const ParameterSchema& parameter) {
  const Document value = ToDocument(setting, parameter);
  if (value.is_null()) return "(not set)";
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array()) return value.dump();
  if (value.empty()) return "(none)";
  return Joined(value.get<std::vector<std::string>>(), " ");
}

std::string ParameterText(const ParameterSchema& parameter, const rules::Rule& rule,
                          const Profiles& profiles, const Style& style) {
  const std::string restricted = ShownValue(profiles.restricted.rule(rule.id()), parameter);
  const std::string baseline = ShownValue(profiles.baseline.rule(rule.id()), parameter);
  std::string text = "  " + style.Bold(parameter.name) + "  (" + TypeName(parameter) + ")\n" +
                     Wrapped(parameter.description, 6);
  if (restricted == baseline) return text + Wrapped("both profiles: " + restricted, 6);
  return text + Wrapped("restricted: " + restricted, 6) + Wrapped("baseline: " + baseline, 6);
}

}  // namespace

Result<Output> ListRules(bool json, const Style& style) {
  const auto profiles = LoadProfiles();
  if (!profiles) return profiles.error();
  if (json) {
    Document all = Document::array();
    for (const rules::Rule* rule : rules::Catalog()) all.push_back(ToDocument(*rule, *profiles));
    return Output{all.dump(2) + '\n'};
  }
  std::vector<std::vector<std::string>> rows = {
      {"RULE", "RESTRICTED", "BASELINE", "SCOPE", "BENCHMARKS", "TITLE"}};
  for (const rules::Rule* rule : rules::Catalog()) {
    rows.push_back({std::string(rule->id()),
                    std::string(policy::Name(profiles->restricted.rule(rule->id()).action)),
                    std::string(policy::Name(profiles->baseline.rule(rule->id()).action)),
                    ScopeName(*rule), Joined(rule->benchmarks), std::string(rule->title)});
  }
  const std::string table = Table(rows);
  const std::size_t header_end = table.find('\n');
  return Output{style.Bold(table.substr(0, header_end)) + table.substr(header_end)};
}

Result<Output> Explain(const std::string& name, const Style& style) {
  const rules::Rule* rule = rules::FindRule(name);
  if (rule == nullptr) {
    std::vector<std::string_view> ids;
    for (const rules::Rule* known : rules::Catalog()) ids.push_back(known->id());
    const std::string suggestion = Suggestion(name, ids);
    return Error{"unknown rule " + Quoted(name) +
                 (suggestion.empty() ? "; runcladctl rules lists them" : suggestion)};
  }
  const auto profiles = LoadProfiles();
  if (!profiles) return profiles.error();

  std::string text = style.Bold(rule->id()) + ": " + std::string(rule->title) + '\n';
  if (!rule->benchmarks.empty()) text += Joined(rule->benchmarks) + '\n';
  text += '\n' + Wrapped(rule->rationale, 0) + '\n';
  text += "Applies to " +
          std::string(rule->scope == rules::Scope::kProcess ? "every process: create, run and exec"
                                                            : "the container: create and run") +
          (rule->judges_updates ? "; update too" : "") + "\nPaths:\n";
  for (const std::string_view path : rule->paths) text += "  " + std::string(path) + '\n';
  text += "Actions: " + Joined(ActionNames(*rule)) +
          " (restricted: " + std::string(policy::Name(profiles->restricted.rule(name).action)) +
          ", baseline: " + std::string(policy::Name(profiles->baseline.rule(name).action)) + ")\n";
  if (!rule->schema.parameters.empty()) text += "Parameters:\n";
  for (const ParameterSchema& parameter : rule->schema.parameters) {
    text += ParameterText(parameter, *rule, *profiles, style);
  }
  return Output{text + Wrapped("Way out: " + std::string(rule->way_out), 0)};
}

}  // namespace runclad::ctl
