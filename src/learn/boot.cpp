#include "boot.hpp"

#include <signal.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <thread>
#include <utility>

#include "runclad/base/printable.hpp"
#include "runclad/sys/command.hpp"

#include "interruption.hpp"

namespace runclad::learn {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kPause(100);
constexpr seconds kProbeLimit(15);
constexpr int kEndedBySignal = 128;  // an exit status above is a signal's

}  // namespace

Error Interrupted() { return {"interrupted: everything that was created has been removed"}; }

Words OptionsOf(const Service& service) {
  // A constant hostname, because some services name their data after it. A low port requires a
  // capability, as in a Kubernetes pod: dockerd would change that, and the file would work only
  // under Docker.
  Words options = {"--no-healthcheck", "--hostname", "runclad-learn"};
  const Words& own = service.request.run_arguments;
  const bool shares_network = std::any_of(own.begin(), own.end(), [](const std::string& word) {
    return word.ends_with("host") || word.find("container:") != std::string::npos;
  });
  if (!shares_network) {
    options.insert(options.end(), {"--sysctl", "net.ipv4.ip_unprivileged_port_start=1024"});
  }
  options.insert(options.end(), own.begin(), own.end());
  return options;
}

seconds ProbeLimit(const Request& request, const Image& image) {
  if (request.probe_limit > seconds(0)) return request.probe_limit;
  const bool is_health = request.probe.empty();
  if (!is_health) return kProbeLimit;
  return std::max(kProbeLimit, std::chrono::ceil<seconds>(image.health_limit));
}

std::string PhaseOf(unsigned boot) {
  constexpr std::array<const char*, 3> kOrdinals = {"first", "second", "third"};
  const std::string ordinal =
      boot <= kOrdinals.size() ? kOrdinals.at(boot - 1) : "boot " + std::to_string(boot);
  return boot <= kOrdinals.size() ? ordinal + " boot" : ordinal;
}

std::string DenialIn(std::string_view log) {
  constexpr std::array<std::string_view, 9> kWords = {"not permitted",
                                                      "denied",
                                                      "read-only file system",
                                                      "refused by",
                                                      "read-only filesystem",
                                                      "eperm",
                                                      "eacces",
                                                      "erofs",
                                                      "not allowed"};
  constexpr std::size_t kMaxBytes = 200;
  std::string found;
  for (std::size_t at = 0; at < log.size();) {
    const std::size_t end = std::min(log.find('\n', at), log.size());
    const std::string_view line = log.substr(at, end - at);
    std::string lower(line);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const bool denies = std::any_of(kWords.begin(), kWords.end(), [&](std::string_view word) {
      return lower.find(word) != std::string::npos;
    });
    if (denies) found = Printable(line.substr(0, kMaxBytes));
    at = end + 1;
  }
  return found;
}

template <typename Do>
auto Boot::During(ActKind kind, Do act) {
  const std::size_t index = acts_.size();
  acts_.push_back({kind, NanosecondsNow(), 0});
  auto result = act();
  acts_[index].end = NanosecondsNow();
  return result;
}

Status Boot::Create(const Words& options, const Words& arguments, const MakeTrial& make_trial) {
  history_.emplace(NanosecondsNow());
  events_read_ = Clock::now();
  auto id = CreateContainer(options, service_.image, arguments);
  if (!id) return id.error();
  container_.emplace(*std::move(id));
  auto trial = make_trial(container_->id());
  if (!trial) return trial.error();
  trial_.emplace(*std::move(trial));
  return {};
}

Status Boot::Copy(const std::string& from, const std::string& to) {
  return During(ActKind::kCopy, [&] { return CopyInto(id(), from, to); });
}

Result<std::optional<std::string>> Boot::Start() {
  return During(ActKind::kStart, [&] { return StartContainer(id()); });
}

Result<ContainerState> Boot::State() {
  auto state = StateOf(id());
  if (state) last_ = *state;
  return state;
}

void Boot::ReadEvents() {
  if (Clock::now() - events_read_ < seconds(1)) return;
  if (const auto read = EventsSince(history_->since())) history_->Add(*read, id());
  events_read_ = Clock::now();
}

