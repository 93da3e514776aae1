// The line of the decision log. In one file, since its parts share the bounds of a line.
#include "runclad/enforce/log.hpp"

#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <map>
#include <utility>
#include <variant>

#include <nlohmann/json.hpp>

#include "runclad/base/printable.hpp"
#include "runclad/base/time.hpp"
#include "runclad/json/reader.hpp"
#include "runclad/json/writer.hpp"
#include "runclad/store/identity_json.hpp"

#include "image_policy_json.hpp"
#include "log_formats.hpp"
#include "log_target.hpp"

namespace runclad::enforce {
namespace {

using json::Document;

std::string Now() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  constexpr long kNanosecondsPerMicrosecond = 1000;
  return FormatTime(now.tv_sec, now.tv_nsec / kNanosecondsPerMicrosecond);
}

std::string HostName() {
  utsname system{};
  return ::uname(&system) == 0 ? std::string(static_cast<const char*>(system.nodename))
                               : std::string();
}

// Apart, so that the usual way stays small.
[[gnu::noinline, gnu::cold]] void PutShortened(std::string_view name, std::string_view value,
                                               json::ObjectWriter& text) {
  text.Put(name, Shortened(value, kMaxTextBytes));
}

inline void PutText(std::string_view name, std::string_view value, json::ObjectWriter& text) {
  if (value.size() > kMaxTextBytes) [[unlikely]]
    return PutShortened(name, value, text);
  text.Put(name, value);
}

constexpr std::size_t kBytesPerValue = 256;
constexpr std::size_t kMaxValues = 100;  // of a setting before or after

std::size_t CountText(const std::string& text, std::size_t enough) {
  return text.size() > kMaxTextBytes ? enough + 1 : text.size() / kBytesPerValue;
}

// How many values are in `document`, a long string as many; counting stops soon after `enough`.
std::size_t CountValues(const Document& document, std::size_t enough) {
  if (document.is_string()) {
    return CountText(document.get_ref<const std::string&>(), enough) + 1;
  }
  if (document.is_structured() && document.size() >= enough) return enough + 1;
  std::size_t count = 1;
  const auto add = [&](const Document& inner) {
    count += CountValues(inner, enough - count);
    return count <= enough;
  };
  if (const auto* const array = document.get_ptr<const Document::array_t*>()) {
    static_cast<void>(std::all_of(array->begin(), array->end(), add));
  } else if (const auto* const object = document.get_ptr<const Document::object_t*>()) {
    static_cast<void>(std::all_of(object->begin(), object->end(), [&](const auto& member) {
      count += CountText(member.first, enough);
      return count <= enough && add(member.second);
    }));
  }
  return count;
}

// A value for the log. A seccomp filter with 370 names, twice in every line, would add nothing to
// what config.json shows.
void PutBrief(std::string_view name, const json::Value& value, json::ObjectWriter& text) {
  if (value.is_null()) return;
  const auto* const plain = value.document().get_ptr<const std::string*>();
  if (plain != nullptr) {
    PutText(name, *plain, text);
  } else if (CountValues(value.document(), kMaxValues) <= kMaxValues) {
    text.Put(name, value.document());
  } else {
    text.PutObject(name,
                   [](json::ObjectWriter& brief) { brief.Put("omitted", "more than 100 values"); });
  }
}

std::size_t BytesOf(const rules::Remedy& remedy) {
  std::size_t bytes = remedy.because.size();
  for (const rules::Remedy::Setting& setting : remedy.settings) {
    if (const auto* const list = std::get_if<std::vector<std::string>>(&setting.value)) {
      for (const std::string& text : *list) bytes += text.size();
    } else if (const auto* const text = std::get_if<std::string>(&setting.value)) {
      bytes += text->size();
    }
  }
  return bytes;
}

// As ToDocument() has it. Nearly every remedy is one setting, of which no document need be made.
void PutRemedy(const rules::Remedy& remedy, std::string_view rule, json::ObjectWriter& text) {
  const bool is_unsaid = remedy.kind == rules::Remedy::Kind::kNone && remedy.because.empty();
  // A part of one would allow something else.
  if (is_unsaid || BytesOf(remedy) > kMaxTextBytes) return;
  if (remedy.kind != rules::Remedy::Kind::kSetting || remedy.settings.size() != 1) {
    text.Put("remedy", ToDocument(remedy, rule));
    return;
  }
  const rules::Remedy::Setting& setting = remedy.settings.front();
  const auto put_parameter = [&](json::ObjectWriter& parameters) {
    std::visit([&](const auto& value) { parameters.Put(setting.parameter, value); }, setting.value);
  };
  const auto put_rule = [&](json::ObjectWriter& rules) {
    rules.PutObject(setting.rule.empty() ? rule : setting.rule, put_parameter);
  };
  text.PutObject("remedy", [&](json::ObjectWriter& inner) { inner.PutObject("rules", put_rule); });
}

// "host-mounts/denied"
std::string CodeOf(const Applied& applied) {
  return std::string(applied.rule->id()).append("/").append(applied.finding.code->id);
}

}  // namespace

