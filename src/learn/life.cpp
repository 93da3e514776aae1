#include "life.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <iterator>
#include <thread>

#include "runclad/look/container.hpp"
#include "runclad/store/trials.hpp"

#include "candidates.hpp"
#include "interruption.hpp"
#include "trace_text.hpp"
#include "tracing.hpp"

namespace runclad::learn {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr const char* kNothing = "/runclad-learn-nothing";

template <typename T>
std::set<T> InBoth(const std::set<T>& left, const std::set<T>& right) {
  std::set<T> both;
  std::set_intersection(left.begin(), left.end(), right.begin(), right.end(),
                        std::inserter(both, both.end()));
  return both;
}

Status Trace(Tracing& tracing, const std::string& id, const Trial& trial, bool with_calls) {
  auto started = tracing.Start(store::MarkerText(id), trial.followed_file(), with_calls);
  if (!started) return started;
  return trial.LinkMarker(tracing.marker());
}

void AddUses(const Uses& uses, unsigned boot, Observed& observed) {
  if (!uses.has_begun) {
    observed.untraced = "the trace does not contain the container's first program";
  } else if (uses.has_losses) {
    observed.untraced = "the kernel lost a part of the trace";
  }
  for (const Use& use : uses.uses) {
    std::string text = use.call.empty() ? std::string("by ") : use.call + " by ";
    text += use.program + ", " + PhaseOf(boot);
    observed.uses.emplace(use.capability, std::move(text));
  }
}

// Numbers of system calls differ between 32 and 64 bits, and the trace does not tell which is
// meant.
bool Has32BitProgram(const look::Container& container) {
  constexpr std::size_t kClass = 4;  // of an ELF file, after its magic number
  for (const pid_t pid : container.processes) {
    const UniqueFd file(
        ::open(("/proc/" + std::to_string(pid) + "/exe").c_str(), O_RDONLY | O_CLOEXEC));
    std::array<char, kClass + 1> head{};
    if (file && ::read(file.get(), head.data(), head.size()) == std::ssize(head) &&
        head[kClass] == 1) {
      return true;
    }
  }
  return false;
}

void AddCalls(const Result<Calls>& calls, const look::Container& container, Observed& observed) {
  std::string& unknown = observed.calls_unknown;
  if (!calls) {
    unknown = calls.error().message;
  } else if (!calls->has_begun) {
    unknown = "the trace does not contain the container's first program";
  } else if (calls->has_losses) {
    unknown = "the kernel lost a part of the trace";
  } else if (Has32BitProgram(container)) {
    unknown = "the container runs 32-bit programs";
  } else {
    observed.calls.insert(calls->numbers.begin(), calls->numbers.end());
  }
}

std::string OwnerOf(const std::string& volume, int pid) {
  struct stat status {};
  const std::string path = "/proc/" + std::to_string(pid) + "/root" + volume;
  if (::lstat(path.c_str(), &status) != 0) return {};
  return std::to_string(status.st_uid) + ":" + std::to_string(status.st_gid);
}

Status AddDrift(const look::Container& container, Observed& observed) {
  auto drift = look::DriftOf(container);
  if (!drift) return drift.error().In("what the service wrote (see docker info: Storage Driver)");
  observed.drifts.push_back(*std::move(drift));
  return {};
}

Status ObserveBoot(const Service& service, Boot& boot, unsigned number, const Words& options,
                   Observed& observed) {
  const auto created = boot.Create(options, service.request.arguments, [&](const std::string& id) {
    return Trial::Open(id, service.host, service.request.profile);
  });
  if (!created) return created;
  Tracing tracing;
  const auto traced = Trace(tracing, boot.id(), boot.trial(), service.request.needs_calls);
  if (!traced) observed.untraced = traced.error().message;
  const auto symptom = boot.UntilItServes();
  if (!symptom) return symptom.error();
  if (*symptom) return Error{"the service does not work without limits: " + **symptom};
  // A service that dies soon after its start does not count.
  std::this_thread::sleep_for(seconds(1));
  const auto seen = SeenOf(boot.id());
  if (!seen) return seen.error();
  Serving serving{InBoth(boot.serving().users, seen->serving.users), seen->serving.listeners};
  if (number == 1) {
    observed.serving = serving;
    observed.bounding = seen->bounding;
  } else {
    observed.serving.users = InBoth(observed.serving.users, serving.users);
    observed.serving.listeners = InBoth(observed.serving.listeners, serving.listeners);
  }
  observed.boot = std::max(observed.boot, boot.boot());
  observed.mounts.clear();
  for (const look::MountState& mount : seen->container.mounts) {
    observed.mounts.push_back(mount.point);
  }
  observed.peak_memory = std::max(observed.peak_memory, seen->peak_memory);
  observed.peak_processes = std::max(observed.peak_processes, seen->peak_processes);
  for (const std::string& volume : service.volumes) {
    observed.owners[volume] = OwnerOf(volume, seen->container.pid);
  }
  // What it removes when it ends counts, too.
  if (auto added = AddDrift(seen->container, observed); !added) return added;
  const bool by_term = number == 1;
  const auto ended = boot.End(by_term);
  if (!ended) return ended.error();
  if (by_term) {
    observed.status_of_term = *ended;
  } else {
    observed.status_of_stop = ended->value_or(0);
  }
  if (traced) AddUses(UsesIn(tracing.Stop(), seen->bounding), number, observed);
  if (service.request.needs_calls) {
    AddCalls(traced ? tracing.StopCalls() : Result<Calls>(traced.error()), seen->container,
             observed);
  }
  if (auto added = AddDrift(seen->container, observed); !added) return added;
  AddTouched(seen->container.upper_directory, observed.drifts.back());
  return {};
}

// The symptom of a boot under these grants; no value: it does as it did when it was observed.
Result<std::optional<std::string>> BootUnder(const Service& service, Boot& boot, unsigned number,
                                             const Words& options, const Grants& grants,
                                             const Observed& observed, bool& is_slow) {
  const auto created = boot.Create(options, service.request.arguments, [&](const std::string& id) {
    return Trial::Of(id, service.host, service.request.profile, service.image.id, grants);
  });
  if (!created) return created.error();
  auto symptom = boot.UntilItServes();
  is_slow = boot.is_slow();
  if (!symptom || *symptom) return symptom;
  // A service may serve for now, and be unable to keep anything.
  const auto state = boot.State();
  if (!state) return state.error();
  for (const auto& [volume, owner] : observed.owners) {
    const std::string now = OwnerOf(volume, state->pid);
    if (now == owner || now.empty()) continue;
    return std::optional(
        boot.Symptom("the volume " + volume + " belongs to " + now + ", not to " + owner));
  }
  const bool by_term = number == 1;
  const auto ended = boot.End(by_term);
  if (!ended) return ended.error();
  const std::optional<int> expected =
      by_term ? observed.status_of_term : std::optional(observed.status_of_stop);
  if (*ended == expected) return std::optional<std::string>();
  is_slow = !ended->has_value();
  std::string status = *ended ? "exit " + std::to_string(**ended) : "it does not stop";
  status += by_term ? " after SIGTERM" : " after docker stop";
  return std::optional(boot.Symptom(status));
}

}  // namespace

