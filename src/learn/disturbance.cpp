#include "disturbance.hpp"

#include <signal.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

#include "runclad/json/reader.hpp"

namespace runclad::learn {
namespace {

using json::Document;

bool IsExec(const Event& event) {
  return event.action.starts_with("exec_create") || event.action.starts_with("exec_start");
}

// A service is asked to reload, or to say something, by these.
bool AsksService(int signal) {
  constexpr std::array kSignals = {SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH};
  return std::find(kSignals.begin(), kSignals.end(), signal) != kSignals.end();
}

// Whether the act explains an event that came meanwhile.
bool IsOwn(const Event& event, const Act& act, std::chrono::nanoseconds limit) {
  const bool is_kill = event.action == "kill";
  switch (act.kind) {
    case ActKind::kCopy:
      return event.action == "extract-to-dir";
    case ActKind::kStart:
      return event.action == "start";
    case ActKind::kProbe:
      return IsExec(event) || event.action == "extract-to-dir" ||
             (is_kill && AsksService(event.signal));
    case ActKind::kHealth:
      return event.action == "exec_create: " + act.command ||
             event.action == "exec_start: " + act.command;
    case ActKind::kTerm:
      return is_kill && event.signal == SIGTERM;
    case ActKind::kStop:
      if (event.action == "stop") return true;
      return is_kill && (event.signal != SIGKILL || event.time - act.begin >= limit.count());
    case ActKind::kKill:
      return is_kill && event.signal == SIGKILL;
  }
  return false;
}

// Whether the act explains no second event of this kind.
bool IsOnce(const Event& event, const Act& act) {
  if (act.kind == ActKind::kHealth) return true;
  return event.action == "kill" && act.kind != ActKind::kProbe &&
         (event.signal != SIGKILL || act.kind == ActKind::kKill);
}

// What an event means for a container; empty: nothing that could change how it does.
std::string MeaningOf(const Event& event) {
  if (event.action == "kill") return "was sent signal " + std::to_string(event.signal);
  if (IsExec(event)) return "was entered by docker exec";
  constexpr std::array<std::pair<std::string_view, const char*>, 9> kMeanings = {{
      {"start", "was started"},
      {"restart", "was restarted"},
      {"stop", "was stopped"},
      {"pause", "was paused"},
      {"unpause", "was continued after a pause"},
      {"update", "was given other limits"},
      {"destroy", "was removed"},
      {"extract-to-dir", "had files copied into it"},
      {"commit", "was committed, which pauses it"},
  }};
  for (const auto& [action, meaning] : kMeanings) {
    if (event.action == action) return meaning;
  }
  return {};
}

std::string Text(const Document& object, const char* member) {
  const auto found = object.find(member);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

Event ReadEvent(std::string_view line) {
  const auto read = json::Read(line, {.keeps_numbers = true});
  if (!read || !read->is_object()) return {};
  const auto time = read->find("timeNano");
  const auto actor = read->find("Actor");
  if (time == read->end() || !time->is_number_integer()) return {};
  if (actor == read->end() || !actor->is_object()) return {};
  Event event{time->get<std::int64_t>(), Text(*read, "Action")};
  if (Text(*read, "Type") == "container") event.container = Text(*actor, "ID");
  const auto attributes = actor->find("Attributes");
  if (attributes == actor->end() || !attributes->is_object()) return event;
  const std::string signal = Text(*attributes, "signal");
  std::from_chars(signal.data(), signal.data() + signal.size(), event.signal);
  return event;
}

}  // namespace

std::vector<Event> ReadEvents(std::string_view text) {
  std::vector<Event> events;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    at = end + 1;
    if (!line.empty()) events.push_back(ReadEvent(line));
  }
  return events;
}

std::string CommandOf(const std::vector<std::string>& words) {
  std::string text = words.empty() ? std::string(" ") : words.front() + ' ';
  for (std::size_t index = 1; index < words.size(); ++index) {
    text += (index > 1 ? " " : "") + words[index];
  }
  return text;
}

std::int64_t NanosecondsNow() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  constexpr std::int64_t kPerSecond = 1'000'000'000;
  return now.tv_sec * kPerSecond + now.tv_nsec;
}

std::string DisturbanceIn(const std::vector<Event>& events, const std::vector<Act>& acts,
                          std::chrono::seconds limit) {
  std::set<std::pair<const Act*, std::string>> done;
  for (const Event& event : events) {
    const std::string meaning = MeaningOf(event);
    if (meaning.empty()) continue;
    // One signal is ours, and a second one that comes meanwhile is not.
    const auto own = std::find_if(acts.begin(), acts.end(), [&](const Act& act) {
      return event.time >= act.begin && event.time <= act.end && IsOwn(event, act, limit) &&
             (!IsOnce(event, act) || done.emplace(&act, event.action).second);
    });
    if (own == acts.end()) return meaning;
  }
  return {};
}

bool HasOutOfMemory(const std::vector<Event>& events) {
  return std::any_of(events.begin(), events.end(),
                     [](const Event& event) { return event.action == "oom"; });
}

void History::Add(const std::vector<Event>& read, const std::string& id) {
  const auto is_known = [&](const Event& event) {
    return newest_ ? event == *newest_ : event.container == id && event.action == "create";
  };
  const auto is_odd = [](const Event& event) { return event.action.empty(); };
  if (std::none_of(read.begin(), read.end(), is_known) ||
      std::any_of(read.begin(), read.end(), is_odd)) {
    is_complete_ = false;
  }
  for (const Event& event : read) {
    if (!newest_ || event.time > newest_->time) newest_ = event;
    const bool is_new = std::find(events_.begin(), events_.end(), event) == events_.end();
    if (event.container == id && is_new) events_.push_back(event);
  }
  // Events that come at once may be in another order than their times.
  constexpr std::int64_t kOverlap = 100'000'000;
  if (newest_) since_ = std::max(since_, newest_->time - kOverlap);
}

}  // namespace runclad::learn