Document ToDocument(const rules::Remedy& remedy, std::string_view rule) {
  using Kind = rules::Remedy::Kind;
  Document document;
  switch (remedy.kind) {
    case Kind::kNone:
      if (!remedy.because.empty()) document["none"] = remedy.because;
      break;
    case Kind::kEngine:
      document["engine"] = remedy.because;
      break;
    case Kind::kSetting:
    case Kind::kWaiver:
    case Kind::kTrial:
      Document& rules = document[remedy.kind == Kind::kWaiver  ? "waiver"
                                 : remedy.kind == Kind::kTrial ? "trial"
                                                               : "rules"];
      for (const rules::Remedy::Setting& setting : remedy.settings) {
        Document& parameters = rules[std::string(setting.rule.empty() ? rule : setting.rule)];
        std::visit([&](const auto& value) { parameters[std::string(setting.parameter)] = value; },
                   setting.value);
      }
      if (remedy.scope == rules::Remedy::Scope::kPod) document["pod"] = remedy.because;
      break;
  }
  return document;
}

json::Value ToJson(const std::vector<Applied>& findings) {
  auto document = json::Read(FindingsText(findings), {.keeps_numbers = true});
  return document ? json::Value(*std::move(document)) : json::Value();
}

namespace {

// `left`: how many that are alike are not listed.
void PutFinding(const Applied& applied, std::size_t left, json::ObjectWriter& text) {
  const rules::Finding& finding = applied.finding;
  text.Put("action", Name(applied.disposition));
  PutBrief("after", finding.after, text);
  PutBrief("before", finding.before, text);
  text.Put("code", CodeOf(applied));
  if (left > 0) text.Put("more", static_cast<std::int64_t>(left));
  PutText("path", finding.path, text);
  PutRemedy(finding.remedy, applied.rule->id(), text);
  text.Put("rule", applied.rule->id());
  if (left == 0) {
    PutText("why", finding.why, text);
  } else {
    text.Put("why", Shortened(finding.why, kMaxTextBytes)
                        .append("; ")
                        .append(std::to_string(left))
                        .append(" more not listed"));
  }
}

std::size_t WrittenSize(const Applied& applied) {
  json::ObjectWriter text;
  PutFinding(applied, 0, text);
  return text.Finish().size();
}

}  // namespace

std::string FindingsText(const std::vector<Applied>& findings) {
  // A document of 8 MiB has room for 50,000 mounts with a finding each, or for 2,000 whose sources
  // have 4 KB, of which a control character takes six bytes. A log that such lines filled would
  // soon have lost what else is in it.
  constexpr std::size_t kMaxAlike = 200;
  constexpr std::size_t kMaxBytes = kMaxLineBytes - (std::size_t{64} << 10);
  constexpr std::size_t kDispositions = 3;
  // Nearly every request has a few short ones, which need not be measured one by one.
  constexpr std::size_t kFew = 40;
  if (findings.size() <= kFew) {
    std::string all = json::ObjectWriter::Objects(
        findings,
        [](const Applied& applied, json::ObjectWriter& text) { PutFinding(applied, 0, text); });
    if (all.size() <= kMaxBytes) return all;
  }
  struct Listed {
    const Applied* applied;
    std::size_t left = 0;
  };
  struct Alike {
    std::size_t count = 0;
    std::size_t last = 0;  // in `listed`
  };
  std::vector<Listed> listed;
  listed.reserve(kMaxAlike);
  const rules::Rule* rule = nullptr;
  std::array<Alike, kDispositions> of_rule{};
  std::size_t bytes = 0;
  for (const Applied& applied : findings) {
    if (applied.rule != rule) of_rule = {};
    rule = applied.rule;
    Alike& alike = of_rule.at(static_cast<std::size_t>(applied.disposition));
    const bool is_full = alike.count == kMaxAlike || (alike.count > 0 && bytes >= kMaxBytes);
    const std::size_t size = is_full ? 0 : WrittenSize(applied);
    // One of each kind stays; a line that they make too long is made short as a whole.
    if (is_full || (alike.count > 0 && bytes + size > kMaxBytes)) {
      ++listed[alike.last].left;
      continue;
    }
    ++alike.count;
    alike.last = listed.size();
    listed.push_back({&applied});
    bytes += size;
  }
  return json::ObjectWriter::Objects(listed, [](const Listed& entry, json::ObjectWriter& text) {
    PutFinding(*entry.applied, entry.left, text);
  });
}

