#include "log_formats.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <vector>

#include <nlohmann/json.hpp>

#include "runclad/base/sha256.hpp"
#include "runclad/base/time.hpp"
#include "runclad/base/version.hpp"
#include "runclad/engine/reference.hpp"
#include "runclad/json/reader.hpp"
#include "runclad/json/writer.hpp"

namespace runclad::enforce {
namespace {

using json::Document;

std::string Text(const Document& object, const char* member) {
  const auto found = object.find(member);
  const auto* text = found == object.end() ? nullptr : found->get_ptr<const std::string*>();
  return text == nullptr ? std::string() : *text;
}

// The member, or an empty object.
const Document& Object(const Document& object, const char* member) {
  static const Document empty = Document::object();
  const auto found = object.find(member);
  return found != object.end() && found->is_object() ? *found : empty;
}

// How many decisions a line stands for.
std::uint64_t CountOf(const Document& repeats) {
  const auto found = repeats.find("count");
  const auto* count =
      found == repeats.end() ? nullptr : found->get_ptr<const Document::number_unsigned_t*>();
  return count == nullptr ? 1 : *count;
}

// In `unit` parts of a second; a line's times have microseconds or none.
std::int64_t TimeIn(std::int64_t unit, const std::string& time) {
  constexpr std::int64_t kMicroseconds = 1'000'000;
  constexpr std::size_t kFractionAt = sizeof "2026-11-22T05:40:18" - 1;
  std::int64_t fraction = 0;
  if (time.size() > kFractionAt + 1 && time[kFractionAt] == '.') {
    std::from_chars(time.data() + kFractionAt + 1, time.data() + time.size() - 1, fraction);
  }
  const std::int64_t seconds = ParseTime(time).value_or(0);
  return unit < kMicroseconds ? seconds * unit + fraction / (kMicroseconds / unit)
                              : seconds * unit + fraction * (unit / kMicroseconds);
}

// What both formats say of a decision.
struct Event {
  const Document& entry;
  const Document& image;
  std::string outcome;
  std::string container;  // its name, or the beginning of its id
  std::vector<const Document*> findings;
  std::vector<std::string> rules;  // those with a finding, the first that led to the outcome first
  std::string why;                 // of that rule, or of the error
  std::string code;                // "host-mounts/denied"

