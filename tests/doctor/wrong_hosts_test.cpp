// Hosts made wrong on purpose. Long: a table with one fault of each kind. The check that is named
// finds it, no other does, and nothing is found on the right host.
#include <filesystem>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runclad/doctor/doctor.hpp"
#include "runclad/doctor/host_runtimes.hpp"

#include "doctor/sections.hpp"
#include "right_host.hpp"

namespace runclad::doctor::wrong_hosts_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

struct WrongHost {
  const char* name;
  void (*spoil)(Facts& facts);
  const char* check;
  Level level;
  const char* sentence;  // a part of it
};

EngineFacts& Engine(Facts& facts, std::string_view name) {
  for (EngineFacts& engine : facts.roads.engines) {
    if (engine.engine == name) return engine;
  }
  ADD_FAILURE() << "there is no " << name;
  return facts.roads.engines.front();
}

void Expose(EngineFacts& engine) {
  engine.runtimes.push_back({"plain", "/opt/plain/runc", false, false, ""});
  engine.default_runtime = "plain";
}

PolicyFault Fault(const char* kind, bool is_fault = true) {
  return {"/etc/runclad/policy.json", 7, is_fault, kind, "something about it"};
}

const WrongHost kHosts[] = {
    {"dockerd hangs", [](Facts& facts) { Engine(facts, "docker").fault = "no answer in 5 s"; },
     "roads/engines-answer", Level::kUnknown, "no answer in 5 s"},
    {"docker's default", [](Facts& facts) { Expose(Engine(facts, "docker")); },
     "roads/docker-default", Level::kCritical, "plain (/opt/plain/runc)"},
    {"docker's runc", [](Facts& facts) { Engine(facts, "docker").runtimes[1].is_runclad = false; },
     "roads/docker-runtimes", Level::kWarning, "docker run --runtime runc"},
    {"a shim of docker's",
     [](Facts& facts) { Engine(facts, "docker").shims[0].is_runclad = false; },
     "roads/docker-shims", Level::kWarning, "io.containerd.runc.v2"},
    {"another program in the place of a closed runtime",
     [](Facts& facts) { facts.roads.runtimes[0].fault = "another program has taken its place"; },
     "roads/closed-runtimes", Level::kWarning, "has taken its place"},
    {"another policy by name",
     [](Facts& facts) {
       Engine(facts, "docker")
           .runtimes.push_back(
               {"audit", "/usr/sbin/runclad", true, false, "--runclad-config=/etc/audit"});
     },
     "roads/docker-policies", Level::kWarning, "--runclad-config=/etc/audit"},
    {"docker's builds", [](Facts& facts) { Engine(facts, "docker").builder->is_runclad = false; },
     "roads/builds", Level::kWarning, "/usr/sbin/runc"},
    {"buildkitd's builds",
     [](Facts& facts) { Engine(facts, "buildkit").builder->is_runclad = false; }, "roads/builds",
     Level::kWarning, "/usr/sbin/runclad"},
    {"podman's default", [](Facts& facts) { Expose(Engine(facts, "podman")); },
     "roads/podman-default", Level::kCritical, "plain"},
    {"containerd's default", [](Facts& facts) { Expose(Engine(facts, "containerd")); },
     "roads/containerd-default", Level::kCritical, "plain"},
    {"containerd's default, without pods",
     [](Facts& facts) {
       Expose(Engine(facts, "containerd"));
       facts.roads.has_kubelet = false;
     },
     "roads/containerd-default", Level::kWarning, "plain"},
    {"a handler of containerd's",
     [](Facts& facts) { Engine(facts, "containerd").runtimes[1].is_runclad = false; },
     "roads/containerd-runtimes", Level::kWarning, "handler runc"},
    {"CRI-O's default", [](Facts& facts) { Expose(Engine(facts, "crio")); }, "roads/crio-default",
     Level::kCritical, "plain"},
    {"a handler of CRI-O's",
     [](Facts& facts) { Engine(facts, "crio").runtimes[1].is_runclad = false; },
     "roads/crio-runtimes", Level::kWarning, "handler runc"},
    {"a program that is gone",
     [](Facts& facts) {
       Engine(facts, "docker").runtimes.push_back({"old", "/opt/runclad", false, true, ""});
     },
     "roads/missing-programs", Level::kWarning, "/opt/runclad"},
    {"containerd was not restarted",
     [](Facts& facts) { Engine(facts, "containerd").is_stale = true; }, "roads/restart-pending",
     Level::kWarning, "changed after"},
    {"an older container runs",
     [](Facts& facts) { Engine(facts, "docker").containers[0].runtime = "runc-old"; },
     "roads/containers", Level::kCritical, "web"},
    {"an older container is stopped",
     [](Facts& facts) {
       Engine(facts, "docker").containers.push_back({"db", "runc-old", "docker rm", false});
     },
     "roads/containers", Level::kWarning, "would start"},
    {"a container that runclad did not start",
     [](Facts& facts) {
       facts.roads.unrecorded = {{"sneaky (0123)", "docker", "/usr/sbin/runc", "docker rm"}};
     },
     "roads/running", Level::kCritical, "by /usr/sbin/runc, and runclad has no record"},
    {"docker's API by TCP",
     [](Facts& facts) { Engine(facts, "docker").open_addresses = {"tcp://0.0.0.0:2375"}; },
     "roads/open-addresses", Level::kCritical, "2375"},
    {"a socket for everyone", [](Facts& facts) { facts.roads.open_sockets = {"/run/docker.sock"}; },
     "roads/open-sockets", Level::kCritical, "every user"},
    {"another engine's socket",
     [](Facts& facts) { facts.roads.other_sockets = {"/run/podman/podman.sock"}; },
     "roads/other-sockets", Level::kWarning, "cannot ask"},
    {"a rootless engine",
     [](Facts& facts) {
       facts.roads.rootless = {{77, 1000, "dockerd"}};
     },
     "roads/rootless", Level::kWarning, "user 1000"},
    {"an NRI plugin",
     [](Facts& facts) { Engine(facts, "containerd").nri_plugins = {"/opt/nri/plugins/10-x"}; },
     "roads/nri-plugins", Level::kWarning, "10-x"},
    {"an engine inside", [](Facts& facts) { facts.roads.embedded = {"k0s"}; }, "roads/embedded",
     Level::kWarning, "embedded"},
    {"buildah by chroot", [](Facts& facts) { facts.roads.chroot_settings = {"/etc/environment"}; },
     "roads/buildah-chroot", Level::kWarning, "chroot"},
    {"a policy that cannot be read",
     [](Facts& facts) { facts.policy.fault = "policy.json line 3: unknown rule"; },
     "policy/readable", Level::kCritical, "line 3"},
    {"a policy that cannot be read, as lint says, too",
     [](Facts& facts) {
       facts.policy.faults = {Fault("format")};
       facts.policy.fault = "policy /etc/runclad/policy.json line 7: something about it";
     },
     "policy/readable", Level::kCritical, "line 7"},
    {"a fault of the policy", [](Facts& facts) { facts.policy.faults = {Fault("format")}; },
     "policy/lint", Level::kCritical, "something"},
    {"mode audit", [](Facts& facts) { facts.policy.is_audit = true; }, "policy/enforced",
     Level::kWarning, "audit"},
    {"the glass is broken", [](Facts& facts) { facts.policy.break_glass = "incident 7"; },
     "policy/break-glass", Level::kCritical, "incident 7"},
    {"a container of the hour without a policy",
     [](Facts& facts) { facts.roads.audited = {"web (0123)"}; }, "policy/audited-containers",
     Level::kCritical, "nothing was enforced"},
    {"a trial that is over",
     [](Facts& facts) { facts.policy.abandoned_trials = {std::string(64, 'a')}; }, "policy/trials",
     Level::kWarning, "learn was killed"},
    {"an acknowledgement that ended",
     [](Facts& facts) {
       facts.policy.acknowledgements = {{"runtime/known-holes", "ended on 2026-01-01"}};
     },
     "policy/acknowledged", Level::kWarning, "2026-01-01"},
    {"a directory in place of the switch",
     [](Facts& facts) { facts.policy.break_glass_fault = "is not a regular file"; },
     "policy/break-glass", Level::kWarning, "regular file"},
    {"a policy that broke", [](Facts& facts) { facts.policy.fell_back_because = "line 3"; },
     "policy/fallback", Level::kCritical, "line 3"},
    {"an expired waiver", [](Facts& facts) { facts.policy.faults = {Fault("waiver-expired")}; },
     "policy/expired-waivers", Level::kWarning, "something"},
    {"a waiver that expires",
     [](Facts& facts) { facts.policy.faults = {Fault("waiver-expires", false)}; },
     "policy/expiring-waivers", Level::kWarning, "something"},
    {"a grant beyond trust", [](Facts& facts) { facts.policy.faults = {Fault("beyond-trust")}; },
     "policy/void-grants", Level::kWarning, "something"},
    {"a grant without effect",
     [](Facts& facts) { facts.policy.faults = {Fault("no-effect", false)}; }, "policy/void-grants",
     Level::kWarning, "something"},
    {"a waiver that equals root",
     [](Facts& facts) { facts.policy.faults = {Fault("waiver-equals-root", false)}; },
     "policy/root-waivers", Level::kWarning, "something"},
    {"rootless callers pass", [](Facts& facts) { facts.policy.passes_rootless = true; },
     "policy/rootless", Level::kWarning, "unchanged"},
    {"builds without a profile",
     [](Facts& facts) {
       facts.policy.builds = "";
       std::erase_if(facts.roads.engines,
                     [](const EngineFacts& engine) { return engine.engine != "buildkit"; });
     },
     "policy/builds", Level::kWarning, "cannot write"},
    {"a cgroup parent that is not listed",
     [](Facts& facts) { Engine(facts, "docker").cgroup_parent = "/mine"; }, "policy/cgroup-parent",
     Level::kCritical, "/mine"},
    {"a pin of another image",
     [](Facts& facts) { facts.policy.unheld_pins = {"docker.io/library/nginx"}; }, "policy/pins",
     Level::kWarning, "other digests"},
    {"a log that cannot be written",
     [](Facts& facts) { facts.logs.front().fault = "it cannot be written (EROFS)"; },
     "log/writable", Level::kWarning, "EROFS"},
    {"a required log that cannot be written",
     [](Facts& facts) {
       facts.logs.front().fault = "it cannot be written (EROFS)";
       facts.logs.front().is_required = true;
     },
     "log/writable", Level::kCritical, "refused"},
    {"a target of the forward that cannot be written",
     [](Facts& facts) {
       facts.logs.push_back({.target = "file:/x", .fault = "it is gone", .is_forward = true});
     },
     "log/writable", Level::kWarning, "not forwarded"},
    {"a log where containers write",
     [](Facts& facts) {
       facts.logs.front().exposed = "/srv could be changed by a container";
       facts.policy.faults = {Fault("log-exposed")};
     },
     "log/exposed", Level::kCritical, "as root"},
    {"a forward to the log itself",
     [](Facts& facts) { facts.logs.push_back({.is_forward = true, .is_log_itself = true}); },
     "log/forward", Level::kWarning, "twice"},
    {"a log that others can change",
     [](Facts& facts) { facts.logs.front().unsafe_part = "/var/log/runclad"; }, "log/protected",
     Level::kCritical, "/var/log/runclad"},
    {"a full disk",
     [](Facts& facts) {
       facts.logs.front().free_bytes = 0;
       facts.logs.front().free_share = 0;
     },
     "log/space", Level::kCritical, "0 MiB"},
    {"a large log", [](Facts& facts) { facts.logs.front().bytes = std::uint64_t{2} << 30U; },
     "log/size", Level::kWarning, "2048 MiB"},
    {"journald without a journald",
     [](Facts& facts) {
       facts.logs.front().target = "journald";
       facts.logs.front().path = "";
       facts.logs.front().has_journald = false;
     },
     "log/journald", Level::kCritical, "nothing listens"},
    {"syslog without one",
     [](Facts& facts) {
       facts.logs.front().target = "syslog";
       facts.logs.front().path = "";
       facts.logs.front().has_syslog = false;
     },
     "log/syslog", Level::kCritical, "/dev/log"},
    {"a log that is forwarded to syslog without one",
     [](Facts& facts) { facts.logs.push_back({.target = "syslog", .has_syslog = false}); },
     "log/syslog", Level::kCritical, "/dev/log"},
    {"no lower runtime", [](Facts& facts) { facts.runtime.fault = "no lower runtime"; },
     "runtime/found", Level::kCritical, "no lower runtime"},
    {"an old runc of one's own", [](Facts& facts) { facts.runtime.version = "1.4.2"; },
     "runtime/known-holes", Level::kCritical, "CVE-2026-41579"},
    {"an old runc of a distribution's",
     [](Facts& facts) {
       facts.runtime.version = "1.4.2";
       facts.runtime.package = "runc 1.4.2-1";
     },
     "runtime/known-holes", Level::kWarning, "does not name it"},
    {"an old crun",
     [](Facts& facts) {
       facts.runtime.kind = "crun";
       facts.runtime.version = "1.27";
     },
     "runtime/known-holes", Level::kCritical, "CVE-2026-47766"},
    {"a kernel without filters", [](Facts& facts) { facts.kernel.features[0].is_there = false; },
     "kernel/features", Level::kCritical, "seccomp"},
    {"an old kernel", [](Facts& facts) { facts.kernel.features[1].is_there = false; },
     "kernel/features", Level::kWarning, "openat2"},
    {"a controller that is off",
     [](Facts& facts) { facts.kernel.missing_controllers = {"memory"}; },
     "kernel/cgroup-controllers", Level::kWarning, "memory"},
    {"a hierarchy that is not mounted",
     [](Facts& facts) { facts.kernel.unmounted_hierarchies = {"net_cls"}; },
     "kernel/cgroup-hierarchies", Level::kWarning, "net_cls"},
    {"runclad is not installed", [](Facts& facts) { facts.programs.fault = "it does not run"; },
     "programs/installed", Level::kCritical, "does not run"},
    {"a directory that others may write",
     [](Facts& facts) { facts.programs.programs[0].unsafe_part = "/usr/sbin"; },
     "programs/protected", Level::kCritical, "/usr/sbin"},
    {"two versions", [](Facts& facts) { facts.programs.own_version = "0.9.0"; },
     "programs/versions", Level::kWarning, "0.9.0"},
    {"a label of SELinux's",
     [](Facts& facts) { facts.programs.programs[0].label = "system_u:object_r:bin_t:s0"; },
     "programs/selinux-labels", Level::kWarning, "bin_t and not"},
    {"AppArmor without a profile",
     [](Facts& facts) { facts.programs.has_container_profile = false; },
     "programs/apparmor-profile", Level::kWarning, "no profile"},
    {"a probe that cannot be run",
     [](Facts& facts) {
       facts.probes[0].answer.reset();
       facts.probes[0].fault = "no space left";
     },
     "probe/ran", Level::kUnknown, "no space left"},
    {"a probe with a capability",
     [](Facts& facts) { facts.probes[0].answer->bounding |= 1U << 21U; }, "probe/confinement",
     Level::kCritical, "CAP_SYS_ADMIN"},
    {"a probe without a filter", [](Facts& facts) { facts.probes[0].answer->seccomp = 0; },
     "probe/confinement", Level::kCritical, "seccomp"},
    {"a probe that could gain privileges",
     [](Facts& facts) { facts.probes[0].answer->has_no_new_privileges = false; },
     "probe/confinement", Level::kCritical, "no_new_privs"},
    {"a probe that can write its root",
     [](Facts& facts) { facts.probes[0].answer->writable = {"/"}; }, "probe/confinement",
     Level::kCritical, "can write /"},
    {"a probe in a namespace of the host's",
     [](Facts& facts) { facts.probes[0].answer->shared = {"net"}; }, "probe/confinement",
     Level::kCritical, "host's net"},
    {"a probe that can mount", [](Facts& facts) { facts.probes[0].answer->succeeded = {"mount"}; },
     "probe/confinement", Level::kCritical, "can mount"},
    {"an attack that succeeds",
     [](Facts& facts) {
       facts.probes[0].attacks[0].is_refused = false;
       facts.probes[0].attacks[0].is_made = true;
     },
     "probe/attacks", Level::kCritical, "--privileged was not refused"},
    {"an attack that fails otherwise",
     [](Facts& facts) {
       facts.probes[0].attacks[0].is_refused = false;
       facts.probes[0].attacks[0].text = "cannot connect";
     },
     "probe/attacks", Level::kUnknown, "cannot connect"},
};

