// runcladctl learn: what is done, in order.
#include "runclad/learn/learn.hpp"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <set>
#include <utility>

#include "runclad/base/time.hpp"
#include "runclad/look/filters.hpp"
#include "runclad/privilege/capabilities.hpp"
#include "runclad/privilege/seccomp_program.hpp"
#include "runclad/store/break_glass.hpp"
#include "runclad/store/trials.hpp"

#include "candidates.hpp"
#include "docker.hpp"
#include "guard.hpp"
#include "image_file.hpp"
#include "interruption.hpp"
#include "life.hpp"
#include "tracefs.hpp"
#include "trial.hpp"

namespace runclad::learn {
namespace {

using std::chrono::milliseconds;

// What a learner that was killed has left: the trace first, whose events cost every process.
void RemoveWhatWasLeft() {
  TraceInstance::RemoveIdle();
  RemoveLeftTrials([](const std::string& id) { return static_cast<bool>(RemoveContainer(id)); });
  RemoveLeftovers();
  // One that a starting runclad had open is idle now.
  TraceInstance::RemoveIdle();
}

// Removes containers and volumes, after every object that has some.
class Leftovers {
 public:
  Leftovers() { RemoveWhatWasLeft(); }
  ~Leftovers() { RemoveLeftovers(); }
  Leftovers(const Leftovers&) = delete;
  Leftovers& operator=(const Leftovers&) = delete;
};

class Learner {
 public:
  Learner(const Request& request, Service service)
      : request_(request), service_(std::move(service)) {}

  Result<Learned> Run() {
    Learned learned;
    learned.repository = service_.image.repository;
    if (auto proved = RefuseWeakProbe(); !proved) return proved.error();
    auto observed = ObserveEitherWay();
    if (!observed) return observed.error();
    observed_ = *std::move(observed);
    if (request_.needs_calls && !observed_.calls_unknown.empty()) {
      return Error{"system calls are not known: " + observed_.calls_unknown};
    }
    Places places = PlacesOf(observed_.drifts, observed_.mounts);
    learned.notes = places.notes;
    NoteWhatWasSeen(learned);
    verdicts_ = 0;
    auto judged = Minimise(Groups(places), Prove());
    if (!judged && verdicts_ == 1 && !ends_ && !Interruption::HasCome()) {
      // Programs that run from a volume, or that the service wrote itself, are not seen from
      // outside.
      Say("it fails under " + request_.profile + ": trying again with programs allowed everywhere");
      AllowProgramsEverywhere(places);
      auto again = Minimise(Groups(places), Prove());
      if (!again) return judged.error().In(request_.profile + " is too strict for the service");
      judged = std::move(again);
    }
    if (!judged) return judged.error();
    learned.judged = *std::move(judged);
    AddWitnesses(learned);
    learned.lives = lives_;
    learned.provenance = Provenance();
    learned.image_file = ImageFileText(learned.judged, {service_.image.id}, learned.provenance);
    if (auto described = Describe(learned, places); !described) return described.error();
    return learned;
  }

 private:
  // What forms for others say besides the grants.
  Status Describe(Learned& learned, const Places& places) const {
    learned.image = request_.image;
    learned.digest = service_.image.id;
    learned.arguments = request_.arguments;
    learned.volumes = service_.volumes;
    if (request_.needs_calls && !service_.image.health.empty()) {
      learned.notes.emplace_back(
          "system calls of the HEALTHCHECK: not known, docker exec starts it");
    }
    for (const int number : observed_.calls) {
      learned.calls.push_back(
          privilege::SyscallName(look::Architectures().front(), static_cast<unsigned>(number)));
    }
    const std::set<std::string>& users = observed_.serving.users;
    const bool is_root = service_.image.starts_as_root() || users.size() != 1;
    if (!is_root && !users.begin()->starts_with("0:")) learned.user = *users.begin();
    std::vector<std::string> paths = places.writable;
    paths.insert(paths.end(), std::begin(kAlwaysWritable), std::end(kAlwaysWritable));
    auto id = CreateContainer({"--network", "none"}, service_.image, request_.arguments);
    if (!id) return id.error();
    const Container container(*std::move(id));
    for (const std::string& path : paths) {
      if (HasContent(container.id(), path)) learned.filled.push_back(path);
    }
    return {};
  }

