// What is gathered for a container of a Kubernetes pod: whose namespaces it joins, and which of the
// host's files come with them.
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "runclad/enforce/facts.hpp"
#include "runclad/enforce/subject.hpp"
#include "runclad/rules/rule.hpp"
#include "runclad/sys/process.hpp"

#include "../mount_namespace.hpp"
#include "../stranger.hpp"

namespace runclad::enforce::pod_facts_test {
namespace {

using rules::NamespaceFacts;
using Access = rules::SourceFacts::Access;
using namespace runclad::testing;  // NOLINT(google-build-using-namespace): mounts, processes

Subject PodsMember() {
  Subject subject;
  subject.layout.engine = engine::Engine::kContainerd;
  subject.layout.id = "app";
  subject.identity.engine = engine::Engine::kContainerd;
  subject.identity.config_digest = "sha256:1";
  subject.identity.pod_namespace = "shop";
  subject.pod = {"box", ""};
  return subject;
}

rules::Facts Gather(const std::string& spec_text, const Subject& subject,
                    const std::string& policy_text = "{}") {
  const auto spec = oci::Spec::Parse(spec_text);
  EXPECT_TRUE(spec) << spec.error().message;
  const auto policy = policy::Parse(policy_text, "policy.json", rules::Schemas());
  EXPECT_TRUE(policy) << policy.error().message;
  return *GatherFacts(*spec, *policy, {subject.layout.id, "/srv/bundle", "/srv/runc", nullptr},
                      subject);
}

void WriteState(const std::string& id, pid_t pid, std::uint64_t start_time) {
  WriteFile("/srv/runc/" + id + "/state.json", R"({"init_process_pid":)" + std::to_string(pid) +
                                                   R"(,"init_process_start":)" +
                                                   std::to_string(start_time) + "}");
}

TEST(PodFacts, RecogniseAnUnrecordedSandboxByTheRuntimesState) {
  InPrivateMounts([] {
    const Stranger stranger;
    const std::uint64_t start_time = sys::StartTime(stranger.pid()).value_or(0);
    const std::string path = stranger.path("net");
    const std::string spec =
        R"({"linux":{"namespaces":[{"type":"network","path":")" + path + R"("}]}})";
    const auto owner = [&](const Subject& subject) {
      return Gather(spec, subject).Get<rules::Namespaces>().at(path).owner;
    };
    const Subject member = PodsMember();
    EXPECT_EQ(owner(member), NamespaceFacts::Owner::kForeign) << "no state";
    WriteState("box", stranger.pid(), start_time);
    EXPECT_EQ(owner(member), NamespaceFacts::Owner::kContainer);
    EXPECT_EQ(Gather(spec, member).Get<rules::Namespaces>().at(path).container, "box");
    WriteState("box", stranger.pid(), start_time + 1);
    EXPECT_EQ(owner(member), NamespaceFacts::Owner::kForeign) << "another process by now";
    WriteState("box", stranger.pid() + 1, start_time);
    EXPECT_EQ(owner(member), NamespaceFacts::Owner::kForeign) << "another process";
    WriteState("box", stranger.pid(), start_time);
    WriteState("other", stranger.pid(), start_time);
    Subject others = member;
    others.pod.sandbox = "absent";
    EXPECT_EQ(owner(others), NamespaceFacts::Owner::kForeign) << "another pod's sandbox";
    others.pod.sandbox.clear();
    EXPECT_EQ(owner(others), NamespaceFacts::Owner::kForeign) << "of no pod";
  });
}

TEST(PodFacts, AllowTheHostsShmWithTheHostsIpcNamespace) {
  struct Case {
    const char* name;
    std::string namespaces;
    std::string arguments;
    bool is_sandbox;
    const char* policy;
    Access access;
  };
  const std::string by_path = R"({"type":"ipc","path":"/proc/self/ns/ipc"})";
  const std::string own = R"({"type":"ipc"})";
  constexpr const char* kAllowed = R"({"rules":{"host-namespaces":{"allow":["ipc"]}}})";
  for (const Case& test : std::vector<Case>{
           {"denied", by_path, "/app", false, "{}", Access::kDenied},
           {"allowed", by_path, "/app", false, kAllowed, Access::kEngineOwn},
           {"allowed, by absence", "", "/app", false, kAllowed, Access::kEngineOwn},
           {"allowed and not asked for", own, "/app", false, kAllowed, Access::kDenied},
           {"a sandbox", "", "/pause", true, "{}", Access::kEngineOwn},
           {"a sandbox of its own ipc", own, "/pause", true, "{}", Access::kDenied},
           {"a sandbox that runs something else", "", "/app", true, "{}", Access::kDenied},
           {"a workload that runs pause", "", "/pause", false, "{}", Access::kDenied},
       }) {
    Subject subject = PodsMember();
    subject.identity.is_sandbox = test.is_sandbox;
    const rules::Facts facts =
        Gather(R"({"process":{"args":[")" + test.arguments + R"("]},"linux":{"namespaces":[)" +
                   test.namespaces +
                   R"(]},"mounts":[{"destination":"/dev/shm","type":"bind","source":"/dev/shm",)"
                   R"("options":["rbind"]}]})",
               subject, test.policy);
    EXPECT_EQ(facts.Get<rules::Sources>().at("/dev/shm").access, test.access) << test.name;
  }
}

}  // namespace
}  // namespace runclad::enforce::pod_facts_test
