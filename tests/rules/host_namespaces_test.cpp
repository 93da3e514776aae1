// The rules of namespaces. Long: two tables, of every type by every way to name one.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "runclad/enforce/log.hpp"
#include "runclad/rules/rule.hpp"

#include "rule_test.hpp"

namespace runclad::rules::host_namespaces_test {
namespace {

using Owner = NamespaceFacts::Owner;

struct Case {
  std::string name;
  std::string namespaces;  // elements of /linux/namespaces
  std::vector<std::string> allow;
  std::vector<std::string> join;
  std::vector<std::string> refused;  // "path value why"
};

void PrintTo(const Case& test, std::ostream* out) { *out << test.name; }

class HostNamespaces : public ::testing::TestWithParam<Case> {};

TEST_P(HostNamespaces, RefusesForeignNamespaces) {
  const auto spec = oci::Spec::Parse(R"({"linux":{"namespaces":[)" + GetParam().namespaces + "]}}");
  ASSERT_TRUE(spec) << spec.error().message;
  Facts facts;
  facts.Get<Namespaces>() = {
      {"/host", {Owner::kHost, {}}},
      {"/peer", {Owner::kContainer, "peer"}},
      {"/other", {Owner::kContainer, "other"}},
      {"/pinned", {Owner::kEngine, {}}},
      {"/unclaimed", {Owner::kUnclaimed, {}}},
      {"/foreign", {Owner::kForeign, {}}},
      {"/infra", {Owner::kContainer, {}}},
      {"/hidden", {Owner::kUnreadable, {}}},
  };
  policy::Parameters parameters;
  parameters.Set("allow", GetParam().allow);
  parameters.Set("join", GetParam().join);
  std::vector<std::string> refused;
  for (const Finding& finding :
       FindRule("host-namespaces")->check.run(*spec, {parameters}, facts)) {
    EXPECT_FALSE(finding.has_safe_form());
    refused.push_back(finding.path + " " + finding.before.Dump() + " " + finding.why);
  }
  ExpectRemediesHelp("host-namespaces", *spec, parameters, facts);
  EXPECT_EQ(refused, GetParam().refused);
}

const std::string kNew =  // one of each, the container's own
    R"({"type":"pid"},{"type":"network"},{"type":"ipc"},{"type":"uts"},{"type":"mount"})";

// All five, `type` with a path.
std::string With(const std::string& type, const std::string& path) {
  std::string all = kNew;
  const std::string plain = R"("type":")" + type + R"(")";
  return all.replace(all.find(plain), plain.size(), plain + R"(,"path":")" + path + R"(")");
}

const std::vector<std::string> kJoin = {"network", "ipc"};
const std::string kMissing = " namespace, so that the container would use the host's";

INSTANTIATE_TEST_SUITE_P(
    Table, HostNamespaces,
    ::testing::Values(
        Case{"OwnNamespaces", kNew, {}, kJoin, {}},
        Case{"NoNamespaces",
             "",
             {},
             kJoin,
             {"/linux/namespaces null has no pid" + kMissing,
              "/linux/namespaces null has no network" + kMissing,
              "/linux/namespaces null has no ipc" + kMissing,
              "/linux/namespaces null has no uts" + kMissing,
              "/linux/namespaces null has no mount" + kMissing}},
        Case{"CgroupUserAndTimeNeedNotBeThere", kNew, {}, kJoin, {}},
        Case{"HostNetworkByPath",
             With("network", "/host"),
             {},
             kJoin,
             {R"(/linux/namespaces/1/path "/host" is the host's network namespace)"}},
        Case{"HostPidByPath",
             With("pid", "/host"),
             {},
             kJoin,
             {R"(/linux/namespaces/0/path "/host" is the host's pid namespace)"}},
        Case{"HostMountIsNeverAllowed",
             With("mount", "/host"),
             {"network", "pid", "ipc", "uts"},
             kJoin,
             {R"(/linux/namespaces/4/path "/host" is the host's mount namespace)"}},
        Case{"AllowedHostNetworkByPath", With("network", "/host"), {"network"}, kJoin, {}},
        Case{"AllowedHostNetworkByAbsence",
             R"({"type":"pid"},{"type":"ipc"},{"type":"uts"},{"type":"mount"})",
             {"network"},
             kJoin,
             {}},
        Case{"AllowedHostNetworkLeavesPidRefused",
             With("pid", "/host"),
             {"network"},
             kJoin,
             {R"(/linux/namespaces/0/path "/host" is the host's pid namespace)"}},
        Case{"JoinsARecordedContainersNetwork", With("network", "/peer"), {}, kJoin, {}},
        Case{"JoinsARecordedContainersIpc", With("ipc", "/peer"), {}, kJoin, {}},
        Case{"DoesNotJoinARecordedContainersPid",
             With("pid", "/peer"),
             {},
             kJoin,
             {R"(/linux/namespaces/0/path "/peer" is the pid namespace of container peer)"}},
        Case{"DoesNotJoinARecordedContainersUtsAlone",
             With("uts", "/peer"),
             {},
             kJoin,
             {R"(/linux/namespaces/3/path "/peer" is the uts namespace of container peer)"}},
        Case{"JoinsThePodsUts",
             R"({"type":"pid"},{"type":"network","path":"/peer"},{"type":"ipc","path":"/peer"},)"
             R"({"type":"uts","path":"/peer"},{"type":"mount"})",
             {},
             kJoin,
             {}},
        Case{"DoesNotJoinAnothersUtsInAPod",
             R"({"type":"pid"},{"type":"network","path":"/peer"},{"type":"ipc","path":"/peer"},)"
             R"({"type":"uts","path":"/other"},{"type":"mount"})",
             {},
             kJoin,
             {R"(/linux/namespaces/3/path "/other" is the uts namespace of container other)"}},
        // podman pod create --share pid: by podman's own record.
        Case{"JoinsTheInfraContainersPid", With("pid", "/infra"), {}, {}, {}},
        Case{"PidCanBeJoinedByPolicy", With("pid", "/peer"), {}, {"pid"}, {}},
        Case{"NoJoinWithoutPolicy",
             With("network", "/peer"),
             {},
             {},
             {R"(/linux/namespaces/1/path "/peer" is the network namespace of container peer)"}},
        Case{"EnginesNetwork", With("network", "/pinned"), {}, kJoin, {}},
        Case{"EnginesPinIsNoPid",
             With("pid", "/pinned"),
             {},
             kJoin,
             {R"(/linux/namespaces/0/path "/pinned" is a pid namespace that an engine made for )"
              "something else"}},
        Case{"PinnedForAnother",
             With("network", "/unclaimed"),
             {"ipc"},
             kJoin,
             {R"(/linux/namespaces/1/path "/unclaimed" is a network namespace that the engine's )"
              "record does not give to this container"}},
        Case{"PinnedForAnotherByLeave", With("network", "/unclaimed"), {"network"}, kJoin, {}},
        Case{"ForeignNetwork",
             With("network", "/foreign"),
             {"network"},
             kJoin,
             {R"(/linux/namespaces/1/path "/foreign" is the network namespace of a process that )"
              "is not in a container created through runclad"}},
        Case{"UnreadablePath",
             With("ipc", "/hidden"),
             {"ipc"},
             kJoin,
             {R"(/linux/namespaces/2/path "/hidden" cannot be examined and could be the )"
              "host's ipc namespace"}},
        Case{"PathWithoutFacts",
             With("ipc", "/nowhere"),
             {},
             kJoin,
             {R"(/linux/namespaces/2/path "/nowhere" cannot be examined and could be )"
              "the host's ipc namespace"}},
        Case{"EveryEntryOfATypeCounts",
             kNew + R"(,{"type":"network","path":"/host"})",
             {},
             kJoin,
             {R"(/linux/namespaces/5/path "/host" is the host's network namespace)"}}),
    [](const auto& instance) { return instance.param.name; });

// --- Kubernetes ---------------------------------------------------------------------------------

enum class Who { kWorkload, kSandbox, kSandboxOfUnknownImage, kNoPods };

struct PodCase {
  std::string name;
  Who who;
  std::string arguments;
  std::string namespaces;
  std::vector<std::string> allow;
  std::vector<std::string> refused;
};

void PrintTo(const PodCase& test, std::ostream* out) { *out << test.name; }

class PodNamespaces : public ::testing::TestWithParam<PodCase> {};

TEST_P(PodNamespaces, AreJudgedByTheirOwner) {
  const auto spec =
      oci::Spec::Parse(R"({"process":{"args":[)" + GetParam().arguments +
                       R"(]},"linux":{"namespaces":[)" + GetParam().namespaces + "]}}");
  ASSERT_TRUE(spec) << spec.error().message;
  Facts facts;
  facts.Get<Namespaces>() = {
      {"/host", {Owner::kHost, {}}},          {"/sandbox", {Owner::kContainer, "sandbox"}},
      {"/own-pids", {Owner::kContainer, {}}}, {"/debugged", {Owner::kContainer, "debugged"}},
      {"/other", {Owner::kForeign, "other"}}, {"/foreign", {Owner::kForeign, {}}},
      {"/pinned", {Owner::kEngine, {}}},      {"/unclaimed", {Owner::kUnclaimed, {}}},
  };
  engine::Identity& identity = facts.Get<engine::Identity>();
  identity.engine = engine::Engine::kContainerd;
  if (GetParam().who != Who::kNoPods) identity.pod_namespace = "shop";
  identity.is_sandbox =
      GetParam().who == Who::kSandbox || GetParam().who == Who::kSandboxOfUnknownImage;
  if (GetParam().who == Who::kSandboxOfUnknownImage) {
    identity.unknown_because = "it is lost";
  } else {
    identity.config_digest = "sha256:1";
  }
  policy::Parameters parameters;
  parameters.Set("allow", GetParam().allow);
  parameters.Set("join", std::vector<std::string>());
  std::vector<std::string> refused;
  for (const Finding& finding :
       FindRule("host-namespaces")->check.run(*spec, {parameters}, facts)) {
    EXPECT_FALSE(finding.has_safe_form());
    refused.push_back(finding.path + " " + finding.before.Dump() + " " + finding.why);
  }
  ExpectRemediesHelp("host-namespaces", *spec, parameters, facts);
  EXPECT_EQ(refused, GetParam().refused);
}

const std::string kPause = R"("/pause")";
const std::string kMount = R"({"type":"mount"})";
// As containerd's CRI plugin has a container of a pod: path of network, uts and ipc, and more.
std::string Member(const std::string& network, const std::string& uts, const std::string& ipc,
                   const std::string& pid = R"({"type":"pid"})") {
  return pid + R"(,{"type":"ipc","path":")" + ipc + R"("},{"type":"uts","path":")" + uts +
         R"("},{"type":"mount"},{"type":"network","path":")" + network + R"("})";
}
const std::string kByPod = ", which its pod requests (hostNetwork, hostPID, hostIPC)";
const std::string kOnlyPause = ": a pod's sandbox may have it only if it runs nothing but pause";