  void Say(const std::string& line) const {
    if (request_.say) request_.say(line);
  }

  [[nodiscard]] std::string ProbeText() const {
    if (!request_.probe.empty()) return "the probe " + request_.probe;
    if (!service_.image.health.empty()) return "the image's HEALTHCHECK";
    return "the same ports and users";
  }

  [[nodiscard]] std::vector<Grants> Groups(const Places& places) const {
    if (!observed_.untraced.empty()) return GroupsOf(places, observed_.bounding);
    std::uint64_t used = 0;
    for (const auto& [number, text] : observed_.uses) used |= std::uint64_t{1} << number;
    return GroupsOf(places, observed_.bounding, used);
  }

  void AddWitnesses(Learned& learned) const {
    if (!observed_.untraced.empty()) {
      learned.notes.push_back("uses of capabilities are not known: " + observed_.untraced);
    }
    for (Judged& judged : learned.judged) {
      if (judged.grant.kind != GrantKind::kCapability) continue;
      const auto number = privilege::CapabilityNumber(judged.grant.value);
      const auto use = number ? observed_.uses.find(*number) : observed_.uses.end();
      if (use != observed_.uses.end()) {
        judged.seen = use->second;
      } else if (observed_.untraced.empty()) {
        judged.seen = "not seen";
      }
    }
  }

  void AllowProgramsEverywhere(Places& places) const {
    std::vector<std::string>& programs = places.programs;
    programs = places.writable;
    programs.insert(programs.end(), std::begin(kAlwaysWritable), std::end(kAlwaysWritable));
    programs.insert(programs.end(), service_.volumes.begin(), service_.volumes.end());
    std::sort(programs.begin(), programs.end());
  }

  // A probe that always succeeds proves nothing.
  Status RefuseWeakProbe() {
    if (!service_.has_probe()) return {};
    Say("a container of the image that does nothing");
    const auto takes = Undisturbed(
        [&](std::string& disturbance) { return ProbeTakesNothing(service_, disturbance); });
    if (!takes) return takes.error();
    if (!*takes) return {};
    return Error{ProbeText() +
                 " also succeeds for a container that does nothing, so it would prove nothing: "
                 "give a command with --probe that asks the service for something"};
  }

  // A service that starts as root needs more on empty volumes owned by root, so these are tried
  // first; some images need their own content there.
  Result<Observed> ObserveEitherWay() {
    service_.has_bare_volumes = service_.image.starts_as_root() && !service_.volumes.empty();
    Say("without limits, to see what it does");
    if (request_.needs_calls) {
      Say("system calls are traced: every other process of this host pays for each of its own");
    }
    auto observed = ObserveUndisturbed();
    const bool is_final = observed || !service_.has_bare_volumes || was_disturbed_;
    if (is_final || Interruption::HasCome()) return observed;
    Say("the same on volumes with the image's content: " + observed.error().message);
    service_.has_bare_volumes = false;
    return ObserveUndisturbed();
  }
  Result<Observed> ObserveUndisturbed() {
    return Undisturbed([&](std::string& disturbance) {
      ++lives_;
      return Observe(service_, disturbance);
    });
  }
  Result<Life> LiveUndisturbed(const Grants& grants, milliseconds patience) {
    return Undisturbed([&](std::string& disturbance) {
      ++lives_;
      return LiveUnder(service_, grants, observed_, patience, disturbance);
    });
  }

  // Whoever may use Docker can end a container on trial, and would have everything granted that is
  // tried: what others do to it is not a verdict.
  template <typename Attempt>
  auto Undisturbed(Attempt attempt) -> decltype(attempt(std::declval<std::string&>())) {
    constexpr int kAttempts = 3;
    std::string disturbance;
    for (int number = 1; number <= kAttempts; ++number) {
      disturbance.clear();
      auto result = attempt(disturbance);
      if (disturbance.empty() || Interruption::HasCome()) return result;
      Say("does not count: the container " + disturbance);
    }
    was_disturbed_ = true;
    return Error{
        "nothing can be proved, because of others than learn: three times, the container " +
        disturbance};
  }

