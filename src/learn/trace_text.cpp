#include "trace_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "runclad/base/printable.hpp"

namespace runclad::learn {
namespace {

constexpr int kMaxCapability = 63;

template <typename T>
std::optional<T> Number(std::string_view text) {
  T number{};
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  return fault == std::errc() && end == text.data() + text.size() ? std::optional(number)
                                                                  : std::nullopt;
}

// The word after `name` in "cap 0, ret 0" or "filename=/bin/sh pid=12 old_pid=12".
std::string_view After(std::string_view text, std::string_view name) {
  for (std::size_t at = text.find(name); at != std::string_view::npos;
       at = text.find(name, at + 1)) {
    if (at > 0 && text[at - 1] != ' ') continue;
    const std::size_t begin = at + name.size();
    return text.substr(begin, text.find_first_of(", \t", begin) - begin);
  }
  return {};
}

// "  nginx-123   [001] d..1. 12.345678: cap_capable: cred …": a name may have blanks and dashes.
struct Header {
  int pid = 0;
  std::string_view name;
  std::string_view event;  // "cap_capable", "<stack trace>"
  std::string_view rest;
};
std::optional<Header> HeaderIn(std::string_view line) {
  const std::size_t processor = line.find(" [");
  if (processor == std::string_view::npos) return std::nullopt;
  std::string_view who = line.substr(0, processor);
  while (who.ends_with(' ')) who.remove_suffix(1);
  const std::size_t dash = who.rfind('-');
  if (dash == std::string_view::npos) return std::nullopt;
  Header header;
  const auto pid = Number<int>(who.substr(dash + 1));
  if (!pid || *pid < 0) return std::nullopt;
  header.pid = *pid;
  header.name = who.substr(0, dash);
  while (header.name.starts_with(' ')) header.name.remove_prefix(1);
  const std::size_t time = line.find(": ", processor);
  if (time == std::string_view::npos) return std::nullopt;
  std::string_view event = line.substr(time + 2);
  if (event.starts_with('<')) {
    header.event = event;
    return header;
  }
  const std::size_t colon = event.find(": ");
  if (colon == std::string_view::npos) return std::nullopt;
  header.event = event.substr(0, colon);
  header.rest = event.substr(colon + 2);
  return header;
}

// "chown(2)" for the frame __x64_sys_chown; empty: the frame is not a system call's.
std::string CallOf(std::string_view frame) {
  constexpr std::array<std::string_view, 6> kPrefixes = {"__x64_sys_",          "__ia32_sys_",
                                                         "__ia32_compat_sys_",  "__arm64_sys_",
                                                         "__arm64_compat_sys_", "__do_sys_"};
  for (const std::string_view prefix : kPrefixes) {
    if (!frame.starts_with(prefix)) continue;
    frame.remove_prefix(prefix.size());
    return Printable(frame.substr(0, frame.find_first_of(" +/"))) + "(2)";
  }
  return {};
}

// Which processes are the container's. The lower runtime and its children come first, and become
// the container's with the execve of its first program.
class Processes {
 public:
  // Whether the program is the container's.
  bool Exec(int pid, std::string_view file) {
    if (!has_begun_) {
      // The lower runtime, by its path, and then its copy of itself or a hook of the engine, by a
      // descriptor.
      if (runtime_.empty()) runtime_ = file;
      if (file == runtime_ || file.starts_with("/proc/") || file.starts_with("/dev/fd/")) {
        of_runtime_.insert(pid);
        return false;
      }
      has_begun_ = true;
      of_runtime_.erase(pid);
    }
    return !of_runtime_.contains(pid);
  }
  // Whether the child is the container's.
  bool Fork(int parent, int child) {
    if (!has_begun_ || of_runtime_.contains(parent)) {
      of_runtime_.insert(child);
      return false;
    }
    of_runtime_.erase(child);  // the number was another process's
    return true;
  }
  [[nodiscard]] bool has_begun() const { return has_begun_; }
  [[nodiscard]] bool Has(int pid) const { return has_begun_ && !of_runtime_.contains(pid); }

 private:
  bool has_begun_ = false;
  std::string runtime_;
  std::set<int> of_runtime_;
};

std::string_view ProgramIn(const Header& header) { return After(header.rest, "filename="); }
std::optional<int> ChildIn(const Header& header) {
  return Number<int>(After(header.rest, "child_pid="));
}
bool IsLoss(std::string_view line) {
  return line.find("LOST") != std::string_view::npos && line.starts_with("CPU:");
}

// A capability event with its stack.
struct Asked {
  int pid = 0;
  int capability = 0;
  std::string_view credentials;
  std::string name;  // of the process
  std::string call;
  bool is_for_memory = false;
};

class Reader {
 public:
  explicit Reader(std::uint64_t bounding) : bounding_(bounding) {}

  void Line(std::string_view line) {
    if (line.starts_with(" => ") || line.starts_with("=> ")) {
      Frame(line.substr(line.find("=> ") + 3));
      return;
    }
    if (line.empty()) return;
    if (IsLoss(line)) {
      uses_.has_losses = true;
      return;
    }
    const auto header = HeaderIn(line);
    if (!header) {
      uses_.has_losses = true;
      return;
    }
    if (header->event == "<stack trace>") {
      is_stack_of_asked_ = is_last_asked_ && !asked_.empty() && asked_.back().pid == header->pid;
      return;
    }
    is_stack_of_asked_ = false;
    is_last_asked_ = false;
    if (header->event == "cap_capable") Capability(*header);
    if (header->event == "sched_process_exec") Exec(*header);
    if (header->event == "sched_process_fork") Fork(*header);
  }

