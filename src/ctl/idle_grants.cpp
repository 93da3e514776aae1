#include "idle_grants.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "runclad/json/pointer.hpp"
#include "runclad/rules/catalog.hpp"
#include "runclad/rules/rule.hpp"

namespace runclad::ctl {
namespace {

using json::Document;

std::size_t LineOf(const PolicyPart& part, const std::string& pointer) {
  const auto position = part.positions.find(part.pointer + pointer);
  return position == part.positions.end() ? 0 : position->second.line;
}

LintFinding Idle(const PolicyPart& part, const std::string& pointer, std::string message) {
  return {part.file, LineOf(part, pointer), LintLevel::kWarning, "no-effect", std::move(message)};
}

// Who has turned the rule off; empty: it is on, or a waiver or the part itself did.
std::string TurnedOffBy(const PolicyPart& part, const std::string& rule) {
  if (part.policy.rule(rule).action != policy::Action::kOff) return {};
  const auto origin = part.policy.origins.find(rule + "/action");
  if (origin == part.policy.origins.end()) return "no profile turns it on";
  if (std::ranges::find(origin->second, policy::Origin::Kind::kWaiver, &policy::Origin::kind) !=
      origin->second.end()) {
    return {};
  }
  return policy::ToText(origin->second);
}

bool TurnsOff(const Document& settings) {
  return settings.is_object() && settings.value("action", Document()) == "off";
}

// Whether other rules read the parameter of this one although it is off.
bool CountsWhileOff(std::string_view id, std::string_view parameter) {
  const rules::Rule* rule = rules::FindRule(id);
  if (rule == nullptr) return false;
  const auto& schemas = rule->schema.parameters;
  const auto schema = std::ranges::find(schemas, parameter, &policy::ParameterSchema::name);
  return schema != schemas.end() && schema->counts_while_off;
}

}  // namespace

std::vector<LintFinding> IdleGrants(const PolicyPart& part) {
  std::vector<LintFinding> findings;
  const Document rules = part.document.document().value("rules", Document::object());
  for (const auto& [rule, settings] : rules.items()) {
    const std::string by = TurnedOffBy(part, rule);
    if (!settings.is_object() || by.empty() || TurnsOff(settings)) continue;
    std::vector<std::string> idle;
    std::size_t others = 0;
    for (const auto& [parameter, value] : settings.items()) {
      if (parameter == "action") continue;
      if (CountsWhileOff(rule, parameter)) {
        ++others;
      } else {
        idle.push_back(parameter);
      }
    }
    const std::string pointer = "/rules/" + json::Escape(rule);
    if (others == 0 && !idle.empty()) {
      findings.push_back(
          Idle(part, pointer,
               "the parameters of " + rule + " have no effect: the rule is off (" + by + ")"));
      continue;
    }
    for (const std::string& parameter : idle) {
      std::string message = rule;
      message.append("/").append(parameter).append(" has no effect: the rule is off (");
      findings.push_back(Idle(part, pointer + "/" + json::Escape(parameter), message + by + ")"));
    }
  }
  const Document waivers = part.document.document().value("waivers", Document::array());
  for (std::size_t i = 0; i < waivers.size(); ++i) {
    const std::string rule = waivers[i].value("rule", "");
    const std::string pointer = "/waivers/" + std::to_string(i);
    if (rule == "*") {
      if (part.host_mode != policy::Mode::kAudit) continue;
      findings.push_back(
          Idle(part, pointer, "the waiver of * has no effect: the mode of the host is audit"));
    } else if (const std::string by = TurnedOffBy(part, rule); !by.empty()) {
      findings.push_back(Idle(
          part, pointer, "the waiver of " + rule + " has no effect: the rule is off (" + by + ")"));
    }
  }
  return findings;
}

std::vector<LintFinding> OverriddenValues(const PolicyPart& part) {
  std::vector<LintFinding> findings;
  const auto check = [&](const std::string& key, const std::string& pointer) {
    const auto origin = part.policy.origins.find(key);
    if (origin == part.policy.origins.end()) return;
    const std::vector<policy::Origin>& by = origin->second;
    const bool is_set_by_file = std::ranges::any_of(by, [](const policy::Origin& place) {
      return place.kind != policy::Origin::Kind::kProfile;
    });
    const bool counts = std::ranges::find(by, part.path, &policy::Origin::file) != by.end();
    if (counts || !is_set_by_file) return;
    findings.push_back(
        Idle(part, pointer, key + " has no effect: " + policy::ToText(by) + " sets it again"));
  };
  for (const char* key : {"mode", "builds", "rootless", "fallback", "waiver-expiry"}) {
    if (part.document.document().contains(key)) check(key, std::string("/") + key);
  }
  for (const char* object : {"log", "trust"}) {
    const Document members = part.document.document().value(object, Document::object());
    for (const auto& [member, value] : members.items()) {
      const std::string key = std::string(object) + "/" + member;
      check(key, "/" + key);
    }
  }
  const Document rules = part.document.document().value("rules", Document::object());
  for (const auto& [rule, settings] : rules.items()) {
    if (!settings.is_object()) continue;
    for (const auto& [parameter, value] : settings.items()) {
      const std::string key = rule + "/" + parameter;
      check(key, "/rules/" + key);
    }
  }
  return findings;
}

}  // namespace runclad::ctl