  Prover Prove() {
    return [this](const Grants& grants) -> Result<Verdict> {
      if (Interruption::HasCome()) {
        return Error{"interrupted: everything that was created has been removed"};
      }
      std::string text;
      for (const Grant& grant : grants) text += (text.empty() ? "" : ", ") + grant.text();
      constexpr milliseconds kAtLeast(5000);
      const milliseconds patience = 2 * observed_.boot + kAtLeast;
      auto life = LiveUndisturbed(grants, patience);
      // On a busy machine, a service that is slow is not one that fails.
      if (life && !life->verdict.lives && life->is_slow) {
        life = LiveUndisturbed(grants, 2 * patience);
      }
      if (!life) {
        ends_ = true;
        return life.error();
      }
      Say("with " + (text.empty() ? std::string("nothing") : text) + ": " +
          (life->verdict.lives ? "lives" : "fails, " + life->verdict.symptom));
      ++verdicts_;
      return life->verdict;
    };
  }

  void NoteWhatWasSeen(Learned& learned) const {
    const auto add = [&](const std::string& what, const std::set<std::string>& seen) {
      std::string text;
      for (const std::string& entry : seen) text += (text.empty() ? "" : ", ") + entry;
      if (!text.empty()) learned.notes.push_back(what + ": " + text);
    };
    add("users", observed_.serving.users);
    add("ports", observed_.serving.listeners);
    if (observed_.peak_memory > 0) {
      learned.notes.push_back("memory: " + std::to_string(observed_.peak_memory >> 20U) +
                              " MiB at most");
    }
    if (observed_.peak_processes > 0) {
      learned.notes.push_back("processes: " + std::to_string(observed_.peak_processes) +
                              " at most");
    }
    if (!observed_.status_of_term) {
      learned.notes.emplace_back("SIGTERM does not stop it, with or without limits");
    }
  }

  [[nodiscard]] std::string Provenance() const {
    const unsigned boots = request_.boots;
    std::string text = "runcladctl learn, " + FormatDay(std::time(nullptr)) + ", " +
                       EngineVersions() + ", profile " + request_.profile + ": " +
                       std::to_string(boots) +
                       (boots == 1 ? " container" : " containers on the same volumes") + ", " +
                       ProbeText() + (service_.has_probe() ? ", the same ports and users" : "") +
                       ", SIGTERM and what docker stop sends; without any one of these it fails";
    if (service_.has_bare_volumes) text += "; volumes began as empty directories of root";
    return text;
  }

  const Request& request_;
  Service service_;
  Observed observed_;
  unsigned lives_ = 0;
  unsigned verdicts_ = 0;
  bool was_disturbed_ = false;
  bool ends_ = false;  // because of an error that is not a verdict
};

}  // namespace

Result<Learned> Learn(const Request& request) {
  if (request.boots == 0) return Error{"at least one boot is needed"};
  if (::geteuid() != 0) return Error{"only root can make trials for runclad"};
  if (const auto switched = store::FindBreakGlass(); switched && *switched) {
    return Error{"the break-glass switch is on: nothing is enforced, so nothing can be proved"};
  }
  // The guard of one that was killed may still be at it.
  constexpr milliseconds kPatience(5000);
  const auto lock = LockTrials(store::kTrialsDirectory, kPatience);
  if (!lock) return lock.error();
  const Guard guard(RemoveWhatWasLeft);  // it has the lock, too
  const Interruption interruption;
  const Leftovers leftovers;
  auto host = ReadHostPolicy(request.config_directory);
  if (!host) return host.error();
  auto image = InspectImage(request.image);
  if (!image) return image.error();
  std::vector<std::string> volumes = image->volumes;
  std::erase_if(volumes, [&](const std::string& path) {
    return std::any_of(request.run_arguments.begin(), request.run_arguments.end(),
                       [&](const std::string& word) {
                         return word.find(":" + path) != std::string::npos ||
                                word.find("=" + path) != std::string::npos;
                       });
  });
  return Learner(request, Service{request, *std::move(image), *std::move(host), volumes}).Run();
}

void DoNothing() {
  sigset_t ends;
  ::sigemptyset(&ends);
  ::sigaddset(&ends, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &ends, nullptr);
  int signal = 0;
  ::sigwait(&ends, &signal);
}

}  // namespace runclad::learn