  Uses Finish() {
    uses_.has_begun = processes_.has_begun();
    // Whoever mounted the root filesystem has all of them.
    std::set<std::string_view> mounters;
    for (const Asked& asked : asked_) {
      const bool has_it = (bounding_ >> static_cast<unsigned>(asked.capability) & 1U) != 0;
      if (!has_it && !asked.is_for_memory) mounters.insert(asked.credentials);
    }
    std::set<int> known;
    for (const Asked& asked : asked_) {
      const bool has_it = (bounding_ >> static_cast<unsigned>(asked.capability) & 1U) != 0;
      if (!has_it || asked.is_for_memory || mounters.contains(asked.credentials)) continue;
      if (!known.insert(asked.capability).second) continue;
      uses_.uses.push_back({asked.capability, asked.call, asked.name});
    }
    return std::move(uses_);
  }

 private:
  void Frame(std::string_view frame) {
    if (!is_stack_of_asked_) return;
    Asked& asked = asked_.back();
    if (frame.find("vm_enough_memory") != std::string_view::npos) asked.is_for_memory = true;
    if (asked.call.empty()) asked.call = CallOf(frame);
  }

  void Capability(const Header& header) {
    if (!processes_.Has(header.pid)) return;
    const auto capability = Number<int>(After(header.rest, "cap "));
    const auto result = Number<int>(After(header.rest, "ret "));
    const std::string_view credentials = After(header.rest, "cred ");
    const bool is_odd = !capability || !result || credentials.empty() || *capability < 0 ||
                        *capability > kMaxCapability;
    if (is_odd) {
      uses_.has_losses = true;
      return;
    }
    if (*result != 0) return;
    Asked asked;
    asked.pid = header.pid;
    asked.capability = *capability;
    asked.credentials = credentials;
    const auto program = programs_.find(header.pid);
    asked.name = program != programs_.end() ? program->second : Printable(header.name);
    asked_.push_back(std::move(asked));
    is_last_asked_ = true;
  }

  void Exec(const Header& header) {
    const std::string_view file = ProgramIn(header);
    if (file.empty()) {
      uses_.has_losses = true;
      return;
    }
    if (!processes_.Exec(header.pid, file)) return;
    std::string& program = programs_[header.pid];
    // busybox runs its applets by executing itself: the name before says more.
    if (program.empty() || file != "/proc/self/exe") program = Printable(file);
  }

  void Fork(const Header& header) {
    const auto child = ChildIn(header);
    if (!child || !processes_.Fork(header.pid, *child)) return;
    const auto program = programs_.find(header.pid);
    if (program != programs_.end()) programs_[*child] = program->second;
  }

  std::uint64_t bounding_;
  Uses uses_;
  std::vector<Asked> asked_;
  Processes processes_;
  std::map<int, std::string> programs_;
  bool is_last_asked_ = false;
  bool is_stack_of_asked_ = false;
};

}  // namespace

Uses UsesIn(std::string_view text, std::uint64_t bounding) {
  Reader reader(bounding);
  // The last line may not be whole.
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    if (end == std::string_view::npos) break;
    reader.Line(text.substr(at, end - at));
    at = end + 1;
  }
  return reader.Finish();
}

struct CallReader::State {
  Processes processes;
  Calls calls;
};

CallReader::CallReader() : state_(std::make_unique<State>()) {}
CallReader::~CallReader() = default;

const Calls& CallReader::calls() const { return state_->calls; }

bool CallReader::Line(std::string_view line) {
  Calls& calls = state_->calls;
  Processes& processes = state_->processes;
  if (line.empty()) return false;
  const auto header = HeaderIn(line);
  if (!header) {
    calls.has_losses = true;  // IsLoss, or something else that is not understood
    return false;
  }
  if (header->event == "sched_process_exec") {
    const std::string_view file = ProgramIn(*header);
    if (file.empty()) calls.has_losses = true;
    if (!file.empty()) processes.Exec(header->pid, file);
    calls.has_begun = processes.has_begun();
  } else if (header->event == "sched_process_fork") {
    if (const auto child = ChildIn(*header)) processes.Fork(header->pid, *child);
  } else if (header->event == "sys_enter" && processes.Has(header->pid)) {
    constexpr std::string_view kNumber = "NR ";
    const std::string_view rest = header->rest;
    if (!rest.starts_with(kNumber)) return false;
    const std::size_t end = rest.find(' ', kNumber.size());
    const auto number = Number<int>(rest.substr(kNumber.size(), end - kNumber.size()));
    if (number && *number >= 0) return calls.numbers.insert(*number).second;
  }
  return false;
}

int MarkerPidIn(std::string_view line, std::string_view text) {
  const auto header = HeaderIn(line);
  if (!header || header->event != "tracing_mark_write") return 0;
  std::string_view rest = header->rest;
  while (rest.ends_with('\n')) rest.remove_suffix(1);
  return rest == text ? header->pid : 0;
}

}  // namespace runclad::learn
