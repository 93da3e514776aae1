// podman's bind of the host's /sys, as host-mounts and kernel-filesystems have it.
#include "runclad/rules/engine_sys.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rule_test.hpp"

namespace runclad::rules::engine_sys_test {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Not;
using Owner = NamespaceFacts::Owner;

constexpr const char* kUser = "/proc/7/ns/user";
constexpr const char* kNetwork = "/proc/7/ns/net";

// podman run --network container:u1 --userns container:u1
json Document() {
  return json::parse(R"({
    "process": {"capabilities": {"bounding": ["CAP_KILL"]}},
    "mounts": [
      {"destination": "/proc", "type": "proc", "source": "proc"},
      {"destination": "/sys", "type": "bind", "source": "/sys",
       "options": ["rprivate", "nosuid", "noexec", "nodev", "ro", "rbind"]}],
    "linux": {
      "maskedPaths": ["/proc/kcore", "/sys/firmware"],
      "uidMappings": [{"containerID": 0, "hostID": 100000, "size": 65536}],
      "namespaces": [{"type": "user", "path": "/proc/7/ns/user"},
                     {"type": "network", "path": "/proc/7/ns/net"}]}})");
}

Facts Known() {
  Facts facts;
  facts.Get<KernelFacts>().major = 6;
  facts.Get<KernelFacts>().minor = 1;
  facts.Get<Sources>()["/sys"] = {.access = SourceFacts::Access::kDenied,
                                  .resolved = "/sys",
                                  .because = "is /sys",
                                  .list = SourceFacts::List::kDeny};
  facts.Get<Namespaces>()[kUser] = {.owner = Owner::kContainer, .container = "u1", .inode = 9};
  facts.Get<Namespaces>()[kNetwork] = {.owner = Owner::kContainer, .container = "u1", .inode = 8};
  facts.Get<UserNamespace>() = {.root = 100000};
  facts.Get<HostSys>() = HostSysFacts{.mounts = {"/sys/kernel/debug", "/sys/odd"},
                                      .network = {"/sys/class/net", "/sys/devices/virtual/net"}};
  return facts;
}

enforce::Decision Decide(const json& document, const Facts& facts) {
  policy::Effective policy;
  policy.rules["host-mounts"].action = policy::Action::kFix;
  policy.rules["kernel-filesystems"].action = policy::Action::kRefuse;
  return enforce::Decide(SpecOf(document.dump()), policy, facts, Scope::kContainer);
}

// "host-mounts/engine-sys: why" of what is refused; empty: nothing is.
std::string Refusal(const json& document, const Facts& facts = Known()) {
  for (const enforce::Applied& applied : Decide(document, facts).findings) {
    if (applied.disposition != enforce::Disposition::kRefused) continue;
    const std::string code = applied.finding.code == nullptr ? "" : applied.finding.code->id;
    return std::string(applied.rule->id()) + "/" + code + ": " + applied.finding.why;
  }
  return {};
}

TEST(EngineSys, IsReadOnlyAndMasked) {
  const enforce::Decision decision = Decide(Document(), Known());
  EXPECT_EQ(decision.outcome, enforce::Outcome::kRewritten);
  const oci::Mount& sys = decision.spec.mounts().at(1);
  EXPECT_THAT(sys.options, ElementsAre("rprivate", "nosuid", "noexec", "nodev", "ro", "rbind",
                                       "rro", "rnosuid", "rnodev", "rnoexec"));
  EXPECT_THAT(decision.spec.masked_paths(),
              IsSupersetOf({"/proc/kcore", "/sys/firmware", "/sys/fs/cgroup", "/sys/kernel/debug",
                            "/sys/kernel/tracing", "/sys/kernel/security", "/sys/fs/bpf",
                            "/sys/fs/pstore", "/sys/fs/fuse/connections", "/sys/odd",
                            "/sys/class/net", "/sys/devices/virtual/net"}));
  EXPECT_THAT(
      CodesAndRemedies(decision),
      ElementsAre("engine-sys: none: the host's mounts below /sys give power over the host",
                  "engine-sys: none: the host's mounts below /sys give power over the host"));
  EXPECT_TRUE(IsHardenedSys(decision.spec, sys, Known()));
  // Nothing is left to do for a second time.
  const enforce::Decision again = Decide(json::parse(decision.spec.Write()), Known());
  EXPECT_EQ(again.outcome, enforce::Outcome::kUnchanged);
}

