#include "record_json.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "runclad/json/reader.hpp"
#include "runclad/json/scanner.hpp"
#include "runclad/json/writer.hpp"
#include "runclad/store/format.hpp"
#include "runclad/store/identity_json.hpp"

#include "image_policy_json.hpp"
#include "log_settings_json.hpp"
#include "promise_json.hpp"
#include "setting_json.hpp"

namespace runclad::enforce {
namespace {

using json::Document;

// The members that are read, and the place of each in Members.
enum MemberIndex : std::size_t {
  kId,
  kBundle,
  kProfile,
  kMode,
  kPolicy,
  kPid,
  kStartTime,
  kLog,
  kPromise,
  kRules,
  kImage,
  kFindings,
  kVersion,
  kBreakGlass
};
constexpr std::string_view kMemberNames[] = {"id",
                                             "bundle",
                                             "profile",
                                             "mode",
                                             "policy",
                                             "pid",
                                             "startTime",
                                             "log",
                                             "promise",
                                             "rules",
                                             "image",
                                             "findings",
                                             store::kFormatMember,
                                             "breakGlass"};
// The text of each, "" where it is missing: the parts that a caller does not need stay text.
using Members = std::array<std::string_view, std::size(kMemberNames)>;

Result<Members> MembersOf(std::string_view text) {
  Members members;
  json::Scanner scanner(text);
  scanner.Object(kMemberNames, [&](std::size_t member) { members[member] = scanner.Skip(); });
  if (auto finished = scanner.Finish(); !finished) return finished.error();
  return members;
}

Error Missing(MemberIndex member) { return {"has no " + std::string(kMemberNames[member])}; }
Error AnotherType(MemberIndex member) {
  return {"has the wrong type for " + std::string(kMemberNames[member])};
}

Result<std::string> Text(const Members& members, MemberIndex member) {
  if (members[member].empty()) return Missing(member);
  json::Scanner scanner(members[member]);
  std::string text(scanner.String());
  if (!scanner.Finish()) return AnotherType(member);
  return text;
}

Result<std::uint64_t> Number(const Members& members, MemberIndex member) {
  const std::string_view text = members[member];
  if (text.empty()) return Missing(member);
  std::uint64_t number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc() || end != text.data() + text.size()) return AnotherType(member);
  return number;
}

Result<Document> Parsed(const Members& members, MemberIndex member) {
  if (members[member].empty()) return Missing(member);
  auto document = json::Read(members[member]);
  if (!document) return document.error().In(kMemberNames[member]);
  if (!document->is_object()) return AnotherType(member);
  return document;
}

Status ReadRules(const Document& rules, policy::Effective& policy) {
  for (const auto& [id, entry] : rules.items()) {
    auto setting = SettingFrom(entry);
    if (!setting) return Error{setting.error().message + " of the rule " + id};
    policy.rules.insert_or_assign(id, *std::move(setting));
  }
  return {};
}

}  // namespace

std::string RecordToJson(const Record& record) {
  return RecordToJson(record, json::Write(record.findings.document()));
}

std::string RecordToJson(const Record& record, std::string_view findings) {
  const policy::Effective& policy = record.process_policy;
  json::ObjectWriter text;
  if (!policy.break_glass.empty()) text.Put("breakGlass", policy.break_glass);
  text.Put("bundle", record.bundle)
      .PutJson("findings", findings)
      .Put("id", record.id)
      .Put("image", store::ToDocument(record.identity))
      .Put("imagePolicy", ImagePolicyDocument(policy))
      .PutObject("log", [&](json::ObjectWriter& log) { Put(policy.log, log); })
      .Put("mode", policy::Name(policy.mode))
      .Put("pid", record.pid)
      .Put("policy", policy.digest)
      .Put("profile", policy.profile)
      .PutObject("promise", [&](json::ObjectWriter& promise) { Put(record.promise, promise); })
      .PutObject("rules",
                 [&](json::ObjectWriter& rules) {
                   for (const auto& entry : policy.rules) {
                     rules.PutObject(entry.first, [&](json::ObjectWriter& setting) {
                       Put(entry.second, setting);
                     });
                   }
                 })
      .Put("startTime", record.start_time)
      .Put(store::kFormatMember, store::kFormatVersion);
  return text.Finish();
}

Result<Record> RecordFromJson(std::string_view text, RecordParts parts) {
  auto members = MembersOf(text);
  if (!members) return members.error();
  const auto id = Text(*members, kId);
  const auto bundle = Text(*members, kBundle);
  const auto profile = Text(*members, kProfile);
  const auto mode = Text(*members, kMode);
  const auto digest = Text(*members, kPolicy);
  const auto pid = Number(*members, kPid);
  const auto start_time = Number(*members, kStartTime);
  for (const auto* text_member : {&id, &bundle, &profile, &mode, &digest}) {
    if (!*text_member) return text_member->error();
  }
  if (!pid) return pid.error();
  if (!start_time) return start_time.error();

  if (!(*members)[kVersion].empty()) {
    const auto version = Number(*members, kVersion);
    if (!version) return version.error();
    if (*version > store::kFormatVersion) return Error{"was written by a later version of runclad"};
  }

  Record record;
  record.id = *id;
  record.bundle = *bundle;
  record.pid = static_cast<pid_t>(*pid);
  record.start_time = *start_time;
  record.process_policy.profile = *profile;
  record.process_policy.digest = *digest;
  record.process_policy.mode =
      *mode == policy::Name(policy::Mode::kAudit) ? policy::Mode::kAudit : policy::Mode::kEnforce;
  if (!(*members)[kBreakGlass].empty()) {
    const auto reason = Text(*members, kBreakGlass);
    if (!reason) return reason.error();
    record.process_policy.break_glass = *reason;
  }
  const auto log = Parsed(*members, kLog);
  if (!log) return log.error();
  auto settings = LogSettingsFrom(*log);
  if (!settings) return settings.error();
  record.process_policy.log = *std::move(settings);
  record.has_promise = parts != RecordParts::kRunning || record.pid == 0;
  if (record.has_promise) {
    const auto promised = Parsed(*members, kPromise);
    if (!promised) return promised.error();
    auto promise = PromiseFrom(*promised);
    if (!promise) return promise.error();
    record.promise = *std::move(promise);
  }
  if (parts == RecordParts::kLife) return record;

  const auto rules = Parsed(*members, kRules);
  if (!rules) return rules.error();
  if (auto read = ReadRules(*rules, record.process_policy); !read) return read.error();
  if (!(*members)[kImage].empty()) {
    const auto image = Parsed(*members, kImage);
    if (!image) return image.error();
    auto identity = store::IdentityFrom(*image);
    if (!identity) return identity.error();
    record.identity = *std::move(identity);
  }
  if (parts == RecordParts::kAll && !(*members)[kFindings].empty()) {
    auto findings = json::Read((*members)[kFindings], {.keeps_numbers = true});
    if (!findings) return findings.error().In("findings");
    record.findings = json::Value(*std::move(findings));
  }
  return record;
}

}  // namespace runclad::enforce