INSTANTIATE_TEST_SUITE_P(
    Table, PodNamespaces,
    ::testing::Values(
        PodCase{"SandboxOfItsOwnNetwork",
                Who::kSandbox,
                kPause,
                R"({"type":"pid"},{"type":"ipc"},{"type":"uts"},{"type":"mount"},)"
                R"({"type":"network","path":"/pinned"})",
                {},
                {}},
        PodCase{"SandboxOfTheHostsNamespaces", Who::kSandbox, kPause, kMount, {}, {}},
        PodCase{"SandboxByPath",
                Who::kSandbox,
                R"("/usr/bin/pod")",
                R"({"type":"pid","path":"/host"},{"type":"mount"})",
                {},
                {}},
        PodCase{"SandboxNeverOfTheHostsMounts",
                Who::kSandbox,
                kPause,
                R"({"type":"pid"})",
                {},
                {"/linux/namespaces null has no mount" + kMissing + kOnlyPause}},
        PodCase{"SandboxOfAnotherPodsNetwork",
                Who::kSandbox,
                kPause,
                R"({"type":"pid"},{"type":"ipc"},{"type":"uts"},{"type":"mount"},)"
                R"({"type":"network","path":"/unclaimed"})",
                {},
                {R"(/linux/namespaces/4/path "/unclaimed" is a network namespace that the )"
                 "engine's record does not give to this container"}},
        PodCase{"SandboxOfAnotherProcesssNetwork",
                Who::kSandbox,
                kPause,
                R"({"type":"network","path":"/foreign"},{"type":"mount"})",
                {},
                {R"(/linux/namespaces/0/path "/foreign" is the network namespace of a process )"
                 "that is not in a container created through runclad"}},
        PodCase{"SandboxThatRunsSomethingElse",
                Who::kSandbox,
                R"("/bin/sh")",
                R"({"type":"pid"},{"type":"ipc"},{"type":"mount"})",
                {},
                {"/linux/namespaces null has no network" + kMissing + kOnlyPause,
                 "/linux/namespaces null has no uts" + kMissing + kOnlyPause}},
        PodCase{"SandboxWithArguments",
                Who::kSandbox,
                R"("/pause","-v")",
                R"({"type":"pid"},{"type":"ipc"},{"type":"uts"},{"type":"mount"})",
                {},
                {"/linux/namespaces null has no network" + kMissing + kOnlyPause}},
        PodCase{"SandboxOfAnImageThatIsNotKnown",
                Who::kSandboxOfUnknownImage,
                kPause,
                R"({"type":"pid"},{"type":"ipc"},{"type":"uts"},{"type":"mount"})",
                {},
                {"/linux/namespaces null has no network" + kMissing +
                 ": a pod's sandbox may have it, but the image of this one is unknown: it "
                 "is lost"}},
        PodCase{"WorkloadThatRunsPause",
                Who::kWorkload,
                kPause,
                R"({"type":"pid"},{"type":"ipc"},{"type":"uts"},{"type":"mount"})",
                {},
                {"/linux/namespaces null has no network" + kMissing + kByPod}},
        PodCase{"PauseOfNoPod",
                Who::kNoPods,
                kPause,
                R"({"type":"pid"},{"type":"ipc"},{"type":"uts"},{"type":"mount"})",
                {},
                {"/linux/namespaces null has no network" + kMissing}},
        PodCase{"WorkloadOfAnOrdinaryPodWithoutAnyJoin",
                Who::kWorkload,
                R"("/app")",
                Member("/sandbox", "/sandbox", "/sandbox"),
                {},
                {}},
        PodCase{"WorkloadThatSharesItsPodsPids",
                Who::kWorkload,
                R"("/app")",
                Member("/sandbox", "/sandbox", "/sandbox", R"({"type":"pid","path":"/own-pids"})"),
                {},
                {}},
        PodCase{"WorkloadInAnothersPids",
                Who::kWorkload,
                R"("/app")",
                Member("/sandbox", "/sandbox", "/sandbox", R"({"type":"pid","path":"/debugged"})"),
                {},
                {R"(/linux/namespaces/0/path "/debugged" is the pid namespace of container )"
                 "debugged"}},
        PodCase{"WorkloadInTheHostsPidsBySandbox",
                Who::kWorkload,
                R"("/app")",
                Member("/sandbox", "/sandbox", "/sandbox", R"({"type":"pid","path":"/host"})"),
                {},
                {R"(/linux/namespaces/0/path "/host" is the host's pid namespace)" + kByPod}},
        PodCase{"WorkloadInheritsTheHostsNetworkAndName",
                Who::kWorkload,
                R"("/app")",
                Member("/host", "/host", "/sandbox"),
                {},
                {R"(/linux/namespaces/4/path "/host" is the host's network namespace)" + kByPod,
                 R"(/linux/namespaces/2/path "/host" is the host's uts namespace)" + kByPod}},
        PodCase{"WorkloadMayHaveTheHostsNetwork",
                Who::kWorkload,
                R"("/app")",
                Member("/host", "/host", "/sandbox"),
                {"network"},
                {}},
        PodCase{"HostsNameComesOnlyWithItsNetwork",
                Who::kWorkload,
                R"("/app")",
                Member("/sandbox", "/host", "/sandbox"),
                {"network"},
                {R"(/linux/namespaces/2/path "/host" is the host's uts namespace)" + kByPod}},
        PodCase{"HostsNameComesOnlyInPods",
                Who::kNoPods,
                R"("/app")",
                R"({"type":"pid"},{"type":"ipc"},{"type":"uts","path":"/host"},{"type":"mount"})",
                {"network"},
                {R"(/linux/namespaces/2/path "/host" is the host's uts namespace)"}},
        PodCase{"WorkloadMayHaveTheHostsIpc",
                Who::kWorkload,
                R"("/app")",
                Member("/sandbox", "/sandbox", "/host"),
                {"ipc"},
                {}},
        PodCase{"HostsNetworkIsNotItsIpc",
                Who::kWorkload,
                R"("/app")",
                Member("/host", "/host", "/host"),
                {"network"},
                {R"(/linux/namespaces/1/path "/host" is the host's ipc namespace)" + kByPod}},
        PodCase{"WorkloadOfHostPid",
                Who::kWorkload,
                R"("/app")",
                Member("/sandbox", "/sandbox", "/sandbox", R"({"type":"pid","path":"/host"})"),
                {"network"},
                {R"(/linux/namespaces/0/path "/host" is the host's pid namespace)" + kByPod}},
        PodCase{"SharedPidIsAskedFor",
                Who::kWorkload,
                R"("/app")",
                Member("/sandbox", "/sandbox", "/sandbox", R"({"type":"pid","path":"/sandbox"})"),
                {},
                {R"(/linux/namespaces/0/path "/sandbox" is the pid namespace of container )"
                 "sandbox"}},
        PodCase{"MountsAreNeverShared",
                Who::kWorkload,
                R"("/app")",
                R"({"type":"pid"},{"type":"ipc"},{"type":"uts"},{"type":"network"},)"
                R"({"type":"mount","path":"/sandbox"})",
                {},
                {R"(/linux/namespaces/4/path "/sandbox" is the mount namespace of container )"
                 "sandbox"}},
        PodCase{"AnotherPodsNetwork",
                Who::kWorkload,
                R"("/app")",
                Member("/other", "/sandbox", "/sandbox"),
                {},
                {R"(/linux/namespaces/4/path "/other" is the network namespace of container )"
                 "other, which is not the sandbox of its pod"}}),
    [](const auto& instance) { return instance.param.name; });

