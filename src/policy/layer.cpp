// The grammar of a policy file. In one file, as a grammar is: each member's reader calls those
// below it.
#include "layer.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <nlohmann/json.hpp>

#include "runclad/base/spelling.hpp"
#include "runclad/base/time.hpp"
#include "runclad/engine/reference.hpp"
#include "runclad/json/pointer.hpp"
#include "runclad/json/writer.hpp"

#include "value.hpp"

namespace runclad::policy {
namespace {

using json::Document;

constexpr std::string_view kProfileNames[] = {"restricted", "baseline", "build"};
constexpr std::string_view kModes[] = {"enforce", "audit"};
constexpr std::string_view kRootless[] = {"refuse", "pass-through", "apply"};
constexpr std::string_view kFallback[] = {"refuse", "last-good"};
constexpr std::string_view kLogLevels[] = {"info", "notice", "warning"};
constexpr std::string_view kLogFormats[] = {"json", "falco", "ocsf"};
constexpr std::int64_t kMostMegabytes = 1'000'000;
constexpr std::int64_t kMostKept = 10'000;
constexpr std::string_view kWaiverExpiry[] = {"optional", "required"};
constexpr std::string_view kTrustTiers[] = {"tag", "repository-digest", "digest"};
constexpr std::string_view kCeilings[] = {"nothing", "docker-default", "unlimited"};
constexpr std::array kCeilingValues = {Ceiling::kNothing, Ceiling::kDockerDefault,
                                       Ceiling::kUnlimited};

// What only a fault needs: a table of these would be relocated at every start of the program.
std::vector<std::string_view> Words(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    words.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

std::string_view WhatHas(LayerKind kind) {
  switch (kind) {
    case LayerKind::kProfile:
      return "a profile";
    case LayerKind::kHost:
      return "a policy";
    case LayerKind::kImage:
      return "an image's file";
    case LayerKind::kTag:
      return "a tag";
    case LayerKind::kShared:
      break;
  }
  return "this kind of file";
}

// Kinds of layers as a set.
constexpr unsigned Bit(LayerKind kind) { return 1U << static_cast<unsigned>(kind); }
constexpr unsigned kHostOnly = Bit(LayerKind::kHost);
constexpr unsigned kImageOnly = Bit(LayerKind::kImage);
constexpr unsigned kOfImages = kImageOnly | Bit(LayerKind::kShared);
constexpr unsigned kInTags = kOfImages | Bit(LayerKind::kTag);
constexpr unsigned kEverywhere = kInTags | kHostOnly | Bit(LayerKind::kProfile);

class LayerReader {
 public:
  LayerReader(LayerKind kind, std::string base, const Format& format,
              std::vector<LayerFault>& faults)
      : base_(std::move(base)), format_(format), faults_(faults) {
    layer_.kind = kind;
    layer_.pointer = base_;
  }

  Layer Read(const Document& document) {
    if (!document.is_object()) {
      Fail("", std::string(WhatHas(layer_.kind)) + " must be an object, not " + TypeName(document));
      return {};
    }
    for (const auto& [key, value] : document.get_ref<const Document::object_t&>()) {
      const auto member = std::ranges::find(Members(), key, &Member::name);
      if (member == Members().end()) {
        UnknownMember(key);
      } else if (!Has(*member)) {
        Fail("/" + key, std::string(WhatHas(layer_.kind)) + " has no \"" + key + "\"");
      } else {
        (this->*(member->read))(value);
      }
    }
    return std::move(layer_);
  }

 private:
  struct Member {
    std::string_view name;
    unsigned kinds;
    void (LayerReader::*read)(const Document& value);
  };
  static std::span<const Member> Members() {
    static constexpr Member kMembers[] = {
        {"$schema", kEverywhere & ~Bit(LayerKind::kTag), &LayerReader::ReadSchema},
        {"builds", kHostOnly, &LayerReader::ReadBuilds},
        {"digests", kImageOnly | Bit(LayerKind::kTag), &LayerReader::ReadDigests},
        {"extends", kHostOnly, &LayerReader::ReadExtends},
        {"fallback", kHostOnly, &LayerReader::ReadFallback},
        {"log", kHostOnly, &LayerReader::ReadLog},
        {"mode", kHostOnly, &LayerReader::ReadMode},
        {"provenance", kInTags, &LayerReader::ReadProvenance},
        {"rootless", kHostOnly, &LayerReader::ReadRootless},
        {"rules", kEverywhere, &LayerReader::ReadRules},
        {"tags", kImageOnly, &LayerReader::ReadTags},
        {"trust", kHostOnly, &LayerReader::ReadTrust},
        {"waiver-expiry", kHostOnly, &LayerReader::ReadWaiverExpiry},
        {"waivers", kInTags | kHostOnly, &LayerReader::ReadWaivers},
    };
    return kMembers;
  }

  [[nodiscard]] bool Has(const Member& member) const {
    return (member.kinds & Bit(layer_.kind)) != 0;
  }

  void Fail(std::string_view pointer, std::string message) {
    faults_.push_back({base_ + std::string(pointer), std::move(message)});
  }

  void UnknownMember(const std::string& key) {
    std::vector<std::string_view> names;
    for (const Member& member : Members()) {
      if (Has(member)) names.push_back(member.name);
    }
    Fail("/" + json::Escape(key), "unknown key " + Quoted(key) + Suggestion(key, names));
  }

  // The string at `pointer`; null (and a fault) if it is not a string.
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

  std::optional<std::string> ReadProfile(const Document& value, const std::string& key) {
    const std::string* name = Text(value, "/" + key, Quoted(key));
    if (name == nullptr) return std::nullopt;
    if (!format_.profile(*name).empty()) return *name;
    Fail("/" + key, "unknown profile " + Quoted(*name) + Suggestion(*name, kProfileNames));
    return std::nullopt;
  }

  void ReadExtends(const Document& value) { layer_.extends = ReadProfile(value, "extends"); }

  void ReadBuilds(const Document& value) { layer_.builds = ReadProfile(value, "builds"); }

  void ReadMode(const Document& value) {
    const auto choice = Choose(value, "/mode", "\"mode\"", kModes);
    if (choice) layer_.mode = *choice == 0 ? Mode::kEnforce : Mode::kAudit;
  }

  void ReadRootless(const Document& value) {
    constexpr std::array kChoices = {Rootless::kRefuse, Rootless::kPassThrough, Rootless::kApply};
    const auto choice = Choose(value, "/rootless", "\"rootless\"", kRootless);
    if (choice) layer_.rootless = kChoices.at(*choice);
  }

  void ReadFallback(const Document& value) {
    const auto choice = Choose(value, "/fallback", "\"fallback\"", kFallback);
    if (choice) layer_.fallback = *choice == 0 ? Fallback::kRefuse : Fallback::kLastGood;
  }

  void ReadProvenance(const Document& value) { Text(value, "/provenance", "\"provenance\""); }

  void ReadTrust(const Document& value) {
    if (!value.is_object()) {
      return Fail("/trust", "\"trust\" must be an object, not " + TypeName(value));
    }
    for (const auto& [key, member] : value.get_ref<const Document::object_t&>()) {
      const std::string pointer = "/trust/" + json::Escape(key);
      const auto tier = std::ranges::find(kTrustTiers, key);
      if (tier == std::end(kTrustTiers)) {
        Fail(pointer, "unknown key " + Quoted("trust/" + key) + Suggestion(key, kTrustTiers));
        continue;
      }
      const auto choice = Choose(member, pointer, Quoted("trust/" + key), kCeilings);
      if (choice) {
        layer_.trust.at(static_cast<std::size_t>(tier - std::begin(kTrustTiers))) =
            kCeilingValues.at(*choice);
      }
    }
  }

  void ReadWaiverExpiry(const Document& value) {
    const auto choice = Choose(value, "/waiver-expiry", "\"waiver-expiry\"", kWaiverExpiry);
    if (choice) layer_.waivers_must_expire = *choice == 1;
  }

  void ReadDigests(const Document& value) {
    if (!value.is_array()) {
      return Fail("/digests", "\"digests\" must be a list of strings, not " + TypeName(value));
    }
    for (std::size_t i = 0; i < value.size(); ++i) {
      const std::string pointer = "/digests/" + std::to_string(i);
      const std::string* digest = Text(value[i], pointer, "a digest");
      if (digest == nullptr) continue;
      if (!engine::IsSha256Digest(*digest)) {
        Fail(pointer,
             Quoted(*digest) + " is not sha256: followed by 64 lower-case hexadecimal digits");
      }
      layer_.digests.push_back(*digest);
    }
    if (value.empty()) {
      Fail("/digests", "an empty \"digests\" would refuse every image; omit it to pin nothing");
    }
  }

  void ReadTags(const Document& value) {
    if (!value.is_object()) {
      return Fail("/tags", "\"tags\" must be an object, not " + TypeName(value));
    }
    for (const auto& [tag, member] : value.get_ref<const Document::object_t&>()) {
      const std::string pointer = "/tags/" + json::Escape(tag);
      if (!engine::ParseReference("any:" + tag)) {
        Fail(pointer, Quoted(tag) + " is not a valid tag");
        continue;
      }
      LayerReader reader(LayerKind::kTag, base_ + pointer, format_, faults_);
      layer_.tags.push_back({tag, reader.Read(member)});
    }
  }

  void ReadWaivers(const Document& value) {
    if (!value.is_array()) {
      return Fail("/waivers", "\"waivers\" must be a list of objects, not " + TypeName(value));
    }
    for (std::size_t i = 0; i < value.size(); ++i) {
      const std::string pointer = "/waivers/" + std::to_string(i);
      if (value[i].is_object()) {
        ReadWaiver(value[i], pointer);
      } else {
        Fail(pointer, "a waiver must be an object, not " + TypeName(value[i]));
      }
    }
  }

  void ReadWaiver(const Document& value, const std::string& pointer) {
    Waiver waiver;
    waiver.pointer = base_ + pointer;
    const auto text = [&](const char* key) -> const std::string* {
      const auto member = value.find(key);
      return member == value.end()
                 ? nullptr
                 : Text(*member, pointer + "/" + key, "a waiver's \"" + std::string(key) + "\"");
    };
    if (const std::string* reason = text("reason"); reason != nullptr) waiver.reason = *reason;
    if (waiver.reason.empty()) Fail(pointer, "a waiver needs a \"reason\"");
    if (const std::string* expires = text("expires"); expires != nullptr) {
      const auto day = ParseDay(*expires);
      if (!day) {
        Fail(pointer + "/expires", Quoted(*expires) + " is not a date such as 2027-03-31");
      }
      waiver.expires = *expires;
      waiver.last_day = day.value_or(0);
    }
    const std::string* id = text("rule");
    if (id == nullptr) return Fail(pointer, "a waiver needs a \"rule\"");
    if (*id == "*") {
      ReadWaiverOfEverything(value, pointer, std::move(waiver));
      return;
    }
    const RuleSchema* schema = FindRule(*id, pointer + "/rule");
    if (schema == nullptr) return;
    constexpr std::string_view kOwn[] = {"rule", "reason", "expires"};
    const std::size_t faults = faults_.size();
    waiver.lifts = ReadRule(*schema, value, pointer + "/", kOwn);
    const bool lifts_nothing = !waiver.lifts.action && waiver.lifts.parameters.empty();
    if (lifts_nothing && faults_.size() == faults) {
      Fail(pointer,
           "a waiver needs an \"action\" or a parameter of its rule; this one changes nothing");
    }
    layer_.waivers.push_back(std::move(waiver));
  }

  // An image's own audit mode.
  void ReadWaiverOfEverything(const Document& value, const std::string& pointer, Waiver waiver) {
    for (const auto& [key, member] : value.get_ref<const Document::object_t&>()) {
      if (key != "rule" && key != "reason" && key != "expires") {
        Fail(pointer + "/" + json::Escape(key),
             "a waiver of \"*\" is an audit mode and cannot have " + Quoted(key));
      }
    }
    if (waiver.expires.empty()) Fail(pointer, "a waiver of \"*\" needs \"expires\"");
    waiver.lifts.rule = "*";
    layer_.waivers.push_back(std::move(waiver));
  }

  void ReadLog(const Document& value) {
    if (!value.is_object()) {
      return Fail("/log", "\"log\" must be an object, not " + TypeName(value));
    }
    LogLayer& log = layer_.log;
    for (const auto& [key, member] : value.get_ref<const Document::object_t&>()) {
      if (key == "target") {
        log.target = ReadLogTarget(member, "/log/target", "\"log/target\"");
      } else if (key == "required") {
        if (member.is_boolean()) {
          log.required = member.get<bool>();
        } else {
          Fail("/log/required", "\"log/required\" must be true or false, not " + TypeName(member));
        }
      } else if (key == "level") {
        const auto choice = Choose(member, "/log/level", "\"log/level\"", kLogLevels);
        if (choice) log.level = static_cast<LogLevel>(*choice);
      } else if (key == "max-megabytes") {
        log.max_megabytes = ReadNumber(member, "log/max-megabytes", 0, kMostMegabytes);
      } else if (key == "keep") {
        log.keep = ReadNumber(member, "log/keep", 1, kMostKept);
      } else if (key == "forward") {
        log.forward = ReadForward(member);
      } else {
        Fail("/log/" + json::Escape(key),
             "unknown key " + Quoted("log/" + key) +
                 Suggestion(key, Words("forward keep level max-megabytes required target")));
      }
    }
  }

  std::optional<std::int64_t> ReadNumber(const Document& value, const std::string& key,
                                         std::int64_t least, std::int64_t most) {
    // Every number that is not negative is read as an unsigned one.
    const auto* number = value.get_ptr<const Document::number_unsigned_t*>();
    if (number != nullptr && *number <= static_cast<std::uint64_t>(most) &&
        static_cast<std::int64_t>(*number) >= least) {
      return static_cast<std::int64_t>(*number);
    }
    Fail("/" + key, Quoted(key) + " must be a number from " + std::to_string(least) + " to " +
                        std::to_string(most) + ", not " +
                        (value.is_number() ? json::Write(value) : TypeName(value)));
    return std::nullopt;
  }

  std::optional<LogForward> ReadForward(const Document& value) {
    if (!value.is_object()) {
      Fail("/log/forward", "\"log/forward\" must be an object, not " + TypeName(value));
      return std::nullopt;
    }
    std::optional<std::size_t> format;
    std::optional<std::string> target;
    for (const auto& [key, member] : value.get_ref<const Document::object_t&>()) {
      if (key == "format") {
        format = Choose(member, "/log/forward/format", "\"log/forward/format\"", kLogFormats);
        if (!format) return std::nullopt;
      } else if (key == "target") {
        target = ReadLogTarget(member, "/log/forward/target", "\"log/forward/target\"");
        if (!target) return std::nullopt;
      } else {
        Fail("/log/forward/" + json::Escape(key), "unknown key " + Quoted("log/forward/" + key) +
                                                      Suggestion(key, Words("format target")));
        return std::nullopt;
      }
    }
    if (format && target) return LogForward{static_cast<LogFormat>(*format), *std::move(target)};
    Fail("/log/forward", R"("log/forward" needs a "format" and a "target")");
    return std::nullopt;
  }

  std::optional<std::string> ReadLogTarget(const Document& value, const char* pointer,
                                           const char* name) {
    const std::string* target = Text(value, pointer, name);
    if (target == nullptr) return std::nullopt;
    constexpr std::string_view kFile = "file:";
    std::string fault;
    if (target->starts_with(kFile)) {
      fault = WhyNotAbsolute(target->substr(kFile.size()));
      if (!fault.empty()) fault.insert(0, ": ");
    } else if (*target != "journald" && *target != "syslog") {
      fault = " is journald, syslog or file:/ABSOLUTE/PATH, not " + Quoted(*target) +
              Suggestion(*target, Words("journald syslog"));
    }
    if (fault.empty()) return *target;
    Fail(pointer, name + fault);
    return std::nullopt;
  }

  void ReadRules(const Document& value) {
    if (!value.is_object()) {
      return Fail("/rules", "\"rules\" must be an object, not " + TypeName(value));
    }
    for (const auto& [id, settings] : value.get_ref<const Document::object_t&>()) {
      const RuleSchema* schema = FindRule(id, "/rules/" + json::Escape(id));
      if (schema == nullptr) continue;
      if (settings.is_object()) {
        layer_.rules.push_back(ReadRule(*schema, settings, "/rules/" + id + "/", {}));
      } else {
        Fail("/rules/" + id, "rule \"" + id + "\" must be an object, not " + TypeName(settings));
      }
    }
  }

  // The rule `id`, named at `pointer`; none (and a fault) when there is none.
  const RuleSchema* FindRule(const std::string& id, const std::string& pointer) {
    const auto schema = std::ranges::find(format_.rules, id, &RuleSchema::id);
    if (schema != format_.rules.end()) return &*schema;
    std::vector<std::string_view> ids;
    for (const RuleSchema& rule : format_.rules) ids.push_back(rule.id);
    Fail(pointer, "unknown rule " + Quoted(id) + Suggestion(id, ids));
    return nullptr;
  }

  // The members of `settings` but for those named in `others`; `base` is the pointer of its
  // members.
  RuleLayer ReadRule(const RuleSchema& schema, const Document& settings, const std::string& base,
                     std::span<const std::string_view> others) {
    RuleLayer rule{schema.id, std::nullopt, {}};
    const std::string prefix = base_ + base;
    for (const auto& [key, value] : settings.get_ref<const Document::object_t&>()) {
      if (std::ranges::find(others, key) != others.end()) continue;
      if (key == "action") {
        rule.action = ReadAction(schema, value, base + key);
        continue;
      }
      const auto parameter = std::ranges::find(schema.parameters, key, &ParameterSchema::name);
      if (parameter == schema.parameters.end()) {
        UnknownParameter(schema, key, base + json::Escape(key), others);
        continue;
      }
      if (parameter->only_in_waivers && others.empty()) {
        Fail(base + key, "\"" + std::string(schema.id) + "/" + key + "\" is only for waivers");
        continue;
      }
      std::optional<Parameters::Value> read =
          ReadValue(value, {*parameter, schema.id, format_.is_lint}, prefix + key, faults_);
      if (read) rule.parameters.emplace_back(&*parameter, *std::move(read));
    }
    return rule;
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
                        const std::string& pointer, std::span<const std::string_view> others) {
    std::vector<std::string_view> names = {"action"};
    names.insert(names.end(), others.begin(), others.end());
    for (const ParameterSchema& parameter : schema.parameters) names.push_back(parameter.name);
    const std::string suggestion = Suggestion(key, names);
    Fail(pointer, "rule " + Quoted(schema.id) + " has no parameter " + Quoted(key) +
                      (suggestion.empty() ? "; it has " + Alternatives(names) : suggestion));
  }

  std::string base_;  // the pointer of the layer inside its file
  const Format& format_;
  std::vector<LayerFault>& faults_;
  Layer layer_;
};

}  // namespace

std::string_view Name(LogLevel level) { return kLogLevels[static_cast<std::size_t>(level)]; }
std::string_view Name(LogFormat format) { return kLogFormats[static_cast<std::size_t>(format)]; }

Layer ReadLayer(const Document& document, LayerKind kind, const Format& format,
                std::vector<LayerFault>& faults) {
  return LayerReader(kind, "", format, faults).Read(document);
}

}  // namespace runclad::policy
