// runcladctl rules and explain: the catalogue, for people and for what is generated from it.
#include <algorithm>
#include <utility>
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

// Each under its name.
using Profiles = std::vector<policy::Effective>;

Result<Profiles> LoadProfiles() {
  Profiles profiles;
  for (const char* name : kProfiles) {
    auto profile = LoadProfile(name);
    if (!profile) return profile.error();
    profiles.push_back(*std::move(profile));
  }
  return profiles;
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
    case Vocabulary::kSocketFamily:
      elements = "address families (AF_VSOCK, VSOCK, 40)";
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

// "host-mounts/denied"
std::string FullCode(const rules::Rule& rule, const rules::Code& code) {
  return std::string(rule.id()).append("/").append(code.id);
}

Document ToDocument(const rules::Rule& rule, const Profiles& profiles) {
  Document actions = Document::object();
  for (const policy::Effective& profile : profiles) {
    actions[profile.profile] = policy::Name(profile.rule(rule.id()).action);
  }
  Document parameters = Document::array();
  for (const ParameterSchema& parameter : rule.schema.parameters) {
    Document values = Document::object();
    for (const policy::Effective& profile : profiles) {
      values[profile.profile] = ToDocument(profile.rule(rule.id()), parameter);
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
  std::string text = "  " + style.Bold(parameter.name) + "  (" + TypeName(parameter) + ")\n" +
                     Wrapped(parameter.description, 6);
  // Profiles with the same value are named together, in the order of their first.
  std::vector<std::pair<std::string, std::string>> values;  // value, names
  for (const policy::Effective& profile : profiles) {
    const std::string value = ShownValue(profile.rule(rule.id()), parameter);
    const auto same = std::ranges::find(values, value, &std::pair<std::string, std::string>::first);
    if (same == values.end()) {
      values.emplace_back(value, profile.profile);
    } else {
      same->second.append(", ").append(profile.profile);
    }
  }
  for (const auto& [value, names] : values) text += Wrapped(names + ": " + value, 6);
  return text;
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
  std::vector<std::string> actions;
  for (const policy::Effective& profile : *profiles) {
    actions.push_back(profile.profile + ": " +
                      std::string(policy::Name(profile.rule(name).action)));
  }
  text += "Actions: " + Joined(ActionNames(*rule)) + " (" + Joined(actions) + ")\n";
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
