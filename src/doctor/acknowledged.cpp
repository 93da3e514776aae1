#include "acknowledged.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include <nlohmann/json.hpp>

#include "runclad/base/spelling.hpp"
#include "runclad/base/time.hpp"
#include "runclad/json/reader.hpp"
#include "runclad/sys/directory.hpp"
#include "runclad/sys/file.hpp"

namespace runclad::doctor {
namespace {

using json::Document;

constexpr const char* kAcknowledgedFile = "doctor.json";
constexpr std::size_t kMaxBytes = std::size_t{1} << 20;

Status ReadMember(const std::string& name, const Document& value, Acknowledgement& entry) {
  constexpr std::string_view kNames[] = {"check", "subject", "reason", "until"};
  std::string Acknowledgement::*const members[] = {
      &Acknowledgement::check, &Acknowledgement::subject, &Acknowledgement::reason,
      &Acknowledgement::until};
  const auto found = std::ranges::find(kNames, name);
  if (found == std::end(kNames)) {
    return Error{"unknown member " + Quoted(name) + "; it has " + Alternatives(kNames)};
  }
  if (!value.is_string()) return Error{Quoted(name) + " is not a text"};
  entry.*members[found - std::begin(kNames)] = value.get<std::string>();
  return {};
}

Result<Acknowledgement> ReadEntry(const Document& value) {
  if (!value.is_object()) return Error{"an acknowledgement is an object"};
  Acknowledgement entry;
  for (const auto& [name, member] : value.items()) {
    if (auto read = ReadMember(name, member, entry); !read) return read.error();
  }
  std::vector<std::string_view> ids;
  for (const Check& check : Checks()) ids.push_back(check.id);
  if (std::ranges::find(ids, entry.check) == ids.end()) {
    return Error{"there is no check " + Quoted(entry.check) + Suggestion(entry.check, ids) +
                 "; runcladctl doctor --list lists them"};
  }
  if (entry.reason.empty()) {
    return Error{"the acknowledgement of " + entry.check + " has no reason"};
  }
  if (!ParseDay(entry.until)) {
    return Error{"the acknowledgement of " + entry.check + " has no day such as 2027-03-31 as " +
                 "\"until\""};
  }
  return entry;
}

std::string Title(const Acknowledgement& entry) {
  return entry.check + (entry.subject.empty() ? "" : " of " + entry.subject) + " (" + entry.reason +
         ")";
}

}  // namespace

Result<std::vector<Acknowledgement>> ParseAcknowledgements(std::string_view text) {
  const auto document = json::Read(text, {.comments = true});
  if (!document) return document.error();
  constexpr const char* kMember = "acknowledged";
  if (!document->is_object() || document->size() != 1 || !document->contains(kMember) ||
      !(*document)[kMember].is_array()) {
    return Error{"it is an object whose only member is the list \"acknowledged\""};
  }
  std::vector<Acknowledgement> entries;
  for (const Document& value : (*document)[kMember]) {
    auto entry = ReadEntry(value);
    if (!entry) return entry.error();
    entries.push_back(*std::move(entry));
  }
  return entries;
}

Result<std::vector<Acknowledgement>> ReadAcknowledgements(const std::string& directory) {
  const std::string path = directory + "/" + kAcknowledgedFile;
  const auto opened = sys::OpenDirectory(directory);
  // Without a policy's directory there is no file in it; policy/readable reports the rest.
  if (!opened) return std::vector<Acknowledgement>();
  const auto file = sys::OpenTrusted(opened->get(), kAcknowledgedFile);
  if (!file) return file.error().In(directory);
  if (!*file) return std::vector<Acknowledgement>();
  const auto text = sys::ReadRegularFile((*file)->get(), kMaxBytes);
  if (!text) return text.error().In(path);
  auto entries = ParseAcknowledgements(*text);
  if (!entries) return entries.error().In(path);
  return entries;
}

std::vector<AcknowledgementFault> Acknowledge(const std::vector<Acknowledgement>& acknowledgements,
                                              std::int64_t today, bool is_every_check,
                                              std::vector<CheckResult>& results) {
  std::vector<AcknowledgementFault> faults;
  for (const Acknowledgement& entry : acknowledgements) {
    const bool has_ended = *ParseDay(entry.until) < today;
    bool fits = false;
    for (CheckResult& result : results) {
      if (result.check->id != entry.check) continue;
      for (Finding& finding : result.findings) {
        if (!entry.subject.empty() && finding.subject != entry.subject) continue;
        fits = true;
        if (!has_ended) finding.acknowledged = entry.reason + ", until " + entry.until;
      }
    }
    if (fits && has_ended) {
      faults.push_back({Title(entry), "the acknowledgement ended on " + entry.until});
    } else if (!fits && is_every_check) {
      faults.push_back({Title(entry), "nothing is left to acknowledge"});
    }
  }
  return faults;
}

}  // namespace runclad::doctor
