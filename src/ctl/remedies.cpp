#include "remedies.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>
#include <variant>

#include <nlohmann/json.hpp>

#include "runclad/base/time.hpp"
#include "runclad/policy/parameters.hpp"
#include "runclad/rules/rule.hpp"

namespace runclad::ctl {
namespace {

using json::Document;
using policy::ParameterSchema;
using policy::ParameterType;
using StringList = std::vector<std::string>;
using Value = policy::Parameters::Value;

// By rule and parameter.
using Settings = std::map<std::string, std::map<std::string, Value>>;

const ParameterSchema* FindParameter(const std::string& rule, const std::string& name) {
  const rules::Rule* known = rules::FindRule(rule);
  if (known == nullptr) return nullptr;
  const auto found = std::ranges::find(known->schema.parameters, name, &ParameterSchema::name);
  return found == known->schema.parameters.end() ? nullptr : &*found;
}

// None: it is of another type, as a later version may have it.
std::optional<Value> RemedyValueOf(const Document& value, const ParameterSchema& schema) {
  switch (schema.type) {
    case ParameterType::kStrings: {
      StringList strings;
      if (!value.is_array()) return std::nullopt;
      for (const Document& element : value) {
        if (!element.is_string()) return std::nullopt;
        strings.push_back(element.get<std::string>());
      }
      return strings;
    }
    case ParameterType::kInteger:
      if (value.is_number_integer()) return value.get<std::int64_t>();
      if (value.is_string()) {
        const auto meant = policy::IntegerOf(schema, value.get_ref<const std::string&>());
        if (meant) return *meant;
      }
      break;
    case ParameterType::kText:
      if (value.is_string()) return value.get<std::string>();
      break;
    case ParameterType::kBoolean:
      if (value.is_boolean()) return value.get<bool>();
      break;
  }
  return std::nullopt;
}

// Lists hold what either has, whatever they do: they are what is added, or taken out.
Value Both(const ParameterSchema& schema, Value left, const Value& right) {
  auto* list = std::get_if<StringList>(&left);
  if (list == nullptr) return policy::Looser(schema, std::move(left), right);
  for (const std::string& text : std::get<StringList>(right)) {
    if (std::ranges::find(*list, text) == list->end()) list->push_back(text);
  }
  return left;
}

// What the remedies of `kind` ("rules", "waiver") say, together.
Settings Gathered(const std::vector<Finding>& findings, const char* kind) {
  Settings gathered;
  for (const Finding& finding : findings) {
    const Document& remedy = finding.remedy.document();
    if (finding.action == "warned" || !remedy.is_object() || !remedy.contains(kind)) continue;
    for (const auto& [rule, parameters] : remedy.at(kind).items()) {
      for (const auto& [parameter, document] : parameters.items()) {
        const ParameterSchema* schema = FindParameter(rule, parameter);
        if (schema == nullptr) continue;
        std::optional<Value> value = RemedyValueOf(document, *schema);
        if (!value) continue;
        auto& settings = gathered[rule];
        const auto known = settings.find(parameter);
        if (known == settings.end()) {
          settings.emplace(parameter, *std::move(value));
        } else {
          known->second = Both(*schema, std::move(known->second), *value);
        }
      }
    }
  }
  return gathered;
}

// As a policy file says it.
Document ValueDocument(const Value& value, const ParameterSchema& schema) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    std::string word = policy::WordFor(schema, *integer);
    if (!word.empty()) return word;
  }
  return std::visit([](const auto& plain) -> Document { return plain; }, value);
}

Document Rules(const Settings& settings, const policy::Effective& now) {
  Document rules = Document::object();
  for (const auto& [rule, parameters] : settings) {
    for (const auto& [parameter, value] : parameters) {
      const ParameterSchema& schema = *FindParameter(rule, parameter);
      const bool is_list = std::holds_alternative<StringList>(value);
      const Value whole =
          is_list ? Both(schema, policy::ValueOf(now.rule(rule).parameters, schema), value) : value;
      rules[rule][parameter] = ValueDocument(whole, schema);
    }
  }
  return rules;
}

Document Waivers(const Settings& settings, std::int64_t today) {
  constexpr int kDays = 90;
  Document waivers = Document::array();
  for (const auto& [rule, parameters] : settings) {
    Document waiver = {{"rule", rule},
                       {"reason", "say here why this image needs it"},
                       {"expires", FormatDay((today + kDays) * kSecondsPerDay)}};
    for (const auto& [parameter, value] : parameters) {
      waiver[parameter] = ValueDocument(value, *FindParameter(rule, parameter));
    }
    waivers.push_back(std::move(waiver));
  }
  return waivers;
}

void AddNew(StringList& all, const std::string& text) {
  if (std::ranges::find(all, text) == all.end()) all.push_back(text);
}

// The rules whose parameters a remedy names.
bool HasMember(const Document& remedy, const char* kind, std::string_view rule) {
  return remedy.is_object() && remedy.contains(kind) && remedy.at(kind).contains(rule);
}

Hints HintsOf(std::string_view rule, const std::vector<Finding>& findings) {
  Hints hints;
  hints.rule = rule;
  for (const Finding& finding : findings) {
    if (finding.action == "warned") continue;
    const Document& remedy = finding.remedy.document();
    hints.has_rules = hints.has_rules || HasMember(remedy, "rules", rule);
    hints.has_waiver = hints.has_waiver || HasMember(remedy, "waiver", rule);
    if (finding.rule != rule || finding.code.empty()) continue;
    hints.is_general = hints.is_general || remedy.is_null();
    if (!remedy.is_object()) continue;
    const auto none = remedy.find("none");
    if (none != remedy.end() && none->is_string()) {
      AddNew(hints.no_line, "no setting allows it: " + none->get<std::string>());
    }
    const auto engine = remedy.find("engine");
    if (engine != remedy.end() && engine->is_string()) {
      AddNew(hints.no_line, engine->get<std::string>());
    }
  }
  return hints;
}

}  // namespace

PolicyLines LinesFor(const std::vector<Finding>& findings, const policy::Effective& now,
                     std::int64_t today) {
  return {json::Value(Rules(Gathered(findings, "rules"), now)),
          json::Value(Waivers(Gathered(findings, "waiver"), today))};
}

std::vector<Hints> HintsFor(const std::vector<Finding>& findings) {
  std::vector<Hints> all;
  for (const rules::Rule* rule : rules::Catalog()) {
    Hints hints = HintsOf(rule->id(), findings);
    const bool says_something =
        hints.has_rules || hints.has_waiver || hints.is_general || !hints.no_line.empty();
    if (says_something) all.push_back(std::move(hints));
  }
  return all;
}

std::size_t CountWithoutRemedies(const std::vector<Finding>& findings) {
  return static_cast<std::size_t>(std::ranges::count_if(findings, [](const Finding& finding) {
    return finding.code.empty() && finding.action != "warned";
  }));
}

}  // namespace runclad::ctl