TEST(HostNamespacesOfCgroups, AreReportedIfAPathNamesThem) {
  Facts facts;
  facts.Get<Namespaces>() = {{"/host", {Owner::kHost, {}}}, {"/foreign", {Owner::kForeign, {}}}};
  const policy::Parameters parameters;
  const auto findings = [&](const std::string& cgroup) {
    return FindRule("host-namespaces")
        ->check.run(SpecOf(R"({"linux":{"namespaces":[)" + kNew + cgroup + "]}}"), {parameters},
                    facts);
  };
  EXPECT_TRUE(findings("").empty()) << "absent by default";
  EXPECT_TRUE(findings(R"(,{"type":"cgroup"})").empty());
  const Findings host = findings(R"(,{"type":"cgroup","path":"/host"})");
  ASSERT_EQ(host.size(), 1U);
  EXPECT_TRUE(host[0].only_warns);
  EXPECT_EQ(host[0].path, "/linux/namespaces/5/path");
  EXPECT_EQ(host[0].why, "is the host's cgroup namespace");
  EXPECT_EQ(findings(R"(,{"type":"cgroup","path":"/foreign"})").size(), 1U);
}

// --- What would let it pass
// -----------------------------------------------------------------------

using Strings = std::vector<std::string>;

Facts SomeFacts() {
  Facts facts;
  facts.Get<Namespaces>() = {
      {"/host", {Owner::kHost, {}}},         {"/peer", {Owner::kContainer, "peer"}},
      {"/pinned", {Owner::kEngine, {}}},     {"/unclaimed", {Owner::kUnclaimed, {}}},
      {"/foreign", {Owner::kForeign, {}}},   {"/other", {Owner::kForeign, "other"}},
      {"/hidden", {Owner::kUnreadable, {}}},
  };
  return facts;
}

