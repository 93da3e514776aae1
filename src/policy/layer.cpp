#include "layer.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <nlohmann/json.hpp>

#include "runclad/base/spelling.hpp"
#include "runclad/json/pointer.hpp"

#include "value.hpp"

namespace runclad::policy {
namespace {

using json::Document;

constexpr std::string_view kProfiles[] = {"restricted", "baseline"};
constexpr std::string_view kModes[] = {"enforce", "audit"};
constexpr std::string_view kRootless[] = {"refuse", "pass-through", "apply"};
constexpr std::string_view kLogKeys[] = {"target", "required"};
constexpr std::string_view kLogTargets[] = {"journald", "syslog"};

class LayerReader {
 public:
  LayerReader(LayerKind kind, const Format& format, std::vector<LayerFault>& faults)
      : format_(format), faults_(faults) {
    layer_.kind = kind;
  }

  Layer Read(const Document& document) {
    if (!document.is_object()) {
      Fail("", "a policy must be an object, not " + TypeName(document));
      return {};
    }
    for (const auto& [key, value] : document.get_ref<const Document::object_t&>()) {
      const auto member = std::ranges::find(Members(), key, &Member::name);
      if (member == Members().end()) {
        UnknownMember(key);
      } else if (member->host_only && layer_.kind != LayerKind::kHost) {
        Fail("/" + key, "a profile has no \"" + key + "\"");
      } else {
        (this->*(member->read))(value);
      }
    }
    return std::move(layer_);
  }

 private:
  struct Member {
    std::string_view name;
    bool host_only;
    void (LayerReader::*read)(const Document& value);
  };
  static std::span<const Member> Members() {
    static constexpr Member kMembers[] = {
        {"$schema", false, &LayerReader::ReadSchema},
        {"extends", true, &LayerReader::ReadExtends},
        {"log", true, &LayerReader::ReadLog},
        {"mode", true, &LayerReader::ReadMode},
        {"rootless", true, &LayerReader::ReadRootless},
        {"rules", false, &LayerReader::ReadRules},
    };
    return kMembers;
  }

  void Fail(std::string pointer, std::string message) {
    faults_.push_back({std::move(pointer), std::move(message)});
  }

  void UnknownMember(const std::string& key) {
    // Part of the format, but of a later one: ignoring it would drop what the operator asked for.
    constexpr std::array<std::string_view, 2> kLater = {"trust", "waivers"};
    const std::string pointer = "/" + json::Escape(key);
    if (std::ranges::find(kLater, key) != kLater.end()) {
      return Fail(pointer, "\"" + key + "\" is not supported by this version");
    }
    std::vector<std::string_view> names;
    names.reserve(Members().size());
    for (const Member& member : Members()) names.push_back(member.name);
    Fail(pointer, "unknown key " + Quoted(key) + Suggestion(key, names));
  }

  // The string at `pointer`, none (and a fault) when it is no string.
  const std::string* Text(const Document& value, const std::string& pointer,
                          const std::string& name) {
    const auto* text = value.get_ptr<const std::string*>();
    if (text == nullptr) Fail(pointer, name + " must be a string, not " + TypeName(value));
    return text;
  }

  // The index of the string at `pointer` among `choices`.
  std::optional<std::size_t> Choose(const Document& value, const std::string& pointer,
                                    const std::string& name,
                                    std::span<const std::string_view> choices) {
    const std::string* text = Text(value, pointer, name);
    if (text == nullptr) return std::nullopt;
    const auto found = std::ranges::find(choices, *text);
    if (found != choices.end()) return static_cast<std::size_t>(found - choices.begin());
    Fail(pointer, name + " is " + Alternatives(choices) + ", not " + Quoted(*text) +
                      Suggestion(*text, choices));
    return std::nullopt;
  }

  void ReadSchema(const Document& value) { Text(value, "/$schema", "\"$schema\""); }