namespace {

// The version of the line's fields: a reader of version 1 understands every later line of version
// 1. Lines without one are of runclad 0.1, where audit mode had the outcomes of enforce.
constexpr std::uint64_t kSchemaVersion = 1;

std::string_view OutcomeOf(const LogEntry& entry) {
  if (entry.decision == nullptr && !entry.is_refusal) return "error";
  const Outcome outcome = entry.is_refusal ? Outcome::kRefused : entry.decision->outcome;
  const bool is_audit = entry.policy != nullptr && !entry.policy->is_enforced();
  if (is_audit && outcome == Outcome::kRefused) return "would-refuse";
  if (is_audit && outcome == Outcome::kRewritten) return "would-rewrite";
  return Name(outcome);
}

policy::LogLevel LevelOf(const Decision& decision) {
  if (decision.outcome == Outcome::kRefused) return policy::LogLevel::kWarning;
  return decision.findings.empty() ? policy::LogLevel::kInfo : policy::LogLevel::kNotice;
}

std::string_view LevelOf(const LogEntry& entry) {
  if (entry.is_refusal) return policy::Name(policy::LogLevel::kWarning);
  return entry.decision == nullptr ? "error" : policy::Name(LevelOf(*entry.decision));
}

}  // namespace

namespace {

// Every text of `document`, whose members have names of ours.
void ShortenTexts(Document& document, std::size_t most) {
  if (auto* const text = document.get_ptr<std::string*>(); text != nullptr) {
    if (text->size() > most) *text = Shortened(*text, most);
  } else if (auto* const members = document.get_ptr<Document::object_t*>(); members != nullptr) {
    for (auto& member : *members) ShortenTexts(member.second, most);
  } else if (auto* const elements = document.get_ptr<Document::array_t*>(); elements != nullptr) {
    for (Document& element : *elements) ShortenTexts(element, most);
  }
}

[[gnu::noinline]] std::string Bounded(const std::string& line) {
  auto entry = json::Read(line, {.max_depth = kMaxLineDepth, .keeps_numbers = true});
  if (!entry || !entry->is_object()) return line;
  for (auto& [name, member] : *entry->get_ptr<Document::object_t*>()) {
    if (name != "findings") ShortenTexts(member, kMaxTextBytes);
  }
  std::string text = json::Write(*entry);
  if (text.size() <= kMaxLineBytes) return text;
  return ShortLine(text, "the line would have had " + std::to_string(text.size()) + " bytes");
}

}  // namespace

bool IsLogged(const policy::LogSettings& settings, const Decision& decision) {
  return LevelOf(decision) >= settings.level;
}

