#include "rule_texts.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "runclad/base/spelling.hpp"

#include "commands.hpp"

namespace runclad::ctl {

using json::Document;
using policy::ParameterSchema;
using policy::ParameterType;
using policy::Vocabulary;

namespace {

std::string ShownValue(const policy::RuleSetting& setting, const ParameterSchema& parameter) {
  const Document value = ValueOf(setting, parameter);
  if (value.is_null()) return "(not set)";
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array()) return value.dump();
  if (value.empty()) return "(none)";
  return Joined(value.get<std::vector<std::string>>(), " ");
}

}  // namespace

Result<Profiles> LoadProfiles() {
  Profiles profiles;
  for (const std::string_view name : kProfiles) {
    auto profile = LoadProfile(std::string(name));
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
      element = "non-root user and group (1000:1000)";
      break;
    case Vocabulary::kSocketFamily:
      elements = "address families (AF_VSOCK, VSOCK, 40)";
      break;
    case Vocabulary::kImage:
      elements = "images (a name, a repository, a folder with /*, a digest)";
      break;
    case Vocabulary::kMount:
      elements = "mounts (bind /var/log ro), only in waivers";
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
      if (parameter.is_octal) return "octal digits (\"0027\")";
      return parameter.has_unlimited ? "number or \"unlimited\"" : "number";
    case ParameterType::kText:
      return element;
    case ParameterType::kBoolean:
      break;
  }
  return "true or false";
}

std::string ScopeText(const rules::Rule& rule) {
  return std::string(rule.scope == rules::Scope::kProcess ? "every process: create, run and exec"
                                                          : "the container: create and run") +
         (rule.judges_updates ? "; update too" : "");
}

Document ValueOf(const policy::RuleSetting& setting, const ParameterSchema& parameter) {
  const auto& values = setting.parameters.all();
  const auto found = values.find(parameter.name);
  if (found == values.end()) return nullptr;
  if (const auto* integer = std::get_if<std::int64_t>(&found->second)) {
    std::string word = policy::WordFor(parameter, *integer);
    if (!word.empty()) return word;
  }
  return std::visit([](const auto& value) -> Document { return value; }, found->second);
}

std::vector<std::pair<std::string, std::string>> ValuesOf(const ParameterSchema& parameter,
                                                          const rules::Rule& rule,
                                                          const Profiles& profiles) {
  std::vector<std::pair<std::string, std::string>> values;
  for (const policy::Effective& profile : profiles) {
    const std::string value = ShownValue(profile.rule(rule.id()), parameter);
    const auto same = std::ranges::find(values, value, &std::pair<std::string, std::string>::first);
    if (same == values.end()) {
      values.emplace_back(value, profile.profile);
    } else {
      same->second.append(", ").append(profile.profile);
    }
  }
  return values;
}

std::string ActionsText(const rules::Rule& rule, const Profiles& profiles) {
  std::vector<std::string> actions;
  for (const policy::Effective& profile : profiles) {
    actions.push_back(profile.profile + ": " +
                      std::string(policy::Name(profile.rule(rule.id()).action)));
  }
  return Joined(actions);
}

std::string FullCode(const rules::Rule& rule, const rules::Code& code) {
  return std::string(rule.id()).append("/").append(code.id);
}

Result<const rules::Rule*> NamedRule(const std::string& name) {
  const rules::Rule* rule = rules::FindRule(name);
  if (rule != nullptr) return rule;
  std::vector<std::string_view> ids;
  for (const rules::Rule* known : rules::Catalog()) ids.push_back(known->id());
  const std::string suggestion = Suggestion(name, ids);
  return Error{"unknown rule " + Quoted(name) +
               (suggestion.empty() ? "; runcladctl rules lists them" : suggestion)};
}

}  // namespace runclad::ctl
