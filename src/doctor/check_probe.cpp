// What a container really gets, by what it says of itself.
#include <algorithm>

#include "runclad/privilege/capabilities.hpp"

#include "sections.hpp"

namespace runclad::doctor {
namespace {

using Findings = std::vector<Finding>;

constexpr const char* kRemedy = "see what runclad decided: runcladctl why --last";

std::string Subject(const ProbeFacts& probe) { return probe.engine + " " + probe.place; }

Findings Ran(const Facts& facts) {
  Findings findings;
  for (const ProbeFacts& probe : facts.probes) {
    if (probe.fault.empty()) continue;
    findings.push_back({Level::kUnknown, Subject(probe),
                        "no probe container could be run (" + probe.way + "): " + probe.fault,
                        "run a container by hand, and doctor again"});
  }
  return findings;
}

bool Has(std::uint64_t capabilities, const char* name) {
  const auto number = privilege::CapabilityNumber(name);
  return number && (capabilities >> static_cast<unsigned>(*number) & 1U) != 0;
}

std::string NamesOf(std::uint64_t capabilities) {
  std::string names;
  for (const std::string& name : privilege::AllCapabilities()) {
    if (Has(capabilities, name.c_str())) names += (names.empty() ? "" : ", ") + name;
  }
  return names;
}

// What the probe managed, though the policy takes it away.
std::vector<std::string> Unpromised(const ProbeAnswer& answer, const Promised& promised) {
  std::vector<std::string> faults;
  const std::uint64_t more = (answer.bounding | answer.effective) & ~promised.bounding;
  if (more != 0) faults.push_back("it holds " + NamesOf(more));
  if (promised.no_new_privileges && !answer.has_no_new_privileges) {
    faults.emplace_back("no_new_privs is not set");
  }
  constexpr int kFilter = 2;
  if (promised.seccomp && answer.seccomp != kFilter)
    faults.emplace_back("it has no seccomp filter");
  for (const std::string& path : answer.writable) {
    const bool is_root = path == "/";
    if (is_root ? promised.read_only_root : promised.masks)
      faults.push_back("it can write " + path);
  }
  for (const std::string& path : answer.readable) {
    if (promised.masks) faults.push_back("it can read " + path);
  }
  for (const std::string& name : answer.shared) {
    if (promised.refuses_host_namespaces)
      faults.push_back("it is in the host's " + name + " namespace");
  }
  const struct {
    const char* attempt;
    const char* capability;  // with which it may succeed; null: with none
    const char* sentence;
  } attempts[] = {
      {"mount", "CAP_SYS_ADMIN", "it can mount"},
      {"user-namespace", "CAP_SYS_ADMIN", "it can make a user namespace"},
      {"chroot", "CAP_SYS_CHROOT", "it can chroot"},
      {"raw-socket", "CAP_NET_RAW", "it can open raw sockets"},
      {"mknod", "CAP_MKNOD", "it can make device nodes"},
      {"af-alg", nullptr, "it can open sockets of AF_ALG"},
  };
  for (const auto& [attempt, capability, sentence] : attempts) {
    const bool is_made = std::ranges::find(answer.succeeded, attempt) != answer.succeeded.end();
    const bool is_allowed = capability != nullptr && Has(promised.bounding, capability);
    if (is_made && !is_allowed && promised.seccomp) faults.emplace_back(sentence);
  }
  return faults;
}

Findings Confinement(const Facts& facts) {
  Findings findings;
  for (const ProbeFacts& probe : facts.probes) {
    if (!probe.answer || !facts.promised.is_enforced) continue;
    for (const std::string& fault : Unpromised(*probe.answer, facts.promised)) {
      findings.push_back(
          {Level::kCritical, Subject(probe),
           "a probe container (" + probe.way + ") is not confined as the policy says: " + fault,
           kRemedy});
    }
  }
  return findings;
}

Findings Attacks(const Facts& facts) {
  Findings findings;
  if (!facts.promised.is_enforced) return findings;
  for (const ProbeFacts& probe : facts.probes) {
    for (const AttackFact& attack : probe.attacks) {
      if (attack.is_refused) continue;
      findings.push_back({attack.is_made ? Level::kCritical : Level::kUnknown, Subject(probe),
                          attack.is_made ? attack.name + " was not refused: its container ran"
                                         : "could not determine whether " + attack.name +
                                               " is refused: " + attack.text,
                          attack.is_made ? kRemedy : "run it by hand"});
    }
  }
  return findings;
}

// A pod needs a network and a log directory that only the cluster's settings say, and a build
// leaves its layers in the engine's cache.
constexpr const char* kPodProof =
    "doctor cannot make a pod; have a pod run `grep -E \"CapBnd|NoNewPrivs|Seccomp:\" "
    "/proc/self/status`, or compare a running one: crictl ps, and runcladctl ps";
constexpr const char* kBuildProof =
    "a build would leave layers in its cache; build an image with the step `RUN grep -E "
    "\"CapBnd|NoNewPrivs|Seccomp:\" /proc/self/status`";

constexpr Check kProbeChecks[] = {
    {"probe/ran", "a probe container can be run by every engine whose default is runclad", kProbe,
     Ran},
    {"probe/confinement", "a probe container has no more than the policy grants, by its own /proc",
     kProbe, Confinement},
    {"probe/attacks", "the ways onto the host that README lists are refused", kProbe, Attacks},
};

}  // namespace

std::vector<std::string> CapabilitiesOf(const ProbeAnswer& answer) {
  std::vector<std::string> names;
  for (const std::string& name : privilege::AllCapabilities()) {
    if (Has(answer.bounding | answer.effective, name.c_str())) names.push_back(name);
  }
  return names;
}

std::vector<ProbeFacts> Unprobed(const RoadFacts& roads) {
  std::vector<ProbeFacts> unproven;
  const auto add = [&](const EngineFacts& engine, const char* way, const char* why) {
    ProbeFacts facts;
    facts.engine = engine.engine;
    facts.place = engine.place;
    facts.way = way;
    facts.unproven = why;
    unproven.push_back(std::move(facts));
  };
  for (const EngineFacts& engine : roads.engines) {
    if (!engine.fault.empty()) continue;
    if (engine.engine == "crio" && engine.is_covered()) add(engine, "pods", kPodProof);
    if (engine.builder && engine.builder->is_runclad) add(engine, "build steps", kBuildProof);
  }
  return unproven;
}

std::span<const Check> ProbeChecks() { return kProbeChecks; }

}  // namespace runclad::doctor