std::vector<std::string> FoundBy(const Facts& facts) {
  std::vector<std::string> ids;
  for (const Check& check : Checks()) {
    if (!check.find(facts).empty()) ids.emplace_back(check.id);
  }
  return ids;
}

TEST(WrongHosts, NothingIsFoundOnACorrectHost) { EXPECT_THAT(FoundBy(RightHost()), IsEmpty()); }

// So each of them would be missed without its check.
TEST(WrongHosts, EachFaultIsFoundByItsCheckAlone) {
  for (const WrongHost& host : kHosts) {
    SCOPED_TRACE(host.name);
    Facts facts = RightHost();
    host.spoil(facts);
    EXPECT_THAT(FoundBy(facts), ElementsAre(host.check));
  }
}

TEST(WrongHosts, AFindingSaysWhatIsWrongWhereAndHowToFixIt) {
  for (const WrongHost& host : kHosts) {
    SCOPED_TRACE(host.name);
    Facts facts = RightHost();
    host.spoil(facts);
    for (const Check& check : Checks()) {
      for (const Finding& finding : check.find(facts)) {
        EXPECT_EQ(finding.level, host.level);
        EXPECT_THAT(finding.sentence, HasSubstr(host.sentence));
        EXPECT_NE(finding.remedy, "");
      }
    }
  }
}