Result<Observed> Observe(const Service& service, std::string& disturbance) {
  Observed observed;
  Words options = OptionsOf(service);
  Volumes volumes;
  if (auto made = volumes.Make(service.volumes, service.has_bare_volumes, options); !made) {
    return made.error();
  }
  for (unsigned number = 1; number <= service.request.boots; ++number) {
    Boot boot(service, number, nullptr, service.request.boot_limit);
    const auto done = ObserveBoot(service, boot, number, options, observed);
    disturbance = boot.Disturbance(!done);
    if (!done) return done.error();
    if (!disturbance.empty()) break;
  }
  return observed;
}

Result<Life> LiveUnder(const Service& service, const Grants& grants, const Observed& observed,
                       milliseconds patience, std::string& disturbance) {
  Words options = OptionsOf(service);
  Volumes volumes;
  if (auto made = volumes.Make(service.volumes, service.has_bare_volumes, options); !made) {
    return made.error();
  }
  Life life;
  for (unsigned number = 1; number <= service.request.boots; ++number) {
    Boot boot(service, number, &observed.serving, patience);
    const auto symptom = BootUnder(service, boot, number, options, grants, observed, life.is_slow);
    disturbance = boot.Disturbance(!symptom || symptom->has_value());
    if (!symptom) return symptom.error();
    if (*symptom) life.verdict.symptom = **symptom;
    if (*symptom || !disturbance.empty()) return life;
  }
  life.verdict.lives = true;
  return life;
}

Result<bool> ProbeTakesNothing(const Service& service, std::string& disturbance) {
  std::array<char, PATH_MAX> own{};
  if (::readlink("/proc/self/exe", own.data(), own.size() - 1) <= 0) {
    return Error{"the program runcladctl cannot be found"};
  }
  Words options = OptionsOf(service);
  options.insert(options.end(), {"--entrypoint", kNothing});
  Boot boot(service, 1, nullptr, service.request.boot_limit);
  const auto takes = [&]() -> Result<bool> {
    const auto created =
        boot.Create(options, {"learn", "--do-nothing"}, [&](const std::string& id) {
          return Trial::Of(id, service.host, service.request.profile, service.image.id, {});
        });
    if (!created) return created.error();
    if (auto copied = boot.Copy(own.data(), kNothing); !copied) return copied.error();
    const auto refusal = boot.Start();
    if (!refusal) return refusal.error();
    if (*refusal) return Error{"a container that does nothing cannot be started: " + **refusal};
    std::this_thread::sleep_for(seconds(1));
    const auto state = boot.State();
    if (!state) return state.error();
    if (!state->is_running) {
      return Error{"a container that does nothing has ended: " + LogsOf(boot.id())};
    }
    std::string says;
    return boot.Probe(state->pid, says);
  }();
  disturbance = boot.Disturbance(!takes);
  return takes;
}

}  // namespace runclad::learn
