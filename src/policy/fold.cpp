#include "fold.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "order.hpp"

namespace runclad::policy {
namespace {

using Strings = std::vector<std::string>;

// Without the line where the layer does not know its lines.
Origin SourceOf(const Layer& layer, const std::string& pointer) {
  if (layer.kind == LayerKind::kProfile) return {Origin::Kind::kProfile, layer.label};
  const auto position = layer.positions.find(layer.pointer + pointer);
  return {Origin::Kind::kFile, layer.label,
          position == layer.positions.end() ? 0 : position->second.line};
}

// "policy.json:12"
std::string PlaceOf(const Origin& origin) {
  return origin.line == 0 ? origin.file : origin.file + ":" + std::to_string(origin.line);
}

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
    if (!layer_.positions.contains(layer_.pointer + pointer)) return;
    std::vector<Origin>& noted = origins_[key];
    if (!is_added) noted.clear();
    noted.push_back(SourceOf(layer_, pointer));
  }

  const Layer& layer_;
  Origins& origins_;
};

RuleSetting& SettingOf(Effective& policy, std::string_view rule) {
  const auto at = policy.rules.lower_bound(rule);
  if (at != policy.rules.end() && at->first == rule) return at->second;
  return policy.rules.try_emplace(at, std::string(rule))->second;
}

Parameters::Value ValueOf(const Effective& policy, std::string_view rule,
                          const ParameterSchema& schema) {
  return ValueOf(policy.rule(rule).parameters, schema);
}

bool Accumulates(const ParameterSchema& schema) {
  return schema.merge == Merge::kAccumulate && schema.type == ParameterType::kStrings;
}

// `value` as far as the ceiling lets it go.
Parameters::Value Cap(const ParameterSchema& schema, Parameters::Value value, Ceiling ceiling,
                      const Parameters::Value& host) {
  if (ceiling == Ceiling::kUnlimited) return value;
  if (ceiling == Ceiling::kNothing) return Stricter(schema, std::move(value), host);
  const auto docker = DockerDefaultOf(schema);
  if (!docker) return value;
  return Stricter(schema, std::move(value), Looser(schema, host, *docker));
}

template <typename Value>
void Replace(std::optional<Value> value, const char* key, const OriginKeeper& origins,
             auto& setting) {
  if (!value) return;
  setting = *std::move(value);
  origins.Replace(key);
}

void FoldLog(LogLayer layer, const OriginKeeper& origins, LogSettings& log) {
  Replace(std::move(layer.target), "log/target", origins, log.target);
  Replace(layer.required, "log/required", origins, log.required);
  Replace(layer.level, "log/level", origins, log.level);
  Replace(layer.max_megabytes, "log/max-megabytes", origins, log.max_megabytes);
  Replace(layer.keep, "log/keep", origins, log.keep);
  Replace(std::move(layer.forward), "log/forward", origins, log.forward);
}

}  // namespace

std::string ToText(const std::vector<Origin>& origins) {
  std::string text;
  for (const Origin& origin : origins) {
    text += text.empty() ? "" : ", ";
    text += origin.kind == Origin::Kind::kWaiver ? "waiver " : "";
    text += PlaceOf(origin);
  }
  return text;
}

void Fold(Layer layer, Effective& policy) {
  const OriginKeeper origins(layer, policy.origins);
  if (layer.mode) {
    policy.mode = *layer.mode;
    origins.Replace("mode");
  }
  if (layer.builds) origins.Replace("builds");
  if (layer.rootless) {
    policy.rootless = *layer.rootless;
    origins.Replace("rootless");
  }
  if (layer.fallback) {
    policy.fallback = *layer.fallback;
    origins.Replace("fallback");
  }
  FoldLog(std::move(layer.log), origins, policy.log);
  if (layer.waivers_must_expire) {
    policy.waivers_must_expire = *layer.waivers_must_expire;
    origins.Replace("waiver-expiry");
  }
  const std::array members = {std::pair(&policy.trust.tag, "trust/tag"),
                              std::pair(&policy.trust.repository_digest, "trust/repository-digest"),
                              std::pair(&policy.trust.digest, "trust/digest")};
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (!layer.trust.at(i)) continue;
    *members.at(i).first = *layer.trust.at(i);
    origins.Replace(members.at(i).second);
  }
  for (RuleLayer& rule : layer.rules) {
    RuleSetting& setting = SettingOf(policy, rule.rule);
    if (rule.action) {
      setting.action = *rule.action;
      origins.Replace(rule.rule, "action");
    }
    for (auto& [schema, value] : rule.parameters) {
      if (Accumulates(*schema)) {
        setting.parameters.Append(schema->name, std::get<Strings>(std::move(value)));
        origins.Add(rule.rule, schema->name);
      } else {
        setting.parameters.Set(schema->name, std::move(value));
        origins.Replace(rule.rule, schema->name);
      }
    }
  }
}

