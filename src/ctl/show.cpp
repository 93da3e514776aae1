// runcladctl policy show: the policy that applies, and who said what of it.
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "runclad/enforce/host_policy.hpp"
#include "runclad/rules/rule.hpp"

#include "commands.hpp"
#include "containers.hpp"
#include "rule_texts.hpp"

namespace runclad::ctl {
namespace {

using json::Document;

// Every value as key, value and origin, in the order in which people look for them.
struct ShownLine {
  std::string key;  // "capabilities/allow"
  Document value;
};

std::string NameOf(policy::Ceiling ceiling) {
  switch (ceiling) {
    case policy::Ceiling::kNothing:
      return "nothing";
    case policy::Ceiling::kDockerDefault:
      return "docker-default";
    case policy::Ceiling::kUnlimited:
      break;
  }
  return "unlimited";
}

// "falco to syslog"
std::string ForwardText(const policy::LogSettings& log) {
  if (!log.forward) return {};
  return std::string(policy::Name(log.forward->format)) + " to " + log.forward->target;
}

std::vector<ShownLine> HostLines(const policy::Effective& policy) {
  constexpr const char* kRootless[] = {"refuse", "pass-through", "apply"};
  return {
      {"mode", policy::Name(policy.mode)},
      {"builds", policy.builds},
      {"log/target", policy.log.target},
      {"log/required", policy.log.required},
      {"log/level", policy::Name(policy.log.level)},
      {"log/max-megabytes", policy.log.max_megabytes},
      {"log/keep", policy.log.keep},
      {"log/forward", ForwardText(policy.log)},
      {"rootless", kRootless[static_cast<std::size_t>(policy.rootless)]},
      {"fallback", policy.fallback == policy::Fallback::kRefuse ? "refuse" : "last-good"},
      {"trust/tag", NameOf(policy.trust.tag)},
      {"trust/repository-digest", NameOf(policy.trust.repository_digest)},
      {"trust/digest", NameOf(policy.trust.digest)},
      {"waiver-expiry", policy.waivers_must_expire ? "required" : "optional"},
  };
}

std::vector<ShownLine> RuleLines(const policy::Effective& policy, const rules::Rule& rule) {
  const policy::RuleSetting& setting = policy.rule(rule.id());
  const std::string base = std::string(rule.id()) + "/";
  std::vector<ShownLine> lines = {{base + "action", policy::Name(setting.action)}};
  for (const policy::ParameterSchema& parameter : rule.schema.parameters) {
    Document value = ValueOf(setting, parameter);
    if (!value.is_null()) {
      lines.push_back({base + std::string(parameter.name), std::move(value)});
    }
  }
  return lines;
}

std::string OriginOf(const policy::Effective& policy, const std::string& key) {
  const auto found = policy.origins.find(key);
  return found == policy.origins.end() ? "compiled in" : policy::ToText(found->second);
}

std::string Shown(const Document& value) {
  if (!value.is_string() && !value.is_array()) return value.dump();
  const std::string text =
      value.is_string() ? value.get<std::string>() : Joined(value.get<std::vector<std::string>>());
  return text.empty() ? "(none)" : text;
}

// Under a heading: "  allow  CAP_CHOWN" and, below, where it was said.
void Append(std::string& text, const std::vector<ShownLine>& lines, const policy::Effective& policy,
            std::size_t prefix) {
  for (const ShownLine& line : lines) {
    text += "  " + line.key.substr(prefix) + "  (" + Printable(OriginOf(policy, line.key)) + ")\n";
    text += Wrapped(Printable(Shown(line.value)), 6);
  }
}

std::string AsText(const policy::Effective& policy, const Style& style) {
  std::string text = style.Bold("profile " + policy.profile) + "\n";
  const policy::ImagePolicy& image = policy.image;
  if (!image.files.empty()) {
    text += "image " + Joined(image.names) + ", trusted as a " +
            std::string(engine::Name(image.tier)) + ", adds:\n";
    for (const std::string& file : image.files) text += "  " + Printable(file) + "\n";
  }
  if (!image.pin.empty()) text += "its pin is " + image.pin + "\n";
  if (!image.mispinned_name.empty()) {
    text += style.Red(image.mispinned_name +
                      " is pinned, and this image does not have any of the digests: ") +
            Joined(image.pinned) + "\n";
  }
  for (const policy::Cut& cut : policy.cuts) {
    text += style.Yellow("cut: ") + Printable(cut.source) + ": " + cut.parameter + " " +
            Printable(cut.value) + " " + cut.because + "\n";
  }
  for (const policy::WaiverUse& waiver : policy.waivers) {
    const bool counts = waiver.void_because.empty();
    text += (counts ? style.Yellow("waiver: ") : style.Red("void waiver: ")) +
            Printable(waiver.source) + ": " + waiver.rule +
            (waiver.expires.empty() ? "" : " until " + waiver.expires) + ", " +
            Printable(waiver.reason) + (counts ? "" : " (" + waiver.void_because + ")") + "\n";
  }
  text += "\n" + style.Bold("host") + "\n";
  Append(text, HostLines(policy), policy, 0);
  for (const rules::Rule* rule : rules::Catalog()) {
    text += "\n" + style.Bold(rule->id()) + "\n";
    Append(text, RuleLines(policy, *rule), policy, rule->id().size() + 1);
  }
  return text;
}

std::string AsJson(const policy::Effective& policy) {
  Document values = Document::object();
  const auto add = [&](const std::vector<ShownLine>& lines) {
    for (const ShownLine& line : lines) {
      values[line.key] = {{"value", line.value}, {"origin", OriginOf(policy, line.key)}};
    }
  };
  add(HostLines(policy));
  for (const rules::Rule* rule : rules::Catalog()) add(RuleLines(policy, *rule));
  Document document = {{"profile", policy.profile},
                       {"policy", policy.digest},
                       {"values", std::move(values)},
                       {"cut", Document::array()},
                       {"waivers", Document::array()}};
  const policy::ImagePolicy& image = policy.image;
  document["image"] = {{"names", image.names},
                       {"files", image.files},
                       {"trust", engine::Name(image.tier)},
                       {"pin", image.pin},
                       {"mispinned", image.mispinned_name}};
  for (const policy::Cut& cut : policy.cuts) {
    document["cut"].push_back({{"source", cut.source},
                               {"parameter", cut.parameter},
                               {"value", cut.value},
                               {"because", cut.because}});
  }
  for (const policy::WaiverUse& waiver : policy.waivers) {
    document["waivers"].push_back({{"source", waiver.source},
                                   {"rule", waiver.rule},
                                   {"reason", waiver.reason},
                                   {"expires", waiver.expires},
                                   {"void", waiver.void_because}});
  }
  return document.dump(2) + "\n";
}

}  // namespace

Result<Output> ShowPolicy(const ShowRequest& request, const Style& style) {
  engine::Identity identity;
  if (!request.container.empty()) {
    if (!request.image.is_empty()) return Error{"use either --container or --image and --digest"};
    auto record = FindContainer(request.container, std::nullopt);
    if (!record) return record.error();
    identity = std::move(record->identity);
  } else {
    auto named = IdentityOf(request.image);
    if (!named) return named.error();
    identity = *std::move(named);
  }
  if (request.builds) identity.engine = engine::Engine::kBuildkit;
  const auto policy = enforce::LoadPolicy(request.config_directory, identity, /*origins=*/true);
  if (!policy) return policy.error();
  return Output{request.json ? AsJson(*policy) : AsText(*policy, style)};
}

}  // namespace runclad::ctl