// That host has one fault already, which is reported.
TEST(WrongHosts, AuditedContainersAreOrdinaryWhereNothingIsEnforced) {
  Facts facts = RightHost();
  facts.roads.audited = {"web (0123)"};
  facts.policy.is_audit = true;
  EXPECT_THAT(FoundBy(facts), ElementsAre("policy/enforced"));
}

std::string RemedyOf(const Facts& facts, std::string_view id) {
  for (const Check& check : Checks()) {
    if (check.id != id) continue;
    const auto findings = check.find(facts);
    EXPECT_EQ(findings.size(), 1U);
    return findings.empty() ? "" : findings.front().remedy;
  }
  return "";
}

// dockerd brings runc along: daemon.json has no entry that could be removed.
TEST(WrongHosts, ARemedyFitsTheHost) {
  Facts facts = RightHost();
  Engine(facts, "docker").runtimes[1].is_runclad = false;
  EXPECT_EQ(RemedyOf(facts, "roads/docker-runtimes"), "runcladctl close runc");
  facts = RightHost();
  Engine(facts, "docker").runtimes.push_back({"fast", "/opt/bin/crun", false, false, ""});
  EXPECT_EQ(RemedyOf(facts, "roads/docker-runtimes"),
            "runcladctl close crun, or remove fast from `runtimes` in daemon.json, or from "
            "dockerd's --add-runtime");
  // runclad does not take the command line of runsc.
  facts = RightHost();
  Engine(facts, "docker").runtimes.push_back({"gvisor", "/usr/bin/runsc", false, false, ""});
  EXPECT_EQ(RemedyOf(facts, "roads/docker-runtimes"),
            "remove gvisor from `runtimes` in daemon.json, or from dockerd's --add-runtime");
  facts = RightHost();
  Engine(facts, "docker").shims.push_back({"io.containerd.kata.v2", "/opt/kata", false, false, ""});
  EXPECT_EQ(RemedyOf(facts, "roads/docker-shims"),
            "move /opt/kata out of the PATH of dockerd's containerd");
}