void FoldWithin(Layer layer, Ceiling ceiling, const Effective& host, Effective& policy) {
  const auto cut = [&](std::string_view rule, std::string_view name, std::string value,
                       std::string because) {
    const std::string parameter = std::string(rule) + "/" + std::string(name);
    policy.cuts.push_back({PlaceOf(SourceOf(layer, "/rules/" + parameter)), parameter,
                           std::move(value), std::move(because)});
  };
  for (RuleLayer& rule : layer.rules) {
    const Action before = policy.rule(rule.rule).action;
    if (rule.action && Stricter(*rule.action, before) != *rule.action) {
      cut(rule.rule, "action", std::string(Name(*rule.action)), "is weaker and needs a waiver");
      rule.action.reset();
    }
    for (auto& [schema, value] : rule.parameters) {
      if (Accumulates(*schema)) continue;  // an image's file can only add to what is denied
      Parameters::Value kept = Cap(*schema, value, ceiling, ValueOf(host, rule.rule, *schema));
      if (kept == value) continue;
      for (std::string& lost : Lost(value, kept)) {
        cut(rule.rule, schema->name, std::move(lost),
            ceiling == Ceiling::kNothing ? "is more permissive than the host's policy, and the "
                                           "host's trust setting allows this name nothing"
                                         : "is beyond Docker's default, which is the ceiling that "
                                           "the host's trust setting gives this name");
      }
      value = std::move(kept);
    }
  }
  Fold(std::move(layer), policy);
}

std::vector<SourcedWaiver> TakeWaivers(Layer& layer, Ceiling ceiling) {
  std::vector<SourcedWaiver> taken;
  for (Waiver& waiver : layer.waivers) {
    const auto position = layer.positions.find(waiver.pointer);
    const std::size_t line = position == layer.positions.end() ? 0 : position->second.line;
    SourcedWaiver& entry = taken.emplace_back();
    entry.waiver = std::move(waiver);
    entry.source = {Origin::Kind::kWaiver, layer.label, line};
    if (ceiling != Ceiling::kUnlimited) {
      entry.void_because = "the host's trust setting does not cover waivers for this name";
    }
  }
  layer.waivers.clear();
  return taken;
}

void Lift(std::vector<SourcedWaiver> waivers, std::int64_t today, Effective& policy) {
  for (SourcedWaiver& entry : waivers) {
    Waiver& waiver = entry.waiver;
    const Origin& source = entry.source;
    std::string& void_because = entry.void_because;
    const bool expires = !waiver.expires.empty();
    const bool has_expired = void_because.empty() && expires && today > waiver.last_day;
    if (has_expired) void_because = "expired";
    if (void_because.empty() && !expires && policy.waivers_must_expire) {
      void_because = "has no expires, which the policy requires";
    }
    policy.waivers.push_back({PlaceOf(source), std::string(waiver.lifts.rule),
                              std::move(waiver.reason), std::move(waiver.expires), void_because,
                              has_expired});
    if (!void_because.empty()) continue;
    if (waiver.lifts.rule == "*") {
      policy.mode = Mode::kAudit;
      if (!policy.origins.empty()) policy.origins["mode"] = {source};
      continue;
    }
    const auto note = [&](std::string_view name) {
      if (policy.origins.empty()) return;
      policy.origins[std::string(waiver.lifts.rule) + "/" + std::string(name)].push_back(source);
    };
    RuleSetting& setting = SettingOf(policy, waiver.lifts.rule);
    if (waiver.lifts.action) {
      setting.action = *waiver.lifts.action;
      note("action");
    }
    for (auto& [schema, value] : waiver.lifts.parameters) {
      note(schema->name);
      auto* list = std::get_if<Strings>(&value);
      if (list == nullptr) {
        setting.parameters.Set(schema->name, std::move(value));
      } else if (schema->order == Order::kMoreIsLooser) {
        setting.parameters.Append(schema->name, std::move(*list));
      } else {
        auto left = std::get<Strings>(ValueOf(policy, waiver.lifts.rule, *schema));
        std::erase_if(left, [&](const std::string& text) {
          return std::ranges::find(*list, text) != list->end();
        });
        setting.parameters.Set(schema->name, std::move(left));
      }
    }
  }
}

Effective Meet(Effective left, const Effective& right, std::span<const RuleSchema> rules) {
  if (right.mode == Mode::kEnforce) left.mode = Mode::kEnforce;
  for (const RuleSchema& rule : rules) {
    if (!left.rules.contains(rule.id) && !right.rules.contains(rule.id)) continue;
    RuleSetting& setting = SettingOf(left, rule.id);
    setting.action = Stricter(setting.action, right.rule(rule.id).action);
    for (const ParameterSchema& schema : rule.parameters) {
      setting.parameters.Set(schema.name, Stricter(schema, ValueOf(left, rule.id, schema),
                                                   ValueOf(right, rule.id, schema)));
    }
  }
  const auto append = [](auto& to, const auto& from) {
    to.insert(to.end(), from.begin(), from.end());
  };
  append(left.cuts, right.cuts);
  append(left.waivers, right.waivers);
  append(left.image.names, right.image.names);
  append(left.image.files, right.image.files);
  left.image.tier = std::min(left.image.tier, right.image.tier);
  if (left.image.pin.empty()) left.image.pin = right.image.pin;
  if (left.image.mispinned_name.empty()) {
    left.image.mispinned_name = right.image.mispinned_name;
    left.image.pinned = right.image.pinned;
  }
  for (const auto& [key, origin] : right.origins) {
    std::vector<Origin>& noted = left.origins[key];
    if (noted != origin) append(noted, origin);
  }
  return left;
}

}  // namespace runclad::policy