Strings Said(const std::string& namespaces, const Facts& facts) {
  return CodesAndRemedies(
      DecideBy("host-namespaces", R"({"linux":{"namespaces":[)" + namespaces + "]}}", {}, facts));
}

TEST(HostNamespacesRemedies, NameTheRequestedType) {
  const Facts facts = SomeFacts();
  EXPECT_EQ(Said(With("pid", "/host"), facts), Strings{"host: allow += pid"});
  EXPECT_EQ(Said(R"({"type":"pid"},{"type":"ipc"},{"type":"uts"},{"type":"mount"})", facts),
            Strings{"missing: allow += network"});
  EXPECT_EQ(Said(With("ipc", "/peer"), facts), Strings{"container: join += ipc"});
  EXPECT_EQ(Said(With("network", "/unclaimed"), facts), Strings{"unclaimed: allow += network"});
  const std::string mount = ": none: access to the host's mounts is access to the host";
  EXPECT_EQ(Said(With("mount", "/host"), facts), Strings{"host" + mount});
  EXPECT_EQ(Said(With("mount", "/unclaimed"), facts), Strings{"unclaimed" + mount});
  EXPECT_EQ(Said(With("pid", "/pinned"), facts),
            Strings{"engine: ask: give it a pid namespace of its own"});
  EXPECT_EQ(Said(With("pid", "/foreign"), facts),
            Strings{"foreign: ask: create the container that it joins through runclad as well"});
  EXPECT_EQ(Said(With("pid", "/other"), facts),
            Strings{"foreign: ask: join only namespaces of its own pod"});
  EXPECT_EQ(Said(With("pid", "/hidden"), facts),
            Strings{"unreadable: none: only a namespace that was examined may be joined"});
  EXPECT_EQ(Said(kNew + R"(,{"type":"cgroup","path":"/host"})", facts),
            Strings{"cgroup: ask: run it with --cgroupns private"});
}

