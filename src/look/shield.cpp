#include "runclad/look/shield.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "runclad/base/spelling.hpp"
#include "runclad/base/time.hpp"
#include "runclad/json/reader.hpp"
#include "runclad/privilege/seccomp.hpp"
#include "runclad/privilege/socket_families.hpp"
#include "runclad/privilege/syscalls.hpp"

#include "task_state.hpp"

namespace runclad::look {
namespace {

using json::Document;

constexpr std::string_view kMembers[] = {"id", "reason", "until", "deny"};
constexpr std::string_view kDenied[] = {"families", "syscalls"};

Status CheckMembers(const Document& object, std::span<const std::string_view> known,
                    const std::string& where) {
  for (const auto& [name, value] : object.items()) {
    if (std::ranges::find(known, name) == known.end()) {
      return Error{"unknown member " + Quoted(name) + where + "; it has " + Alternatives(known)};
    }
  }
  return {};
}

Result<std::string> Text(const Document& object, const char* name) {
  if (!object.contains(name)) return std::string();
  if (!object[name].is_string()) return Error{std::string("\"") + name + "\" is not a text"};
  return object[name].get<std::string>();
}

Result<std::vector<std::string>> Texts(const Document& object, const char* name) {
  std::vector<std::string> texts;
  if (!object.contains(name)) return texts;
  const Document& list = object[name];
  const auto is_text = [](const Document& entry) { return entry.is_string(); };
  if (!list.is_array() || !std::all_of(list.begin(), list.end(), is_text)) {
    return Error{std::string("\"") + name + "\" is not a list of texts"};
  }
  return list.get<std::vector<std::string>>();
}

// It becomes the name of a file.
bool IsId(std::string_view id) {
  constexpr std::size_t kLongest = 64;
  return !id.empty() && id.size() <= kLongest && id.front() != '-' &&
         std::ranges::all_of(id, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

}  // namespace

Result<Shield> ParseShield(std::string_view text) {
  const auto document = json::Read(text, {.comments = true});
  if (!document) return document.error();
  if (!document->is_object()) return Error{"a shield is an object with id, reason and deny"};
  if (auto checked = CheckMembers(*document, kMembers, ""); !checked) return checked.error();
  Shield shield;
  for (auto [name, member] : {std::pair("id", &shield.id), std::pair("reason", &shield.reason),
                              std::pair("until", &shield.until)}) {
    auto value = Text(*document, name);
    if (!value) return value.error();
    *member = *std::move(value);
  }
  if (!IsId(shield.id)) {
    return Error{"the id " + Quoted(shield.id) + " is not made of a-z, 0-9 and hyphens"};
  }
  if (shield.reason.empty()) return Error{"the shield has no reason"};
  if (!shield.until.empty() && !ParseDay(shield.until)) {
    return Error{"until " + Quoted(shield.until) + " is not a day such as 2027-03-31"};
  }
  if (!document->contains("deny") || !(*document)["deny"].is_object()) {
    return Error{"the shield denies nothing: \"deny\" has families and syscalls"};
  }
  const Document& deny = (*document)["deny"];
  if (auto checked = CheckMembers(deny, kDenied, " of deny"); !checked) return checked.error();
  const auto families = Texts(deny, "families");
  if (!families) return families.error();
  for (const std::string& family : *families) {
    auto canonical = privilege::CanonicalFamily(family);
    if (!canonical) return Error{Quoted(family) + " is not a socket address family"};
    shield.families.push_back(*std::move(canonical));
  }
  auto syscalls = Texts(deny, "syscalls");
  if (!syscalls) return syscalls.error();
  for (const std::string& name : *syscalls) {
    if (!privilege::IsSyscallName(name)) {
      return Error{"no system call is called " + Quoted(name)};
    }
    if (privilege::IsEssential(name)) {
      return Error{"without the system call " + name + " no program runs"};
    }
  }
  shield.syscalls = *std::move(syscalls);
  if (shield.families.empty() && shield.syscalls.empty()) {
    return Error{"the shield denies nothing: \"deny\" has families and syscalls"};
  }
  return shield;
}

std::string PolicyOf(const Shield& shield) {
  std::vector<std::string> denied = shield.families;
  denied.insert(denied.end(), shield.syscalls.begin(), shield.syscalls.end());
  return Document{{"rules", {{"seccomp", {{"deny", std::move(denied)}}}}}}.dump(2) + "\n";
}

ShieldState StateOf(const Shield& shield, const Container& container, Attach attach) {
  ShieldState state{Exposure::kClosed, {}};
  const std::vector<TaskState> tasks = TaskStatesOf(container, attach);
  if (tasks.empty()) return {Exposure::kUnknown, "the container has ended"};
  const auto count = [&](const Answer& answer, const std::string& what) {
    if (answer.verdict == Verdict::kYes) {
      state = {Exposure::kExposed, what};
    } else if (answer.verdict == Verdict::kUnknown && state.exposure == Exposure::kClosed) {
      state = {Exposure::kUnknown, answer.because};
    }
    return state.exposure != Exposure::kExposed;
  };
  for (const TaskState& task : tasks) {
    for (const std::string& family : shield.families) {
      const auto number = privilege::FamilyNumber(family);
      if (!number) continue;
      if (!count(AskSocketFilters(task, *number, std::nullopt), "socket " + family)) return state;
    }
    for (const std::string& name : shield.syscalls) {
      if (!count(AskFiltersByName(task, name, {}), "syscall " + name)) return state;
    }
  }
  return state;
}

}  // namespace runclad::look
