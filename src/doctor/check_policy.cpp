// The policy that create reads.
#include <algorithm>

#include "sections.hpp"

namespace runclad::doctor {
namespace {

using Findings = std::vector<Finding>;

Finding Of(const PolicyFault& fault, Level level, std::string remedy) {
  std::string subject = fault.file;
  if (fault.line > 0) subject += ":" + std::to_string(fault.line);
  return {level, std::move(subject), fault.message, std::move(remedy)};
}

template <std::size_t kCount>
Findings OfKinds(const Facts& facts, const std::string_view (&kinds)[kCount], Level level,
                 const std::string& remedy) {
  Findings findings;
  for (const PolicyFault& fault : facts.policy.faults) {
    if (std::ranges::find(kinds, fault.kind) == std::end(kinds)) continue;
    findings.push_back(Of(fault, level, remedy));
  }
  return findings;
}

constexpr std::string_view kExpired[] = {"waiver-expired"};
constexpr std::string_view kExpiring[] = {"waiver-expires"};
constexpr std::string_view kVoid[] = {"waiver-void", "beyond-trust", "beyond-tag", "no-effect"};
constexpr std::string_view kRoot[] = {"waiver-equals-root"};
constexpr std::string_view kLog[] = {"log-exposed", "log-target"};  // log/exposed, journald, syslog

bool HasOwnCheck(const PolicyFault& fault) {
  const auto has = [&](const auto& kinds) {
    return std::ranges::find(kinds, fault.kind) != std::end(kinds);
  };
  return has(kExpired) || has(kExpiring) || has(kVoid) || has(kRoot) || has(kLog);
}

Findings Readable(const Facts& facts) {
  if (facts.policy.fault.empty()) return {};
  return {{Level::kCritical, facts.policy.directory,
           "no container can be created: " + facts.policy.fault, "runcladctl policy lint"}};
}

Findings Lint(const Facts& facts) {
  Findings findings;
  for (const PolicyFault& fault : facts.policy.faults) {
    if (HasOwnCheck(fault)) continue;
    // It is the reason why the policy cannot be read.
    if (facts.policy.fault.ends_with(fault.message)) continue;
    findings.push_back(Of(fault, fault.is_fault ? Level::kCritical : Level::kWarning,
                          "runcladctl policy lint " + facts.policy.directory));
  }
  return findings;
}

Findings ExpiredWaivers(const Facts& facts) {
  return OfKinds(facts, kExpired, Level::kWarning,
                 "remove the waiver, or give it another day in `expires`");
}

Findings ExpiringWaivers(const Facts& facts) {
  return OfKinds(facts, kExpiring, Level::kWarning,
                 "decide whether the container still needs it, before it is refused");
}

Findings VoidGrants(const Facts& facts) {
  return OfKinds(facts, kVoid, Level::kWarning,
                 "remove it, or see what it would need: runcladctl policy lint");
}

Findings RootWaivers(const Facts& facts) {
  return OfKinds(facts, kRoot, Level::kWarning, "narrow the waiver, or replace the mount");
}

Findings Enforced(const Facts& facts) {
  if (!facts.policy.fault.empty() || !facts.policy.is_audit) return {};
  return {{Level::kWarning, facts.policy.directory,
           "nothing is changed or refused: the policy only records what it would do (audit)",
           "runcladctl check --all, then set \"mode\": \"enforce\" in policy.json"}};
}

Findings BreakGlass(const Facts& facts) {
  if (!facts.policy.break_glass_fault.empty()) {
    return {{Level::kWarning, "break-glass",
             "the switch is ignored: " + facts.policy.break_glass_fault,
             "runcladctl break-glass --end"}};
  }
  if (facts.policy.break_glass.empty()) return {};
  return {{Level::kCritical, "break-glass",
           "nothing is enforced on this host for a time: " + facts.policy.break_glass,
           "runcladctl break-glass --end"}};
}

Findings FellBack(const Facts& facts) {
  if (facts.policy.fell_back_because.empty()) return {};
  return {{Level::kCritical, facts.policy.directory,
           "the copy of the last good policy is in use: " + facts.policy.fell_back_because,
           "run runcladctl policy status and fix the policy, or run runcladctl policy rollback"}};
}

Findings RootlessPasses(const Facts& facts) {
  if (!facts.policy.fault.empty() || !facts.policy.passes_rootless) return {};
  return {{Level::kWarning, facts.policy.directory,
           "calls without root privileges are passed on unchanged (\"rootless\")",
           "set \"rootless\" to \"refuse\" or \"apply\" in policy.json"}};
}

Findings BuildsHaveProfile(const Facts& facts) {
  if (!facts.policy.fault.empty() || !facts.policy.builds.empty()) return {};
  Findings findings;
  for (const EngineFacts& engine : facts.roads.engines) {
    if (!engine.builder || !engine.builder->is_runclad) continue;
    findings.push_back({Level::kWarning, engine.engine + " " + engine.place,
                        "runclad runs the steps of its builds under the profile of other "
                        "containers, with a root filesystem that they cannot write to",
                        "set \"builds\": \"build\" in policy.json"});
  }
  return findings;
}

Findings CgroupParent(const Facts& facts) {
  Findings findings;
  if (!facts.policy.fault.empty() || facts.policy.ignores_cgroup_parents) return findings;
  for (const EngineFacts& engine : facts.roads.engines) {
    const std::string& parent = engine.cgroup_parent;
    const auto& allowed = facts.policy.cgroup_parents;
    if (parent.empty() || std::ranges::find(allowed, parent) != allowed.end()) continue;
    findings.push_back({Level::kCritical, engine.engine + " " + engine.place,
                        "its cgroup-parent " + parent +
                            " is not in the policy's list, so the rule cgroup-path refuses or "
                            "warns of every container",
                        "add it to cgroup-path.parents in policy.json"});
  }
  return findings;
}

Findings Pins(const Facts& facts) {
  Findings findings;
  for (const std::string& name : facts.policy.unheld_pins) {
    findings.push_back({Level::kWarning, name,
                        "its file pins other digests than the image has that an engine here keeps "
                        "under this name: its containers are refused",
                        "runcladctl policy pin " + name + " --add --image " + name});
  }
  return findings;
}

// They are judged by what was tried, without limits while the service was observed.
Findings Trials(const Facts& facts) {
  Findings findings;
  for (const std::string& id : facts.policy.abandoned_trials) {
    findings.push_back({Level::kWarning, id,
                        "runcladctl learn was killed: this container still has the policy of its "
                        "trial in /run/runclad/learn",
                        "docker rm --force " + id + "; rm -r /run/runclad/learn/" + id +
                            " (the next runcladctl learn does both)"});
  }
  return findings;
}

// From an hour of break-glass, or before the policy was enforced. An exec in one is held to nothing
// either.
Findings AuditedContainers(const Facts& facts) {
  Findings findings;
  const bool is_enforced =
      facts.policy.fault.empty() && !facts.policy.is_audit && facts.policy.break_glass.empty();
  if (!is_enforced) return findings;
  for (const std::string& container : facts.roads.audited) {
    findings.push_back({Level::kCritical, container,
                        "it was started while nothing was enforced, and keeps what it got then",
                        "start it again"});
  }
  return findings;
}

Findings Acknowledged(const Facts& facts) {
  Findings findings;
  for (const AcknowledgementFault& fault : facts.policy.acknowledgements) {
    findings.push_back({Level::kWarning, fault.acknowledgement, fault.sentence,
                        "fix the finding, or change its entry in doctor.json"});
  }
  return findings;
}

constexpr Check kPolicyChecks[] = {
    {"policy/readable",
     "the policy can be read: it belongs to root and has no error that blocks create", kPolicy,
     Readable},
    {"policy/lint", "policy lint finds nothing that no other check reports", kPolicy, Lint},
    {"policy/enforced", "the policy is enforced, not only recorded", kPolicy, Enforced},
    {"policy/break-glass", "the break-glass switch is off", kPolicy, BreakGlass},
    {"policy/audited-containers",
     "no container runs that was started while the policy was not enforced", kPolicy | kRoads,
     AuditedContainers},
    {"policy/fallback", "no older copy of the policy had to be used", kPolicy, FellBack},
    {"policy/expired-waivers", "no waiver has expired", kPolicy, ExpiredWaivers},
    {"policy/expiring-waivers", "no waiver expires within 30 days", kPolicy, ExpiringWaivers},
    {"policy/void-grants", "every grant and waiver has an effect", kPolicy, VoidGrants},
    {"policy/root-waivers", "no waiver makes a container root on the host", kPolicy, RootWaivers},
    {"policy/rootless", "callers without root privileges are not passed on", kPolicy,
     RootlessPasses},
    {"policy/builds", "builds that runclad runs have a profile of their own", kPolicy | kRoads,
     BuildsHaveProfile},
    {"policy/cgroup-parent", "the policy lists the engine's cgroup parent", kPolicy | kRoads,
     CgroupParent},
    {"policy/pins", "the images that engines keep under pinned names have one of their digests",
     kPolicy, Pins},
    {"policy/trials", "no container has the policy of a trial that is over", kPolicy, Trials},
    {"policy/acknowledged", "every acknowledgement in doctor.json fits a finding and has not ended",
     kAcknowledgements, Acknowledged},
};

}  // namespace

std::span<const Check> PolicyChecks() { return kPolicyChecks; }

}  // namespace runclad::doctor