TEST(HostNamespacesRemedies, OfAPodAreWaivers) {
  Facts facts = SomeFacts();
  facts.Get<engine::Identity>().pod_namespace = "shop";
  const std::string member = Member("/host", "/host", "/host", R"({"type":"pid","path":"/host"})");
  EXPECT_EQ(Said(member, facts),
            (Strings{"host: waiver allow += pid", "host: waiver allow += network",
                     "host: waiver allow += ipc", "host: waiver allow += network"}))
      << "the name comes with the network";
  EXPECT_EQ(Said(Member("/pinned", "/host", "/pinned"), facts),
            Strings{"host: waiver allow += uts"});
  const auto decision =
      DecideBy("host-namespaces", R"({"linux":{"namespaces":[)" + member + "]}}", {}, facts);
  EXPECT_NE(enforce::RefusalSentence(decision).find(
                "; to allow exactly this, add \"pid\" to host-namespaces.allow with a waiver in "
                "pods/shop.json or in the image's file, see"),
            std::string::npos)
      << enforce::RefusalSentence(decision);
  const Remedy& remedy = decision.findings.front().finding.remedy;
  EXPECT_EQ(remedy.scope, Remedy::Scope::kPod);
  EXPECT_EQ(enforce::ToDocument(remedy, "host-namespaces")["pod"], "shop");
}

}  // namespace
}  // namespace runclad::rules::host_namespaces_test
