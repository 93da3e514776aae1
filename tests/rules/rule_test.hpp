// What the tests of the rules share: a rule run over a document, with the findings applied.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "runclad/enforce/decision.hpp"
#include "runclad/oci/spec.hpp"
#include "runclad/policy/effective.hpp"
#include "runclad/rules/rule.hpp"

#include "../parameter_values.hpp"

namespace runclad::rules {

inline oci::Spec SpecOf(std::string_view text) {
  auto spec = oci::Spec::Parse(text);
  EXPECT_TRUE(spec) << spec.error().message;
  return *std::move(spec);
}

// A policy with this one rule.
inline policy::Effective PolicyWith(std::string_view id, policy::Parameters parameters,
                                    policy::Action action = policy::Action::kFix) {
  policy::Effective policy;
  policy.rules[std::string(id)] = {action, std::move(parameters)};
  return policy;
}

inline enforce::Decision DecideBy(std::string_view id, std::string_view spec,
                                  const policy::Parameters& parameters, const Facts& facts = {}) {
  return enforce::Decide(SpecOf(spec), PolicyWith(id, parameters), facts, Scope::kContainer);
}

// "denied: allow += /x", "denied: waiver deny -= /x", "high: maximum = 5", "kind: ask: give it …",
// "host-root: none: / is …", "missing" without a remedy.
inline std::string CodeAndRemedy(const Finding& finding) {
  using Kind = Remedy::Kind;
  std::string text(finding.code->id);
  const Remedy& remedy = finding.remedy;
  if (remedy.kind == Kind::kNone) {
    return remedy.because.empty() ? text : text + ": none: " + remedy.because;
  }
  if (remedy.kind == Kind::kEngine) return text + ": ask: " + remedy.because;
  if (remedy.kind == Kind::kWaiver) text += ": waiver";
  if (remedy.kind == Kind::kTrial) text += ": try";
  for (const Remedy::Setting& setting : remedy.settings) {
    text += remedy.kind == Kind::kSetting ? ": " : " ";
    text += setting.rule.empty() ? "" : std::string(setting.rule) + ".";
    text += setting.parameter;
    if (const auto* list = std::get_if<std::vector<std::string>>(&setting.value)) {
      const Rule* rule = setting.rule.empty() ? nullptr : FindRule(setting.rule);
      const bool is_denial = rule != nullptr ? IsDenial(*rule, setting.parameter)
                                             : setting.parameter.starts_with("deny");
      text += is_denial ? " -=" : " +=";
      for (const std::string& value : *list) text += " " + value;
    } else {
      text += " = " + std::visit([](const auto& value) { return json::Value(value).Dump(); },
                                 setting.value);
    }
  }
  return text;
}

inline std::vector<std::string> CodesAndRemedies(const enforce::Decision& decision) {
  std::vector<std::string> texts;
  for (const auto& applied : decision.findings) texts.push_back(CodeAndRemedy(applied.finding));
  return texts;
}

// The rule's parameters with what the remedy says of them.
inline policy::Parameters Remedied(const Rule& rule, policy::Parameters parameters,
                                   const Remedy& remedy) {
  for (const Remedy::Setting& setting : remedy.settings) {
    if (!setting.rule.empty() && setting.rule != rule.id()) continue;
    const auto* list = std::get_if<std::vector<std::string>>(&setting.value);
    if (list == nullptr) {
      parameters.Set(setting.parameter, setting.value);
    } else if (IsDenial(rule, setting.parameter)) {
      std::vector<std::string> left = policy::StringsOf(parameters, setting.parameter);
      std::erase_if(left, [&](const std::string& text) {
        return std::ranges::find(*list, text) != list->end();
      });
      parameters.Set(setting.parameter, std::move(left));
    } else {
      parameters.Append(setting.parameter, *list);
    }
  }
  return parameters;
}

// Each finding has a code of its rule, and one whose remedy is a setting is not there with that
// setting, which a policy file takes. What another rule's setting does shows in its facts only.
inline void ExpectRemediesHelp(std::string_view id, const oci::Spec& spec,
                               const policy::Parameters& parameters, const Facts& facts = {},
                               bool is_update = false) {
  const Rule& rule = *FindRule(id);
  for (const Finding& finding : rule.check.run(spec, {parameters, is_update}, facts)) {
    const std::string said = CodeAndRemedy(finding) + " of " + finding.path + " " + finding.why;
    EXPECT_NE(std::ranges::find(rule.codes, std::string_view(finding.code->id), &Code::id),
              rule.codes.end())
        << said;
    if (finding.remedy.settings.empty()) continue;
    json::Document policy;
    bool is_own = true;
    for (const Remedy::Setting& setting : finding.remedy.settings) {
      is_own = is_own && (setting.rule.empty() || setting.rule == id);
      json::Document& members = policy["rules"][std::string(is_own ? id : setting.rule)];
      json::Document& member = members[std::string(setting.parameter)];
      std::visit([&](const auto& value) { member = value; }, setting.value);
      // As policy files say it.
      const Rule* const of = FindRule(is_own ? id : setting.rule);
      const auto schema = std::ranges::find(of->schema.parameters, setting.parameter,
                                            &policy::ParameterSchema::name);
      if (const auto* number = std::get_if<std::int64_t>(&setting.value); number != nullptr) {
        const std::string word = policy::WordFor(*schema, *number);
        if (!word.empty()) member = word;
      }
    }
    const auto parsed = policy::Parse(policy.dump(), "policy.json", Schemas());
    EXPECT_TRUE(parsed) << said << ": " << (parsed ? "" : parsed.error().message);
    if (!is_own) continue;
    const policy::Parameters remedied = Remedied(rule, parameters, finding.remedy);
    for (const Finding& left : rule.check.run(spec, {remedied, is_update}, facts)) {
      EXPECT_FALSE(left.path == finding.path && left.operation == finding.operation &&
                   CodeAndRemedy(left) == CodeAndRemedy(finding))
          << said << " does not help: " << left.why;
    }
  }
}

}  // namespace runclad::rules
