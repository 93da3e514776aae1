// What others do to a container on trial: then neither its life nor its failure proves anything.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace runclad::learn {

// Of `docker events`.
struct Event {
  std::int64_t time = 0;       // nanoseconds since 1970
  std::string action;          // "kill", "exec_create: sh -c true"
  int signal = 0;              // of "kill"
  std::string container = {};  // its id; empty: of something else
  bool operator==(const Event&) const = default;
};
// For `--format`: JSON, because labels, which anybody chooses, are among an event's attributes.
inline constexpr const char* kEventFormat = "{{json .}}";
// One that cannot be read has no action.
std::vector<Event> ReadEvents(std::string_view text);

// A container's events. Docker keeps only the last ones of all containers and images, so they are
// read again and again; each time, the newest one that was known must still be there.
class History {
 public:
  // Of a container that was not created before this time.
  explicit History(std::int64_t created) : since_(created) {}

  // From when on events must be read, of all containers and images.
  [[nodiscard]] std::int64_t since() const { return since_; }
  void Add(const std::vector<Event>& read, const std::string& id);

  [[nodiscard]] const std::vector<Event>& events() const { return events_; }
  // Whether none of the container's events is missing.
  [[nodiscard]] bool is_complete() const { return is_complete_; }

 private:
  std::int64_t since_;
  std::vector<Event> events_;
  std::optional<Event> newest_;  // of any container
  bool is_complete_ = true;
};

enum class ActKind {
  kCopy,  // files into it, before it starts
  kStart,
  kProbe,   // of the user: what a shell command can want: exec, copies, a signal for a reload
  kHealth,  // the image's HEALTHCHECK: its command, once, through docker exec
  kTerm,    // SIGTERM alone
  kStop,    // the image's signal, and SIGKILL once the time is up
  kKill,
};

// Something that the learner did to the container. What happened meanwhile is its doing.
struct Act {
  ActKind kind = ActKind::kStart;
  std::int64_t begin = 0;  // nanoseconds since 1970
  std::int64_t end = 0;
  std::string command = {};  // of kHealth, as Docker's events have it
};

// A command as events of docker exec have it.
std::string CommandOf(const std::vector<std::string>& words);

// The time of the clock that Docker's events have.
std::int64_t NanosecondsNow();

// What somebody else did, as a sentence without a subject: "was paused"; empty: nothing that
// matters. `limit`: what kStop waits before SIGKILL.
std::string DisturbanceIn(const std::vector<Event>& events, const std::vector<Act>& acts,
                          std::chrono::seconds limit);

// Whether the kernel ended a process because memory was short.
bool HasOutOfMemory(const std::vector<Event>& events);

}  // namespace runclad::learn