  [[nodiscard]] std::string rule() const {
    if (outcome == "error" || (rules.empty() && !why.empty())) return outcome;
    return rules.empty() ? "none" : rules.front();
  }
  // "create of container web1 was refused by host-mounts: …"
  [[nodiscard]] std::string Sentence() const;
};

// The action that leads to an outcome.
std::string_view ActionOf(std::string_view outcome) {
  if (outcome == "refused" || outcome == "would-refuse") return "refused";
  if (outcome == "rewritten" || outcome == "would-rewrite") return "fixed";
  return "warned";
}

Event EventOf(const Document& entry) {
  Event event{entry,
              Object(entry, "image"),
              Text(entry, "outcome"),
              Text(entry, "name"),
              {},
              {},
              Text(entry, "error"),
              {}};
  constexpr std::size_t kShownOfId = 12;
  if (event.container.empty()) event.container = Text(entry, "container").substr(0, kShownOfId);
  const auto findings = entry.find("findings");
  if (findings == entry.end() || !findings->is_array()) return event;
  const Document* first = nullptr;
  for (const Document& finding : *findings) {
    if (!finding.is_object()) continue;
    event.findings.push_back(&finding);
    if (first == nullptr && Text(finding, "action") == ActionOf(event.outcome)) first = &finding;
  }
  if (first == nullptr && !event.findings.empty()) first = event.findings.front();
  if (first == nullptr) return event;
  event.why = Text(*first, "why");
  event.code = Text(*first, "code");
  event.rules.push_back(Text(*first, "rule"));
  for (const Document* finding : event.findings) {
    const std::string rule = Text(*finding, "rule");
    if (std::ranges::find(event.rules, rule) == event.rules.end()) event.rules.push_back(rule);
  }
  return event;
}

std::string Event::Sentence() const {
  std::string sentence = Text(entry, "verb") + " of container " + container;
  const bool by_a_rule = !rules.empty() && outcome != "error";
  if (outcome == "error") {
    sentence += " failed";
  } else if (outcome == "would-refuse" || outcome == "would-rewrite") {
    sentence += outcome == "would-refuse" ? " would be refused" : " would be rewritten";
  } else {
    sentence += " was " + outcome;
  }
  if (by_a_rule) sentence += outcome == "unchanged" ? ", with a warning of " : " by ";
  if (by_a_rule) sentence += rules.front();
  return why.empty() ? sentence : sentence + ": " + why;
}

std::string First(const Document& object, const char* member) {
  const auto found = object.find(member);
  if (found == object.end() || !found->is_array() || found->empty()) return {};
  const Document& first = found->front();
  const auto* text = first.get_ptr<const std::string*>();
  return text != nullptr ? *text : Text(first, "name");
}

// The name that the image was asked for by, else the first that it has.
std::string ImageName(const Document& image) {
  std::string name = Text(image, "askedFor");
  return name.empty() ? First(image, "names") : name;
}

constexpr std::int64_t kNanoseconds = 1'000'000'000;
constexpr std::int64_t kMilliseconds = 1'000;

// Falco's own names of priorities.
std::string_view PriorityOf(const Event& event) {
  const std::string level = Text(event.entry, "level");
  if (level == "error") return "Error";
  if (level == "warning") return "Warning";
  return level == "notice" ? "Notice" : "Informational";
}

// Nine digits of a fraction, as Falco writes a time.
std::string FalcoTime(const std::string& time) {
  constexpr std::size_t kSecondsEnd = sizeof "2026-11-22T05:40:18" - 1;
  constexpr int kDigits = 9;
  std::string fraction = std::to_string(TimeIn(kNanoseconds, time) % kNanoseconds);
  fraction.insert(
      0, static_cast<std::size_t>(kDigits) - std::min<std::size_t>(kDigits, fraction.size()), '0');
  return time.substr(0, kSecondsEnd) + "." + fraction + "Z";
}

std::string FalcoLine(const Event& event) {
  const Document& entry = event.entry;
  const std::string time = Text(entry, "time");
  Document fields = {{"container.id", Text(entry, "container")},
                     {"evt.time", TimeIn(kNanoseconds, time)}};
  const auto add = [&](const char* field, const std::string& text) {
    if (!text.empty()) fields[field] = text;
  };
  add("container.name", Text(entry, "name"));
  if (const auto name = engine::ParseReference(ImageName(event.image))) {
    add("container.image.repository", name->repository);
    add("container.image.tag", name->tag);
  }
  add("container.image.digest", First(event.image, "manifests"));
  add("k8s.ns.name", Text(event.image, "podNamespace"));
  add("runclad.bundle", Text(entry, "bundle"));
  add("runclad.code", event.code);
  // Without pointers, which every start of the program would relocate; so are the tables below.
  constexpr char kMembers[][12] = {"engine",  "mode", "outcome",   "policy",
                                   "profile", "verb", "breakGlass"};  // NOLINT(*-avoid-c-arrays)
  for (const char* member : kMembers) {
    add((std::string("runclad.") + member).c_str(), Text(entry, member));
  }
  if (const Document& repeats = Object(entry, "repeats"); !repeats.empty()) {
    fields["runclad.repeats"] = CountOf(repeats);
  }
  std::vector<std::string> tags = {"container", "runclad"};
  tags.insert(tags.end(), event.rules.begin(), event.rules.end());
  std::ranges::sort(tags);
  const std::string falco_time = FalcoTime(time);
  constexpr std::size_t kClockAt = sizeof "2026-11-22T" - 1;
  const std::string output = falco_time.substr(kClockAt, falco_time.size() - kClockAt - 1) + ": " +
                             std::string(PriorityOf(event)) + " " + event.Sentence();
  return json::Write({{"hostname", Text(entry, "host")},
                      {"output", output},
                      {"output_fields", std::move(fields)},
                      {"priority", PriorityOf(event)},
                      {"rule", "runclad " + event.rule()},
                      {"source", "runclad"},
                      {"tags", tags},
                      {"time", falco_time}});
}

// A value of an OCSF enumeration and its caption.
struct Known {
  int id;
  char caption[16];  // NOLINT(*-avoid-c-arrays)
};

struct Verdict {
  Known action;
  Known disposition;
  Known severity;
};

Verdict VerdictOf(const Event& event) {
  constexpr Known kAllowed = {1, "Allowed"};
  constexpr Known kDenied = {2, "Denied"};
  constexpr Known kInformational = {1, "Informational"};
  constexpr Known kLow = {2, "Low"};
  constexpr Known kMedium = {3, "Medium"};
  constexpr Known kHigh = {4, "High"};
  if (event.outcome == "refused") return {kDenied, {2, "Blocked"}, kHigh};
  if (event.outcome == "would-refuse") return {kAllowed, {13, "Uncorrected"}, kMedium};
  if (event.outcome == "rewritten") return {kAllowed, {11, "Corrected"}, kLow};
  if (event.outcome == "would-rewrite") return {kAllowed, {13, "Uncorrected"}, kLow};
  if (event.outcome == "error") {
    // Where nothing is enforced, an error stops nothing.
    const bool is_audit = Text(event.entry, "mode") == "audit";
    return {is_audit ? kAllowed : kDenied, {27, "Error"}, is_audit ? kMedium : kHigh};
  }
  if (!event.findings.empty()) return {kAllowed, {15, "Detected"}, kLow};
  return {kAllowed, {1, "Allowed"}, kInformational};
}

Document FindingInfo(const Event& event, const std::string& uid) {
  Document info = {{"desc", event.Sentence()}, {"uid", uid}};
  info["title"] = "runclad " + event.rule() + ": " + event.outcome;
  if (!event.rules.empty()) {
    info["types"] = event.rules;
    info["analytic"] = {
        {"name", event.rules.front()}, {"type", "Rule"}, {"type_id", 1}, {"uid", event.code}};
  }
  return info;
}

std::string OcsfLine(const Event& event, const std::string& line) {
  const Document& entry = event.entry;
  const Verdict verdict = VerdictOf(event);
  const std::string uid = Sha256(line);
  Document document = {
      {"action", std::string(verdict.action.caption)},
      {"action_id", verdict.action.id},
      {"activity_id", 1},
      {"activity_name", "Create"},
      {"category_name", "Findings"},
      {"category_uid", 2},
      {"class_name", "Detection Finding"},
      {"class_uid", 2004},
      {"device", {{"hostname", Text(entry, "host")}, {"type", "Unknown"}, {"type_id", 0}}},
      {"disposition", std::string(verdict.disposition.caption)},
      {"disposition_id", verdict.disposition.id},
      {"finding_info", FindingInfo(event, uid)},
      {"message", event.Sentence()},
      {"metadata",
       {{"log_level", Text(entry, "level")},
        {"log_name", "runclad"},
        {"log_version", "1"},
        {"product", {{"name", "runclad"}, {"vendor_name", "runclad"}, {"version", Version()}}},
        {"profiles", {"host", "security_control"}},
        {"uid", uid},
        {"version", "1.3.0"}}},
      {"resources", Document::array({{{"data", event.image},
                                      {"name", event.container},
                                      {"type", "Container"},
                                      {"uid", Text(entry, "container")}}})},
      {"severity", std::string(verdict.severity.caption)},
      {"severity_id", verdict.severity.id},
      {"status", "New"},
      {"status_id", 1},
      {"time", TimeIn(kMilliseconds, Text(entry, "time"))},
      {"type_name", "Detection Finding: Create"},
      {"type_uid", 200401}};
  for (const Document* finding : event.findings)
    document["evidences"].push_back({{"data", *finding}});
  if (const Document& repeats = Object(entry, "repeats"); !repeats.empty()) {
    document["count"] = CountOf(repeats);
    document["start_time"] = TimeIn(kMilliseconds, Text(repeats, "first"));
    document["end_time"] = TimeIn(kMilliseconds, Text(repeats, "last"));
  }
  Document& unmapped = document["unmapped"];
  constexpr char kMembers[][16] = {"breakGlass",  "bundle", "engine",       "error",   "fallback",
                                   "imagePolicy", "mode",   "microseconds", "outcome", "policy",
                                   "profile",     "verb"};  // NOLINT(*-avoid-c-arrays)
  for (const char* member : kMembers) {
    const auto found = entry.find(member);
    if (found != entry.end()) unmapped[member] = *found;
  }
  return json::Write(document);
}

}  // namespace

std::string InFormat(policy::LogFormat format, const std::string& line) {
  if (format == policy::LogFormat::kJson) return line;
  const auto entry = json::Read(line, {.max_depth = kMaxLineDepth, .keeps_numbers = true});
  if (!entry || !entry->is_object()) return line;
  const Event event = EventOf(*entry);
  return format == policy::LogFormat::kFalco ? FalcoLine(event) : OcsfLine(event, line);
}

}  // namespace runclad::enforce