std::string LogLine(const LogEntry& entry) {
  json::ObjectWriter line;
  if (entry.policy != nullptr && !entry.policy->break_glass.empty()) {
    line.Put("breakGlass", entry.policy->break_glass);
  }
  line.Put("bundle", entry.bundle)
      .Put("container", entry.container)
      .Put("engine", engine::Name(entry.identity.engine));
  if (entry.decision == nullptr) line.Put("error", entry.error);
  if (entry.policy != nullptr && !entry.policy->fell_back_because.empty()) {
    line.Put("fallback", entry.policy->fell_back_because);
  }
  // Readers find the member in the line of every decision, and a refusal is one.
  if (entry.decision != nullptr) {
    line.PutJson("findings", entry.findings);
  } else if (entry.is_refusal) {
    line.PutJson("findings", "[]");
  }
  line.Put("host", HostName());
  Document image = store::ToDocument(entry.identity);
  image.erase("containerName");
  line.Put("image", image);
  if (entry.policy != nullptr) {
    const Document image_policy = ImagePolicyDocument(*entry.policy);
    if (!image_policy.is_null()) line.Put("imagePolicy", image_policy);
  }
  line.Put("level", LevelOf(entry));
  line.Put("microseconds", entry.microseconds);
  if (entry.policy != nullptr) {
    line.Put("mode", policy::Name(entry.policy->is_enforced() ? policy::Mode::kEnforce
                                                              : policy::Mode::kAudit));
  }
  if (!entry.identity.container_name.empty()) line.Put("name", entry.identity.container_name);
  line.Put("outcome", OutcomeOf(entry));
  if (entry.policy != nullptr) {
    line.Put("policy", entry.policy->digest).Put("profile", entry.policy->profile);
  }
  line.Put("schemaVersion", kSchemaVersion).Put("time", Now()).Put("verb", entry.verb);
  std::string text = line.Finish();
  // Nearly always: no text of it can be longer. Each of the findings' is bounded already.
  if (text.size() <= kMaxLineBytes && text.size() <= kMaxTextBytes + entry.findings.size()) {
    return text;
  }
  return Bounded(text);
}

namespace {

// One for each code and action.
Document Counted(const Document& findings) {
  std::map<std::pair<std::string, std::string>, std::uint64_t> counts;
  for (const Document& finding : findings) {
    counts[{finding.value("code", ""), finding.value("action", "")}] +=
        1 + finding.value("more", std::uint64_t{0});
  }
  Document counted = Document::array();
  for (const auto& [kind, count] : counts) {
    counted.push_back(
        {{"action", kind.second},
         {"code", kind.first},
         {"path", ""},
         {"rule", kind.first.substr(0, kind.first.find('/'))},
         {"why", std::to_string(count) + " findings that a short line does not list"}});
  }
  return counted;
}

}  // namespace

std::string ShortLine(const std::string& line, const std::string& because) {
  auto entry = json::Read(line, {.max_depth = kMaxLineDepth, .keeps_numbers = true});
  if (!entry || !entry->is_object()) return line;
  const auto findings = entry->find("findings");
  if (findings != entry->end() && !entry->contains("shortened")) *findings = Counted(*findings);
  if (const auto image = entry->find("image"); image != entry->end()) {
    *image = {{"engine", image->value("engine", "")}};
  }
  entry->erase("imagePolicy");
  (*entry)["shortened"] = because;
  constexpr std::size_t kMostBytes = 256;  // a few thousand bytes in all, as syslog relays take
  ShortenTexts(*entry, kMostBytes);
  return json::Write(*entry);
}

namespace {

constexpr std::size_t kMostBytesOfDaemons = std::size_t{64} << 10;  // some take no longer datagram

// Writes the line by `put`. If a daemon does not take a datagram of this length, or a disk has no
// room for it, writes a short line instead.
template <typename Put>
Status WriteOrShorten(const std::string& line, Put&& put) {
  Status written = put(line);
  if (written || line.size() <= kMostBytesOfDaemons) return written;
  return put(ShortLine(line, written.error().message));
}

}  // namespace

Status WriteLog(const policy::LogSettings& settings, const std::string& line) {
  constexpr std::int64_t kMegabyte = 1'000'000;
  const Rotation rotation = {.max_bytes = settings.max_megabytes * kMegabyte,
                             .keep = settings.keep};
  const Status written = WriteOrShorten(line, [&](const std::string& text) {
    return WriteToTarget(settings.target, text, rotation);
  });
  if (!written && settings.required) {
    return Error{written.error().message + "; the policy requires logging (log.required)"};
  }
  if (!written) {
    const std::string& because = written.error().message;
    WarnSyslog(because + "; the decision was: " +
               (line.size() > kMostBytesOfDaemons ? ShortLine(line, because) : line));
  }
  if (!settings.forward) return {};
  const Status forwarded = WriteOrShorten(line, [&](const std::string& text) {
    return WriteToTarget(settings.forward->target, InFormat(settings.forward->format, text),
                         rotation);
  });
  if (!forwarded) WarnSyslog("a decision was not forwarded: " + forwarded.error().message);
  return {};
}

}  // namespace runclad::enforce
