#include "record_life.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <utility>
#include <vector>

#include "runclad/json/scanner.hpp"

namespace runclad::store {
namespace {

enum MemberIndex : std::size_t { kId, kPid, kStartTime };
constexpr std::string_view kMemberNames[] = {"id", "pid", "startTime"};
// The text of each, "" where it is missing.
using Members = std::array<std::string_view, std::size(kMemberNames)>;

Result<Members> MembersOf(std::string_view record) {
  Members members;
  json::Scanner scanner(record);
  scanner.Object(kMemberNames, [&](std::size_t member) { members.at(member) = scanner.Skip(); });
  if (auto finished = scanner.Finish(); !finished) return finished.error();
  return members;
}

Status Read(std::string_view text, std::string_view name, std::uint64_t& number) {
  if (text.empty()) return Error{"has no " + std::string(name)};
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault == std::errc() && end == text.data() + text.size()) return {};
  return Error{"has another type of " + std::string(name)};
}

}  // namespace

Result<Life> LifeFrom(std::string_view record) {
  const auto members = MembersOf(record);
  if (!members) return members.error();
  const auto& [id, pid, start_time] = *members;
  Life life;
  if (id.empty()) return Error{"has no id"};
  json::Scanner scanner(id);
  life.id = scanner.String();
  if (!scanner.Finish()) return Error{"has another type of id"};
  std::uint64_t number = 0;
  if (auto read = Read(pid, kMemberNames[kPid], number); !read) return read.error();
  life.pid = static_cast<pid_t>(number);
  auto read = Read(start_time, kMemberNames[kStartTime], life.start_time);
  if (!read) return read.error();
  return life;
}

Result<std::string> Stamped(std::string_view record, pid_t pid, std::uint64_t start_time) {
  const auto members = MembersOf(record);
  if (!members) return members.error();
  std::vector<std::pair<std::string_view, std::string>> changes = {
      {(*members)[kPid], std::to_string(pid)},
      {(*members)[kStartTime], std::to_string(start_time)}};
  std::ranges::sort(changes, std::less(), [](const auto& change) { return change.first.data(); });
  std::string stamped;
  const char* at = record.data();
  for (const auto& [before, after] : changes) {
    if (before.empty()) return Error{"has no place for a pid and a start time"};
    stamped.append(at, before.data()).append(after);
    at = before.data() + before.size();
  }
  return stamped.append(at, record.data() + record.size());
}

}  // namespace runclad::store