// `runcladctl close` prints one where doctor finds the other.
TEST(HostRuntimes, AreOpenIfDoctorFindsAWayToThem) {
  const std::string file = std::filesystem::canonical("/proc/self/exe");
  EXPECT_THAT(WaysTo(RightHost().roads, file), IsEmpty());
  const std::pair<RuntimeFact& (*)(Facts&), std::string> cases[] = {
      {[](Facts& facts) -> RuntimeFact& { return Engine(facts, "docker").runtimes[1]; },
       "docker run --runtime runc"},
      {[](Facts& facts) -> RuntimeFact& { return Engine(facts, "docker").shims[0]; },
       "docker run --runtime io.containerd.runc.v2"},
      {[](Facts& facts) -> RuntimeFact& { return *Engine(facts, "docker").builder; },
       "builds (docker)"},
      {[](Facts& facts) -> RuntimeFact& { return Engine(facts, "containerd").runtimes[1]; },
       "pods with the runtime handler runc (containerd)"},
      {[](Facts& facts) -> RuntimeFact& { return Engine(facts, "podman").runtimes[0]; },
       "podman run"}};
  for (const auto& [runtime, way] : cases) {
    Facts facts = RightHost();
    runtime(facts).is_runclad = false;
    runtime(facts).program = file;
    EXPECT_THAT(WaysTo(facts.roads, file), ElementsAre(way));
    EXPECT_THAT(FoundBy(facts), SizeIs(1)) << way;
    EXPECT_THAT(WaysTo(facts.roads, "/usr/bin/crun"), IsEmpty());
  }
}

