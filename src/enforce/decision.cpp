#include "runclad/enforce/decision.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <variant>

#include "runclad/base/printable.hpp"
#include "runclad/enforce/log.hpp"
#include "runclad/enforce/own_line.hpp"
#include "runclad/json/pointer.hpp"

#include "secrets.hpp"

namespace runclad::enforce {
namespace {

// The one place where a proposal changes a document. What was there moves into the finding.
void Apply(json::Document& document, rules::Finding& finding) {
  switch (finding.operation) {
    case rules::Operation::kSet:
      finding.before = json::Set(document, finding.path, finding.after);
      break;
    case rules::Operation::kInsert:
      json::Insert(document, finding.path, finding.after);
      break;
    case rules::Operation::kRemove:
      finding.before = json::Remove(document, finding.path);
      break;
    case rules::Operation::kNone:
      break;
  }
}

Disposition DispositionOf(policy::Action action, const rules::Finding& finding) {
  if (finding.only_warns || action == policy::Action::kWarn) return Disposition::kWarned;
  if (finding.is_default) return Disposition::kFixed;
  if (action == policy::Action::kFix && finding.has_safe_form()) return Disposition::kFixed;
  return Disposition::kRefused;
}

// A value as a person may be shown it: whole when short.
std::string Shown(const json::Value& value) {
  constexpr std::size_t kMaxBytes = 120;
  if (value.is_null()) return "(absent)";
  std::string text = value.Dump();
  if (text.size() <= kMaxBytes) return text;
  const auto is_inside_character = [&](std::size_t at) {  // of UTF-8
    return (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U;
  };
  // Of a path, the end says most.
  std::size_t end = kMaxBytes / 2;
  while (is_inside_character(end)) --end;
  std::size_t rest = text.size() - kMaxBytes / 2;
  while (is_inside_character(rest)) ++rest;
  return text.substr(0, end) + "…" + text.substr(rest);
}

// A value as a policy file says it.
json::Value AsWritten(const rules::Rule& rule, const rules::Remedy::Setting& setting) {
  const auto schema =
      std::ranges::find(rule.schema.parameters, setting.parameter, &policy::ParameterSchema::name);
  const auto* integer = std::get_if<std::int64_t>(&setting.value);
  if (integer != nullptr && schema != rule.schema.parameters.end()) {
    std::string word = policy::WordFor(*schema, *integer);
    if (!word.empty()) return word;
  }
  return std::visit([](const auto& plain) { return json::Value(plain); }, setting.value);
}

// `add "a", "b" to rule.list`, `take "a" from rule.list`, `set rule.text to "a"`
std::string Change(const rules::Rule& rule, const rules::Remedy::Setting& setting) {
  const policy::Parameters::Value& value = setting.value;
  const std::string parameter = std::string(rule.id()).append(".").append(setting.parameter);
  const auto* list = std::get_if<std::vector<std::string>>(&value);
  if (list == nullptr) {
    return "set " + parameter + " to " + Shown(AsWritten(rule, setting));
  }
  std::string values;
  for (const std::string& text : *list) {
    values += (values.empty() ? "" : ", ") + Shortened(json::Value(text).Dump(), kMaxTextBytes);
  }
  return rules::IsDenial(rule, setting.parameter) ? "remove " + values + " from " + parameter
                                                  : "add " + values + " to " + parameter;
}

// Without the digest, such a file grants no more than the host trusts a tag with.
constexpr std::string_view kImageFile = "the image's file with its digest";

// How to let exactly this pass, a clause; else what the rule says in general.
std::string WayOut(const rules::Rule& rule, const rules::Finding& finding) {
  const rules::Remedy& remedy = finding.remedy;
  switch (remedy.kind) {
    case rules::Remedy::Kind::kTrial:
      return std::string(rule.way_out);
    case rules::Remedy::Kind::kNone:
      return remedy.because.empty() ? std::string(rule.way_out)
                                    : "no setting allows it: " + remedy.because;
    case rules::Remedy::Kind::kEngine:
      return remedy.because;
    case rules::Remedy::Kind::kSetting:
    case rules::Remedy::Kind::kWaiver:
      break;
  }
  std::string clause = "to allow exactly this, ";
  for (const rules::Remedy::Setting& setting : remedy.settings) {
    if (&setting != &remedy.settings.front()) clause += ", and ";
    const rules::Rule* other = setting.rule.empty() ? &rule : rules::FindRule(setting.rule);
    clause += Change(other == nullptr ? rule : *other, setting);
  }
  if (remedy.kind == rules::Remedy::Kind::kWaiver) clause += " with a waiver";
  switch (remedy.scope) {
    case rules::Remedy::Scope::kPod:
      return clause + " in pods/" + remedy.because + ".json or in the image's file";
    case rules::Remedy::Scope::kImageOrHost:
      return clause + " in /etc/runclad/policy.json or in " + std::string(kImageFile);
    case rules::Remedy::Scope::kImage:
      break;
  }
  return clause + " in " + std::string(kImageFile);
}

}  // namespace

std::string_view Name(Disposition disposition) {
  switch (disposition) {
    case Disposition::kFixed:
      return "fixed";
    case Disposition::kRefused:
      return "refused";
    case Disposition::kWarned:
      break;
  }
  return "warned";
}

std::string_view Name(Outcome outcome) {
  switch (outcome) {
    case Outcome::kUnchanged:
      return "unchanged";
    case Outcome::kRewritten:
      return "rewritten";
    case Outcome::kRefused:
      break;
  }
  return "refused";
}

Decision Decide(oci::Spec spec, const policy::Effective& policy, const rules::Facts& facts,
                rules::Scope scope) {
  Decision decision{Outcome::kUnchanged, {}, std::move(spec)};
  const bool has_secrets = HasSecrets(decision.spec);
  for (const rules::Rule* rule : rules::Catalog()) {
    if (scope == rules::Scope::kProcess && rule->scope != rules::Scope::kProcess) continue;
    const bool is_update = scope == rules::Scope::kUpdate;
    if (is_update && !rule->judges_updates) continue;
    const policy::RuleSetting& setting = policy.rule(rule->id());
    const bool is_off = setting.action == policy::Action::kOff;
    if (is_off && (!rule->judges_image_volumes || facts.Get<rules::ImageFacts>().volumes.empty()))
      continue;
    for (rules::Finding& finding :
         rule->check.run(decision.spec, {setting.parameters, is_update, is_off}, facts)) {
      const policy::Action action = finding.action.value_or(setting.action);
      if (finding.is_default && action == policy::Action::kWarn) continue;
      const Disposition disposition = DispositionOf(action, finding);
      if (disposition == Disposition::kFixed) {
        Apply(decision.spec.DocumentToChange(finding.path), finding);
        if (decision.outcome == Outcome::kUnchanged) decision.outcome = Outcome::kRewritten;
      } else if (finding.operation == rules::Operation::kSet ||
                 finding.operation == rules::Operation::kRemove) {
        finding.before = json::Get(std::as_const(decision.spec).document(), finding.path);
      }
      if (disposition == Disposition::kRefused) decision.outcome = Outcome::kRefused;
      // Findings are logged, recorded and shown; the document alone keeps the secrets.
      if (has_secrets) {
        finding.before = WithoutSecrets(finding.path, std::move(finding.before));
        finding.after = WithoutSecrets(finding.path, std::move(finding.after));
      }
      decision.findings.push_back({rule, std::move(finding), disposition});
    }
  }
  return decision;
}

std::string RefusalSentence(const Decision& decision) {
  for (const Applied& applied : decision.findings) {
    if (applied.disposition != Disposition::kRefused) continue;
    const rules::Rule& rule = *applied.rule;
    const rules::Finding& finding = applied.finding;
    std::string benchmarks;
    for (const std::string_view benchmark : rule.benchmarks) {
      benchmarks += benchmarks.empty() ? " (" : ", ";
      benchmarks += benchmark;
    }
    if (!benchmarks.empty()) benchmarks += ')';
    return std::string(kRefusedBy).append(rule.id()) + ": " +
           Shortened(finding.path, kMaxTextBytes) + ' ' + Shown(finding.before) + ' ' +
           Shortened(finding.why, kMaxTextBytes) + benchmarks + "; " + WayOut(rule, finding) +
           ", see runcladctl explain " + std::string(rule.id());
  }
  return {};
}

}  // namespace runclad::enforce