  void ReadExtends(const Document& value) {
    const std::string* name = Text(value, "/extends", "\"extends\"");
    if (name == nullptr) return;
    if (format_.profile(*name).empty()) {
      return Fail("/extends", "unknown profile " + Quoted(*name) + Suggestion(*name, kProfiles));
    }
    layer_.extends = *name;
  }

  void ReadMode(const Document& value) {
    const auto choice = Choose(value, "/mode", "\"mode\"", kModes);
    if (choice) layer_.mode = *choice == 0 ? Mode::kEnforce : Mode::kAudit;
  }

  void ReadRootless(const Document& value) {
    constexpr std::array kChoices = {Rootless::kRefuse, Rootless::kPassThrough, Rootless::kApply};
    const auto choice = Choose(value, "/rootless", "\"rootless\"", kRootless);
    if (choice) layer_.rootless = kChoices.at(*choice);
  }

  void ReadLog(const Document& value) {
    if (!value.is_object()) {
      return Fail("/log", "\"log\" must be an object, not " + TypeName(value));
    }
    for (const auto& [key, member] : value.get_ref<const Document::object_t&>()) {
      if (key == "target") {
        ReadLogTarget(member);
      } else if (key == "required") {
        if (member.is_boolean()) {
          layer_.log_required = member.get<bool>();
        } else {
          Fail("/log/required", "\"log/required\" must be true or false, not " + TypeName(member));
        }
      } else {
        Fail("/log/" + json::Escape(key),
             "unknown key " + Quoted("log/" + key) + Suggestion(key, kLogKeys));
      }
    }
  }

  void ReadLogTarget(const Document& value) {
    const std::string* target = Text(value, "/log/target", "\"log/target\"");
    if (target == nullptr) return;
    constexpr std::string_view kFile = "file:";
    if (target->starts_with(kFile)) {
      const std::string fault = WhyNotAbsolute(target->substr(kFile.size()));
      if (!fault.empty()) return Fail("/log/target", "\"log/target\": " + fault);
    } else if (*target != "journald" && *target != "syslog") {
      return Fail("/log/target", "\"log/target\" is journald, syslog or file:/ABSOLUTE/PATH, not " +
                                     Quoted(*target) + Suggestion(*target, kLogTargets));
    }
    layer_.log_target = *target;
  }

  void ReadRules(const Document& value) {
    if (!value.is_object()) {
      return Fail("/rules", "\"rules\" must be an object, not " + TypeName(value));
    }
    for (const auto& [id, settings] : value.get_ref<const Document::object_t&>()) {
      const auto schema = std::ranges::find(format_.rules, id, &RuleSchema::id);
      if (schema == format_.rules.end()) {
        std::vector<std::string_view> ids;
        for (const RuleSchema& rule : format_.rules) ids.push_back(rule.id);
        Fail("/rules/" + json::Escape(id), "unknown rule " + Quoted(id) + Suggestion(id, ids));
      } else if (!settings.is_object()) {
        Fail("/rules/" + id, "rule \"" + id + "\" must be an object, not " + TypeName(settings));
      } else {
        ReadRule(*schema, settings);
      }
    }
  }

  void ReadRule(const RuleSchema& schema, const Document& settings) {
    RuleLayer rule{schema.id, std::nullopt, {}};
    const std::string base = "/rules/" + std::string(schema.id) + "/";
    for (const auto& [key, value] : settings.get_ref<const Document::object_t&>()) {
      if (key == "action") {
        rule.action = ReadAction(schema, value, base + key);
        continue;
      }
      const auto parameter = std::ranges::find(schema.parameters, key, &ParameterSchema::name);
      if (parameter == schema.parameters.end()) {
        UnknownParameter(schema, key, base + json::Escape(key));
        continue;
      }
      std::optional<Parameters::Value> read =
          ReadValue(value, {*parameter, schema.id, format_.is_syscall}, base + key, faults_);
      if (read) rule.parameters.emplace_back(&*parameter, *std::move(read));
    }
    layer_.rules.push_back(std::move(rule));
  }