bool Boot::Probe(int pid, std::string& says) {
  Words command;
  const Words& health = service_.image.health;
  if (!service_.request.probe.empty()) {
    command = {"/bin/sh", "-c", service_.request.probe};
  } else if (!health.empty()) {
    command = {"docker", "exec", id()};
    command.insert(command.end(), health.begin(), health.end());
  } else {
    return true;  // ports and users decide
  }
  const bool is_health = service_.request.probe.empty();
  const seconds limit = ProbeLimit(service_.request, service_.image);
  const ActKind kind = is_health ? ActKind::kHealth : ActKind::kProbe;
  const auto output = During(kind, [&] {
    if (is_health) acts_.back().command = CommandOf(health);
    return sys::RunCommand(command, {.limit = limit,
                                     .environment = {{"CONTAINER", id()},
                                                     {"PID", std::to_string(pid)},
                                                     {"BOOT", std::to_string(number_)}}});
  });
  if (!output) {
    // The client was killed, and dockerd may still start what it was asked for.
    acts_.back().end += std::chrono::nanoseconds(limit).count();
    says = output.error().message;
    return false;
  }
  if (output->status == 0) return true;
  says = "the probe fails with status " + std::to_string(output->status);
  if (const std::string denial = DenialIn(output->out + output->err); !denial.empty()) {
    says += ": " + denial;
  }
  return false;
}

Result<std::optional<std::string>> Boot::UntilItServes() {
  const auto begin = Clock::now();
  auto refusal = Start();
  if (!refusal) return refusal.error();
  if (*refusal) return std::optional(Symptom(**refusal));
  if (auto applied = trial_->WasApplied(id()); !applied) {
    const auto state = State();
    if (!state) return state.error();
    // The record of a container goes with it.
    if (state->is_running) return applied.error();
  }
  std::string last = "it does not serve";
  while (true) {
    if (Interruption::HasCome()) return Interrupted();
    ReadEvents();
    const auto state = State();
    if (!state) return state.error();
    if (!state->is_running) {
      return std::optional(Symptom("exit " + std::to_string(state->exit_status)));
    }
    if (Probe(state->pid, last)) {
      const auto seen = SeenOf(id());
      if (seen) {
        serving_ = seen->serving;
        if (IsAsExpected(last)) {
          boot_ = std::chrono::duration_cast<milliseconds>(Clock::now() - begin);
          return std::optional<std::string>();
        }
      }
    }
    if (Clock::now() - begin > patience_) {
      is_slow_ = true;
      return std::optional(Symptom(last));
    }
    std::this_thread::sleep_for(kPause);
  }
}

Result<std::optional<int>> Boot::End(bool by_term) {
  const seconds limit = service_.request.stop_limit;
  const auto begin = Clock::now();
  const Status sent = by_term ? During(ActKind::kTerm, [&] { return SendSignal(id(), "TERM"); })
                              : During(ActKind::kStop, [&] { return StopContainer(id(), limit); });
  if (!sent) return sent.error();
  while (true) {
    if (Interruption::HasCome()) return Interrupted();
    ReadEvents();
    const auto state = State();
    if (!state) return state.error();
    if (!state->is_running) return std::optional(state->exit_status);
    if (Clock::now() - begin > limit) break;
    std::this_thread::sleep_for(kPause);
  }
  const Status killed = During(ActKind::kKill, [&] { return SendSignal(id(), "KILL"); });
  if (!killed) return killed.error();
  return std::optional<int>();
}

std::string Boot::Disturbance(bool has_failed) {
  if (!container_) return {};
  const auto read = EventsSince(history_->since());
  if (read) history_->Add(*read, id());
  const std::vector<Event>& events = history_->events();
  if (std::string what = DisturbanceIn(events, acts_, service_.request.stop_limit); !what.empty()) {
    return what;
  }
  if (!has_failed) return {};
  if (last_.was_out_of_memory || HasOutOfMemory(events)) {
    return "ran out of memory: the kernel ended a process of it";
  }
  if (!read) return "may have been disturbed: its events are not known: " + read.error().message;
  if (!history_->is_complete()) {
    return "may have been disturbed: Docker no longer has all its events";
  }
  const auto did = [&](ActKind kind) {
    return std::any_of(acts_.begin(), acts_.end(),
                       [kind](const Act& act) { return act.kind == kind; });
  };
  // Other signals that Docker sent are among the events.
  const bool was_killed = !last_.is_running && last_.exit_status == kEndedBySignal + SIGKILL;
  if (!was_killed || did(ActKind::kStop) || did(ActKind::kKill)) return {};
  return "was ended by signal 9, which was not sent for the trial";
}

std::string Boot::Symptom(const std::string& what) const {
  std::string text = PhaseOf(number_) + ": " + what;
  const std::string denial = DenialIn(LogsOf(id()));
  if (!denial.empty() && what.find(denial) == std::string::npos) text += ": " + denial;
  return text;
}

bool Boot::IsAsExpected(std::string& last) {
  if (expected_ == nullptr) {
    // Without a probe, a port is all that shows that it serves.
    if (service_.has_probe() || !serving_.listeners.empty()) return true;
    last = "it listens on no port";
    return false;
  }
  const std::string missing = expected_->MissingIn(serving_);
  if (missing.empty()) return true;
  last = missing;
  return false;
}

}  // namespace runclad::learn
