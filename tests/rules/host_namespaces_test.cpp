#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "runclad/rules/rule.hpp"

namespace runclad::rules {
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

TEST_P(HostNamespaces, RefusesWhatIsNotTheContainersOwn) {
  const auto spec = oci::Spec::Parse(R"({"linux":{"namespaces":[)" + GetParam().namespaces + "]}}");
  ASSERT_TRUE(spec) << spec.error().message;
  Facts facts;
  facts.namespaces = {
      {"/host", {Owner::kHost, {}}},
      {"/peer", {Owner::kContainer, "peer"}},
      {"/other", {Owner::kContainer, "other"}},
      {"/pinned", {Owner::kEngine, {}}},
      {"/foreign", {Owner::kForeign, {}}},
      {"/hidden", {Owner::kUnreadable, {}}},
  };
  policy::Parameters parameters;
  parameters.Set("allow", GetParam().allow);
  parameters.Set("join", GetParam().join);
  std::vector<std::string> refused;
  for (const Finding& finding :
       FindRule("host-namespaces")->check(*spec, Context{facts, parameters})) {
    EXPECT_FALSE(finding.has_safe_form());
    refused.push_back(finding.path + " " + finding.before.Dump() + " " + finding.why);
  }
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
const std::string kMissing = " namespace, so that the container would have the host's";

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
        Case{"ForeignNetwork",
             With("network", "/foreign"),
             {"network"},
             kJoin,
             {R"(/linux/namespaces/1/path "/foreign" is the network namespace of a process that )"
              "is in no container that runclad made"}},
        Case{"UnreadablePath",
             With("ipc", "/hidden"),
             {"ipc"},
             kJoin,
             {R"(/linux/namespaces/2/path "/hidden" cannot be examined, so that it could be the )"
              "host's ipc namespace"}},
        Case{"PathWithoutFacts",
             With("ipc", "/nowhere"),
             {},
             kJoin,
             {R"(/linux/namespaces/2/path "/nowhere" cannot be examined, so that it could be )"
              "the host's ipc namespace"}},
        Case{"EveryEntryOfATypeCounts",
             kNew + R"(,{"type":"network","path":"/host"})",
             {},
             kJoin,
             {R"(/linux/namespaces/5/path "/host" is the host's network namespace)"}}),
    [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace runclad::rules