  std::optional<Action> ReadAction(const RuleSchema& schema, const Document& value,
                                   const std::string& pointer) {
    std::vector<std::string_view> names;
    for (const Action action : schema.actions) names.push_back(Name(action));
    const auto choice = Choose(value, pointer, "the action of rule " + Quoted(schema.id), names);
    if (!choice) return std::nullopt;
    return schema.actions[*choice];
  }

  void UnknownParameter(const RuleSchema& schema, const std::string& key,
                        const std::string& pointer) {
    std::vector<std::string_view> names = {"action"};
    for (const ParameterSchema& parameter : schema.parameters) names.push_back(parameter.name);
    const std::string suggestion = Suggestion(key, names);
    Fail(pointer, "rule " + Quoted(schema.id) + " has no parameter " + Quoted(key) +
                      (suggestion.empty() ? "; it takes " + Alternatives(names) : suggestion));
  }

  const Format& format_;
  std::vector<LayerFault>& faults_;
  Layer layer_;
};

// Records where values were said, when the layer knows its lines.
class OriginKeeper {
 public:
  OriginKeeper(const Layer& layer, Origins& origins) : layer_(layer), origins_(origins) {}

  void Replace(const std::string& key) const { Note(key, false, "/" + key); }
  void Replace(std::string_view rule, std::string_view name) const { Note(rule, name, false); }
  void Add(std::string_view rule, std::string_view name) const { Note(rule, name, true); }

 private:
  void Note(std::string_view rule, std::string_view name, bool is_added) const {
    if (layer_.positions.empty()) return;
    std::string key(rule);
    key += '/';
    key += name;
    Note(key, is_added, "/rules/" + key);
  }

  void Note(const std::string& key, bool is_added, const std::string& pointer) const {
    const auto position = layer_.positions.find(pointer);
    if (position == layer_.positions.end()) return;
    std::string origin = layer_.label;
    if (layer_.kind != LayerKind::kProfile) {
      origin += ":" + std::to_string(position->second.line);
    }
    std::string& noted = origins_[key];
    noted = is_added && !noted.empty() ? noted + ", " + origin : origin;
  }

  const Layer& layer_;
  Origins& origins_;
};

}  // namespace

Layer ReadLayer(const Document& document, LayerKind kind, const Format& format,
                std::vector<LayerFault>& faults) {
  return LayerReader(kind, format, faults).Read(document);
}

void Fold(Layer layer, Effective& policy) {
  const OriginKeeper origins(layer, policy.origins);
  if (layer.mode) {
    policy.mode = *layer.mode;
    origins.Replace("mode");
  }
  if (layer.rootless) {
    policy.rootless = *layer.rootless;
    origins.Replace("rootless");
  }
  if (layer.log_target) {
    policy.log.target = *std::move(layer.log_target);
    origins.Replace("log/target");
  }
  if (layer.log_required) {
    policy.log.required = *layer.log_required;
    origins.Replace("log/required");
  }
  for (RuleLayer& rule : layer.rules) {
    auto found = policy.rules.find(rule.rule);
    if (found == policy.rules.end()) found = policy.rules.try_emplace(std::string(rule.rule)).first;
    RuleSetting& setting = found->second;
    if (rule.action) {
      setting.action = *rule.action;
      origins.Replace(rule.rule, "action");
    }
    for (auto& [schema, value] : rule.parameters) {
      if (schema->merge == Merge::kAccumulate && schema->type == ParameterType::kStrings) {
        setting.parameters.Append(schema->name,
                                  std::get<std::vector<std::string>>(std::move(value)));
        origins.Add(rule.rule, schema->name);
      } else {
        setting.parameters.Set(schema->name, std::move(value));
        origins.Replace(rule.rule, schema->name);
      }
    }
  }
}

}  // namespace runclad::policy
