#include "runclad/enforce/log.hpp"

#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <utility>
#include <variant>

#include <nlohmann/json.hpp>

#include "runclad/base/time.hpp"
#include "runclad/json/writer.hpp"
#include "runclad/store/identity_json.hpp"

#include "image_policy_json.hpp"
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

// How many values are in `document`, a long string as many; counting stops soon after `enough`.
std::size_t CountValues(const Document& document, std::size_t enough) {
  constexpr std::size_t kBytesPerValue = 256;
  if (document.is_string()) {
    return 1 + document.get_ref<const std::string&>().size() / kBytesPerValue;
  }
  std::size_t count = 1;
  for (const Document& inner : document) {
    if (!document.is_structured() || count > enough) break;
    count += CountValues(inner, enough - count);
  }
  return count;
}

// A value for the log. A seccomp filter with 370 names, twice in every line, would add nothing to
// what config.json shows.
Document Brief(const Document& document) {
  constexpr std::size_t kMaxValues = 100;
  if (CountValues(document, kMaxValues) <= kMaxValues) return document;
  return {{"omitted", "more than 100 values"}};
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
    case Kind::kUnsaid:
      break;
    case Kind::kNone:
      document["none"] = remedy.because;
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
      break;
  }
  return document;
}

json::Value ToJson(const std::vector<Applied>& findings) {
  // A document of 8 MiB has room for 50,000 mounts with a finding each.
  constexpr std::size_t kMaxAlike = 200;
  constexpr std::size_t kDispositions = 3;
  Document array = Document::array();
  const rules::Rule* rule = nullptr;
  std::array<std::size_t, kDispositions> listed{};  // of this rule, by disposition
  for (const Applied& applied : findings) {
    if (applied.rule != rule) listed = {};
    rule = applied.rule;
    const std::size_t nth = ++listed[static_cast<std::size_t>(applied.disposition)];
    if (nth > kMaxAlike) continue;
    const rules::Finding& finding = applied.finding;
    Document& entry = array.emplace_back(Document::object());
    entry["rule"] = applied.rule->id();
    entry["path"] = finding.path;
    entry["action"] = Name(applied.disposition);
    entry["why"] = finding.why;
    if (nth == kMaxAlike) {
      const auto alike = std::ranges::count_if(findings, [&](const Applied& other) {
        return other.rule == rule && other.disposition == applied.disposition;
      });
      const auto left = static_cast<std::size_t>(alike) - kMaxAlike;
      if (left > 0) entry["why"] = finding.why + "; " + std::to_string(left) + " more not listed";
    }
    if (!finding.before.is_null()) entry["before"] = Brief(finding.before.document());
    if (!finding.after.is_null()) entry["after"] = Brief(finding.after.document());
    entry["code"] = CodeOf(applied);
    Document remedy = ToDocument(finding.remedy, applied.rule->id());
    if (!remedy.is_null()) entry["remedy"] = std::move(remedy);
  }
  return json::Value(std::move(array));
}

std::string FindingsText(const std::vector<Applied>& findings) {
  return json::Write(ToJson(findings).document());
}

std::string LogLine(const LogEntry& entry) {
  json::ObjectWriter line;
  line.Put("bundle", entry.bundle)
      .Put("container", entry.container)
      .Put("engine", engine::Name(entry.identity.engine));
  if (entry.decision == nullptr) line.Put("error", entry.error);
  if (entry.decision != nullptr) line.PutJson("findings", entry.findings);
  line.Put("host", HostName());
  Document image = store::ToDocument(entry.identity);
  image.erase("containerName");
  line.Put("image", image);
  if (entry.policy != nullptr) {
    const Document image_policy = ImagePolicyDocument(*entry.policy);
    if (!image_policy.is_null()) line.Put("imagePolicy", image_policy);
  }
  line.Put("microseconds", Document(entry.microseconds));
  if (entry.policy != nullptr) line.Put("mode", policy::Name(entry.policy->mode));
  if (!entry.identity.container_name.empty()) line.Put("name", entry.identity.container_name);
  line.Put("outcome", entry.decision != nullptr ? Name(entry.decision->outcome) : "error");
  if (entry.policy != nullptr) {
    line.Put("policy", entry.policy->digest).Put("profile", entry.policy->profile);
  }
  line.Put("time", Now()).Put("verb", entry.verb);
  return line.Finish();
}

Status WriteLog(const policy::LogSettings& settings, const std::string& line) {
  Status written = WriteToTarget(settings.target, line);
  if (written) return written;
  if (settings.required) {
    return Error{written.error().message + "; the policy requires logging (log.required)"};
  }
  WarnSyslog(written.error().message + "; the decision was: " + line);
  return {};
}

}  // namespace runclad::enforce