TEST(EngineSys, CanBeRequestedInPodmansForm) {
  json document = Document();
  document["mounts"][1]["options"] = {"ro", "rprivate", "rbind"};
  const enforce::Decision decision = Decide(document, Known());
  EXPECT_EQ(decision.outcome, enforce::Outcome::kRewritten);
  EXPECT_THAT(decision.spec.mounts().at(1).options,
              IsSupersetOf({"rro", "rnosuid", "rnodev", "rnoexec", "nosuid", "nodev", "noexec"}));
}

TEST(EngineSys, ShowsNetworkDevicesOnTheHostsNetwork) {
  Facts facts = Known();
  facts.Get<Namespaces>()[kNetwork].owner = Owner::kHost;
  EXPECT_THAT(Decide(Document(), facts).spec.masked_paths(),
              AllOf(Contains("/sys/kernel/debug"), Not(Contains("/sys/class/net"))));
  json document = Document();
  document["linux"]["namespaces"].erase(1);
  EXPECT_THAT(Decide(document, Known()).spec.masked_paths(), Not(Contains("/sys/class/net")));
}

// podman 5 mounts the container's own over the host's.
TEST(EngineSys, KeepsTheContainersCgroupsVisible) {
  json document = Document();
  document["mounts"].push_back({{"destination", "/sys/fs/cgroup"},
                                {"type", "cgroup"},
                                {"source", "/sys/fs/cgroup"},
                                {"options", {"rprivate", "nosuid", "noexec", "nodev", "ro"}}});
  Facts facts = Known();
  facts.Get<HostSys>()->mounts.emplace_back("/sys/fs/cgroup");
  const enforce::Decision decision = Decide(document, facts);
  EXPECT_EQ(decision.outcome, enforce::Outcome::kRewritten);
  EXPECT_THAT(decision.spec.masked_paths(),
              AllOf(Contains("/sys/kernel/debug"), Not(Contains("/sys/fs/cgroup"))));
  EXPECT_TRUE(IsHardenedSys(decision.spec, decision.spec.mounts().at(1), facts));
}

TEST(EngineSys, IsAllowedInANewUserNamespace) {
  json document = Document();
  document["linux"]["namespaces"][0].erase("path");
  EXPECT_EQ(Refusal(document), "");
}

struct Case {
  const char* name;
  const char* patch;
  const char* why;  // a part of "rule/code: why"
};

