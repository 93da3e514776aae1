// runcladctl policy schema: the JSON Schema of policy files, made of the catalogue. Editors
// complete and check by it; what a policy means, policy lint knows.
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

#include "runclad/base/spelling.hpp"
#include "runclad/privilege/capabilities.hpp"
#include "runclad/rules/rule.hpp"

#include "commands.hpp"

namespace runclad::ctl {
namespace {

// Members in the order in which they are written here.
using OrderedDocument = nlohmann::ordered_json;
using policy::ParameterSchema;
using policy::ParameterType;
using policy::Vocabulary;

OrderedDocument Choice(std::span<const std::string_view> choices) {
  OrderedDocument names = OrderedDocument::array();
  for (const std::string_view choice : choices) names.push_back(choice);
  return {{"enum", std::move(names)}};
}

OrderedDocument Definition(const char* name) {
  return {{"$ref", std::string("#/definitions/") + name}};
}

OrderedDocument ElementOf(const ParameterSchema& parameter) {
  switch (parameter.vocabulary) {
    case Vocabulary::kCapability:
      return Definition("capability");
    case Vocabulary::kSyscall:
      if (parameter.merge == policy::Merge::kAccumulate) {
        return {{"type", "string"},
                {"pattern",
                 "^([a-z0-9_]+( arg[0-5](&(0x[0-9A-Fa-f]+|[0-9]+)==|==|!=|<=?|>=?)"
                 "(0x[0-9A-Fa-f]+|[0-9]+))*|AF_[A-Z0-9_]+)$"}};
      }
      return {{"type", "string"}, {"pattern", "^[a-z0-9_]+$"}};
    case Vocabulary::kAbsolutePath:
      return {{"type", "string"}, {"pattern", "^/"}};
    case Vocabulary::kDevice:
      return {{"type", "string"}, {"pattern", "^[cb] ([0-9]+|\\*):([0-9]+|\\*)$"}};
    case Vocabulary::kIdRange:
      return {{"type", "string"}, {"pattern", "^[0-9]+(-[0-9]+)?$"}};
    case Vocabulary::kUserAndGroup:
      return {{"type", "string"}, {"pattern", "^[1-9][0-9]*:[1-9][0-9]*$"}};
    case Vocabulary::kSocketFamily:
      return {{"type", "string"}, {"pattern", "^([0-9]+|[A-Za-z][A-Za-z0-9_]*)$"}};
    case Vocabulary::kMount:
      return {{"type", "string"}, {"pattern", "^[^ ]+ [^ ]+ [^ ]+$"}};
    case Vocabulary::kImage:
      return {{"type", "string"}, {"minLength", 1}};
    case Vocabulary::kChoice:
      return Choice(parameter.choices);
    case Vocabulary::kAny:
      break;
  }
  return {{"type", "string"}};
}

OrderedDocument ValueSchemaOf(const ParameterSchema& parameter) {
  OrderedDocument value;
  switch (parameter.type) {
    case ParameterType::kStrings:
      value = {{"type", "array"}, {"items", ElementOf(parameter)}};
      break;
    case ParameterType::kInteger:
      value = {{"type", "integer"},
               {"minimum", parameter.minimum},
               {"maximum", parameter.maximum - (parameter.has_unlimited ? 1 : 0)}};
      if (parameter.has_unlimited)
        value = {{"anyOf", {std::move(value), {{"const", "unlimited"}}}}};
      if (parameter.is_octal) {
        const OrderedDocument octal = {{"type", "string"}, {"pattern", "^0[0-7]{0,3}$"}};
        value = {{"anyOf", {octal, std::move(value)}}};
      }
      break;
    case ParameterType::kText:
      value = ElementOf(parameter);
      break;
    case ParameterType::kBoolean:
      value = {{"type", "boolean"}};
      break;
  }
  value["description"] = parameter.description;
  return value;
}

// The members of a rule's setting, or of a waiver of it.
OrderedDocument Members(const rules::Rule& rule, bool is_waiver) {
  OrderedDocument actions = OrderedDocument::array();
  for (const policy::Action action : rule.schema.actions) actions.push_back(policy::Name(action));
  OrderedDocument members = {{"action", {{"enum", std::move(actions)}}}};
  for (const ParameterSchema& parameter : rule.schema.parameters) {
    if (parameter.only_in_waivers && !is_waiver) continue;
    members[std::string(parameter.name)] = ValueSchemaOf(parameter);
  }
  return members;
}

OrderedDocument Object(OrderedDocument properties) {
  return {
      {"type", "object"}, {"properties", std::move(properties)}, {"additionalProperties", false}};
}

OrderedDocument Count(int least, int most) {
  return {{"type", "integer"}, {"minimum", least}, {"maximum", most}};
}

OrderedDocument Rules() {
  OrderedDocument rules = OrderedDocument::object();
  for (const rules::Rule* rule : rules::Catalog()) {
    OrderedDocument setting = Object(Members(*rule, /*is_waiver=*/false));
    setting["description"] = rule->title;
    rules[std::string(rule->id())] = std::move(setting);
  }
  return Object(std::move(rules));
}

OrderedDocument Waiver() {
  const OrderedDocument reason = {{"type", "string"}, {"minLength", 1}};
  const OrderedDocument day = {{"type", "string"}, {"pattern", "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}};
  OrderedDocument everything =
      Object({{"rule", {{"const", "*"}}}, {"reason", reason}, {"expires", day}});
  everything["required"] = {"rule", "reason", "expires"};
  OrderedDocument kinds = OrderedDocument::array({everything});
  for (const rules::Rule* rule : rules::Catalog()) {
    OrderedDocument members = {
        {"rule", {{"const", rule->id()}}}, {"reason", reason}, {"expires", day}};
    members.update(Members(*rule, /*is_waiver=*/true));
    OrderedDocument waiver = Object(std::move(members));
    waiver["required"] = {"rule", "reason"};
    waiver["minProperties"] = 3;
    kinds.push_back(std::move(waiver));
  }
  return {{"oneOf", std::move(kinds)}};
}

OrderedDocument Capability() {
  std::set<std::string> spellings;
  for (const std::string& name : privilege::AllCapabilities()) {
    constexpr std::size_t kPrefix = sizeof "CAP_" - 1;
    std::string lower = name;
    for (char& c : lower) c = c == '_' ? c : static_cast<char>(c | 0x20);
    spellings.insert({name, name.substr(kPrefix), lower, lower.substr(kPrefix)});
  }
  return {{"enum", spellings}};
}

OrderedDocument Listed(const char* definition) {
  return {{"type", "array"}, {"items", Definition(definition)}};
}

OrderedDocument OfImages() {
  return {{"$schema", {{"type", "string"}}},
          {"rules", Definition("rules")},
          {"waivers", Listed("waiver")},
          {"provenance", {{"type", "string"}}}};
}

OrderedDocument OfAnImage() {
  const OrderedDocument digests = {
      {"type", "array"},
      {"minItems", 1},
      {"items", {{"type", "string"}, {"pattern", "^sha256:[0-9a-f]{64}$"}}}};
  OrderedDocument tag = OfImages();
  tag.erase("$schema");
  tag["digests"] = digests;
  OrderedDocument members = OfImages();
  members["digests"] = digests;
  members["tags"] = {{"type", "object"}, {"additionalProperties", Object(std::move(tag))}};
  return members;
}

OrderedDocument OfTheHost() {
  const OrderedDocument profile = {{"enum", {"restricted", "baseline", "build"}}};
  const OrderedDocument target = {{"type", "string"}, {"pattern", "^(journald|syslog|file:/.*)$"}};
  OrderedDocument forward =
      Object({{"format", {{"enum", {"json", "falco", "ocsf"}}}}, {"target", target}});
  forward["required"] = {"format", "target"};
  const OrderedDocument ceiling = {{"enum", {"nothing", "docker-default", "unlimited"}}};
  return {
      {"$schema", {{"type", "string"}}},
      {"extends", profile},
      {"builds", profile},
      {"mode", {{"enum", {"enforce", "audit"}}}},
      {"rootless", {{"enum", {"refuse", "pass-through", "apply"}}}},
      {"fallback", {{"enum", {"refuse", "last-good"}}}},
      {"log", Object({{"target", target},
                      {"required", {{"type", "boolean"}}},
                      {"level", {{"enum", {"info", "notice", "warning"}}}},
                      {"max-megabytes", Count(0, 1'000'000)},
                      {"keep", Count(1, 10'000)},
                      {"forward", forward}})},
      {"trust", Object({{"tag", ceiling}, {"repository-digest", ceiling}, {"digest", ceiling}})},
      {"waiver-expiry", {{"enum", {"optional", "required"}}}},
      {"rules", Definition("rules")},
      {"waivers", Listed("waiver")}};
}

}  // namespace

Result<Output> PrintSchema(const std::string& sort) {
  constexpr std::string_view kSorts[] = {"policy", "image", "shared"};
  OrderedDocument members;
  const char* title = nullptr;
  if (sort == kSorts[0]) {
    members = OfTheHost();
    title = "runclad: policy.json and policy.d/*.json";
  } else if (sort == kSorts[1]) {
    members = OfAnImage();
    title = "runclad: images/<repository>.json";
  } else if (sort == kSorts[2]) {
    members = OfImages();
    title = "runclad: images/…/_default.json, digests/sha256/<hex>.json, pods/<namespace>.json";
  } else {
    return Error{"there is a schema for " + Alternatives(kSorts) + ", not for " + Quoted(sort) +
                 Suggestion(sort, kSorts)};
  }
  OrderedDocument schema = {{"$schema", "http://json-schema.org/draft-07/schema#"},
                            {"title", title}};
  schema.update(Object(std::move(members)));
  schema["definitions"] = {{"capability", Capability()}, {"rules", Rules()}, {"waiver", Waiver()}};
  return Output{schema.dump(2) + "\n"};
}

}  // namespace runclad::ctl