// What is configured is not taken for what is in effect.
TEST(WrongHosts, AnEngineThatCannotBeProbedIsNotProven) {
  const auto unproven = [](const Facts& facts) {
    std::vector<std::string> ways;
    for (const ProbeFacts& probe : Unprobed(facts.roads)) {
      EXPECT_NE(probe.unproven, "");
      EXPECT_FALSE(probe.answer);
      ways.push_back(probe.engine + " " + probe.way);
    }
    return ways;
  };
  Facts facts = RightHost();
  EXPECT_THAT(unproven(facts),
              ElementsAre("docker build steps", "crio pods", "buildkit build steps"));
  Examination examination{{}, facts.probes};
  EXPECT_TRUE(examination.is_proven());
  examination.probes.push_back(Unprobed(facts.roads)[1]);
  EXPECT_FALSE(examination.is_proven());
  EXPECT_FALSE(Examination().is_proven());
  facts.probes = examination.probes;
  EXPECT_THAT(FoundBy(facts), IsEmpty());  // it is no fault of the host
  // What does not even say that it uses runclad is a finding.
  Expose(Engine(facts, "crio"));
  Engine(facts, "docker").builder->is_runclad = false;
  Engine(facts, "buildkit").fault = "buildkitd.toml cannot be read";
  EXPECT_THAT(unproven(facts), IsEmpty());
}

TEST(WrongHosts, ACgroupParentIsFineIfItsRuleIsOff) {
  Facts facts = RightHost();
  Engine(facts, "docker").cgroup_parent = "/mine";
  EXPECT_THAT(FoundBy(facts), SizeIs(1));
  facts.policy.ignores_cgroup_parents = true;
  EXPECT_THAT(FoundBy(facts), IsEmpty());
}

TEST(WrongHosts, EveryCheckHasAHost) {
  std::set<std::string_view> tested;
  for (const WrongHost& host : kHosts) tested.insert(host.check);
  std::set<std::string_view> ids;
  for (const Check& check : Checks()) {
    EXPECT_TRUE(ids.insert(check.id).second) << check.id << " is listed twice";
    EXPECT_TRUE(tested.contains(check.id)) << check.id;
    EXPECT_NE(check.expected, "") << check.id;
  }
}

}  // namespace
}  // namespace runclad::doctor::wrong_hosts_test