TEST(EngineSys, IsRefusedIfWiderThanPodmans) {
  const Case cases[] = {
      {"writable", R"([{"op":"replace","path":"/mounts/1/options/4","value":"rw"}])",
       "host-mounts/engine-sys: has the option rw"},
      {"writable below", R"([{"op":"add","path":"/mounts/1/options/-","value":"rrw"}])",
       "host-mounts/engine-sys: has the option rrw"},
      {"not read-only", R"([{"op":"remove","path":"/mounts/1/options/4"}])",
       "host-mounts/engine-sys: lacks the option ro"},
      {"shared", R"([{"op":"replace","path":"/mounts/1/options/0","value":"rshared"}])",
       "host-mounts/engine-sys: has the option rshared"},
      {"a slave", R"([{"op":"replace","path":"/mounts/1/options/0","value":"rslave"}])",
       "host-mounts/engine-sys: has the option rslave"},
      {"with devices", R"([{"op":"add","path":"/mounts/1/options/-","value":"dev"}])",
       "host-mounts/engine-sys: has the option dev"},
      {"with other ids", R"([{"op":"add","path":"/mounts/1/options/-","value":"idmap"}])",
       "host-mounts/engine-sys: has the option idmap"},
      {"a remount", R"([{"op":"add","path":"/mounts/1/options/-","value":"remount"}])",
       "host-mounts/remount: "},
      {"elsewhere", R"([{"op":"replace","path":"/mounts/1/destination","value":"/host-sys"}])",
       "host-mounts/denied: is /sys"},
      {"another spelling", R"([{"op":"replace","path":"/mounts/1/destination","value":"/sys/"}])",
       "host-mounts/denied: is /sys"},
      {"a part of it", R"([{"op":"replace","path":"/mounts/1/source","value":"/sys/kernel"}])",
       "host-mounts/unknown: "},
      {"a mount more below it",
       R"([{"op":"add","path":"/mounts/-","value":{"destination":"/sys/kernel","type":"tmpfs"}}])",
       "host-mounts/engine-sys: is not the only mount at or below /sys"},
      {"a cgroup tree that it covers",
       R"([{"op":"add","path":"/mounts/0","value":{"destination":"/sys/fs/cgroup","type":"cgroup"}}])",
       "host-mounts/engine-sys: is not the only mount at or below /sys"},
      {"a bind of the cgroup tree below it",
       R"([{"op":"add","path":"/mounts/-","value":{"destination":"/sys/fs/cgroup","type":"cgroup",)"
       R"("source":"/sys/fs/cgroup","options":["bind"]}}])",
       "host-mounts/engine-sys: is not the only mount at or below /sys"},
      {"twice", R"([{"op":"copy","from":"/mounts/1","path":"/mounts/-"}])",
       "host-mounts/engine-sys: is not the only mount at or below /sys"},
      {"with CAP_SYS_ADMIN",
       R"([{"op":"add","path":"/process/capabilities/bounding/-","value":"CAP_SYS_ADMIN"}])",
       "host-mounts/engine-sys: would be had with CAP_SYS_ADMIN"},
  };
  for (const Case& entry : cases) {
    EXPECT_THAT(Refusal(Document().patch(json::parse(entry.patch))), HasSubstr(entry.why))
        << entry.name;
  }
}

TEST(EngineSys, IsRefusedIfTheHostsMountsAreUnknown) {
  Facts facts = Known();
  facts.Get<UserNamespace>().reset();
  EXPECT_EQ(Refusal(Document(), facts), "host-mounts/denied: is /sys, which is on the deny list");
  facts = Known();
  facts.Get<HostSys>().reset();
  EXPECT_EQ(Refusal(Document(), facts), "host-mounts/denied: is /sys, which is on the deny list");
  facts = Known();
  facts.Get<HostSys>()->fault = "is not a sysfs file system on this host";
  EXPECT_THAT(Refusal(Document(), facts), HasSubstr("engine-sys: is not a sysfs file system"));
  facts = Known();
  facts.Get<UserNamespace>()->has_host_ids = true;
  EXPECT_THAT(Refusal(Document(), facts), HasSubstr("engine-sys: would be read by a user namesp"));
  facts = Known();
  facts.Get<KernelFacts>().major = 5;
  facts.Get<KernelFacts>().minor = 11;
  EXPECT_THAT(Refusal(Document(), facts), HasSubstr("before Linux 5.12"));
  facts = Known();
  facts.Get<Sources>()["/sys"].resolved = "/srv/sys";
  EXPECT_THAT(Refusal(Document(), facts), HasSubstr("host-mounts/denied"));
  facts = Known();
  facts.Get<Destinations>().resolved["/sys"] = "/elsewhere";
  EXPECT_THAT(Refusal(Document(), facts), HasSubstr("host-mounts/denied"));
  for (const Owner owner : {Owner::kHost, Owner::kForeign, Owner::kUnclaimed, Owner::kUnreadable}) {
    facts = Known();
    facts.Get<Namespaces>()[kUser].owner = owner;
    EXPECT_THAT(Refusal(Document(), facts), HasSubstr("engine-sys: would be read from a user"));
  }
}

// A policy that only warns leaves the bind as it is: kernel-filesystems has none but the hardened.
TEST(EngineSys, IsRefusedIfItCannotBeHardened) {
  policy::Effective policy;
  policy.rules["host-mounts"].action = policy::Action::kWarn;
  policy.rules["kernel-filesystems"].action = policy::Action::kRefuse;
  const enforce::Decision decision =
      enforce::Decide(SpecOf(Document().dump()), policy, Known(), Scope::kContainer);
  EXPECT_EQ(decision.outcome, enforce::Outcome::kRefused);
}

}  // namespace
}  // namespace runclad::rules::engine_sys_test
