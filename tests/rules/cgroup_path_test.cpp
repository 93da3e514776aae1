#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rule_test.hpp"

namespace runclad::rules::cgroup_path_test {
namespace {

using engine::Engine;
using ::testing::HasSubstr;
using Strings = std::vector<std::string>;

enforce::Decision Judge(Engine engine, const std::string& path, Strings parents = {},
                        const std::string& name_space = "", const std::string& id = "abc") {
  Facts facts;
  facts.Get<ContainerName>().id = id;
  facts.Get<ContainerName>().name_space = name_space;
  facts.Get<engine::Identity>().engine = engine;
  policy::Parameters parameters;
  parameters.Set("parents", std::move(parents));
  const std::string document = R"({"linux":{"cgroupsPath":")" + path + "\"}}";
  ExpectRemediesHelp("cgroup-path", SpecOf(document), parameters, facts);
  return enforce::Decide(SpecOf(document),
                         PolicyWith("cgroup-path", parameters, policy::Action::kRefuse), facts,
                         Scope::kContainer);
}

std::string Why(Engine engine, const std::string& path, Strings parents = {},
                const std::string& name_space = "", const std::string& id = "abc") {
  const auto decision = Judge(engine, path, std::move(parents), name_space, id);
  return decision.findings.empty() ? std::string() : decision.findings[0].finding.why;
}

TEST(CgroupPath, OfEachEngineIsAllowed) {
  const std::pair<Engine, const char*> cases[] = {
      {Engine::kDocker, ""},
      {Engine::kDocker, "/docker/abc"},
      {Engine::kDocker, "system.slice:docker:abc"},
      {Engine::kDocker, "/docker/buildkit/abc"},
      {Engine::kBuildkit, "/docker/buildkit/abc"},
      {Engine::kContainerd, "/kubepods/burstable/pod1/abc"},
      {Engine::kContainerd, "/kubepods/abc"},
      {Engine::kContainerd, "kubepods-burstable-pod1_2.slice:cri-containerd:abc"},
      {Engine::kContainerd, "/k8s.io/abc"},
      {Engine::kContainerd, "/default/abc"},
      {Engine::kContainerd, "system.slice:nerdctl:abc"},
      {Engine::kPodman, "/libpod_parent/libpod-abc"},
      {Engine::kPodman, "/libpod_parent/0123/libpod-abc"},
      {Engine::kPodman, "machine.slice:libpod:abc"},
      {Engine::kPodman, "machine.slice/machine-libpod_pod_01.slice:libpod:abc"},
      {Engine::kPodman, "/system.slice/web.service/libpod-payload-abc"},
      {Engine::kContainerd, "kubelet-kubepods-burstable-pod1.slice:cri-containerd:abc"},
      {Engine::kCrio, "/kubepods/pod1/crio-abc"},
      {Engine::kCrio, "kubepods-pod1.slice:crio:abc"},
      {Engine::kCrio, "system.slice:crio:abc"},
      {Engine::kUnknown, "/docker/abc"},
      {Engine::kUnknown, "/libpod_parent/libpod-abc"},
  };
  for (const auto& [engine, path] : cases) EXPECT_EQ(Why(engine, path), "") << path;
  EXPECT_EQ(Why(Engine::kContainerd, "/tenant/abc", {}, "tenant"), "");
}

TEST(CgroupPath, OutsideTheParentsIsRefused) {
  for (const char* path :
       {"/abc", "/mygroup/abc", "/docker/0123/abc", "/docker/a/b/abc", "/dockerx/abc",
        "/system.slice/sshd.service/abc", "/kubepods/abc", "user.slice:docker:abc",
        "system-sshd.slice:docker:abc", "-.slice:docker:abc", "/default/abc"}) {
    EXPECT_THAT(Why(Engine::kDocker, path), HasSubstr("nor below a listed one")) << path;
  }
  EXPECT_THAT(Why(Engine::kContainerd, "/other/abc", {}, "tenant"),
              HasSubstr("nor below a listed"));
  EXPECT_THAT(Why(Engine::kPodman, "/system.slice/web.service/libpod-abc"),
              HasSubstr("nor below a"));
  EXPECT_THAT(Why(Engine::kDocker, "/system.slice/web.service/libpod-payload-abc"),
              HasSubstr("nor below a listed one"));
  EXPECT_THAT(Why(Engine::kContainerd, "/kubepodsx/abc"), HasSubstr("nor below a listed"));
}

TEST(CgroupPath, MustBeAPlainPath) {
  for (const char* path : {"/docker/../abc", "/docker/abc/..", "docker/abc", "../abc", ".", "abc",
                           "a:b", "system.slice:docker:", "a:b:c:d", "system:docker:abc",
                           "--x.slice:docker:abc", "a-.slice:docker:abc", ".slice:docker:abc",
                           "system.slice:docker:../abc", "system.slice:a/b:abc"}) {
    EXPECT_THAT(Why(Engine::kDocker, path, {"/"}), HasSubstr("absolute path without ..")) << path;
  }
  for (const char* path : {"/", "//", "/./"}) {
    EXPECT_EQ(Why(Engine::kDocker, path, {"/"}), "is the host's root cgroup") << path;
  }
}

TEST(CgroupPath, MustBelongToTheContainer) {
  for (const char* path : {"/docker/other", "/docker/abcd", "/docker/xabc", "system.slice:docker:x",
                           "/docker/docker", "/docker/abc-x"}) {
    EXPECT_THAT(Why(Engine::kDocker, path), HasSubstr("another container")) << path;
  }
  EXPECT_EQ(Why(Engine::kDocker, "/docker/other", {}, "", ""), "") << "an id that is not known";
}

TEST(CgroupPath, AListedParentIncludesItsDescendants) {
  EXPECT_EQ(Why(Engine::kDocker, "/tenants/abc", {"/tenants"}), "");
  EXPECT_EQ(Why(Engine::kDocker, "/tenants/a/abc", {"/tenants/"}), "");
  EXPECT_EQ(Why(Engine::kDocker, "tenants-a.slice:docker:abc", {"/tenants.slice"}), "");
  EXPECT_EQ(Why(Engine::kDocker, "/abc", {"/"}), "");
  EXPECT_NE(Why(Engine::kDocker, "/tenantsx/abc", {"/tenants"}), "");
  EXPECT_NE(Why(Engine::kDocker, "/tenants/other", {"/tenants"}), "");
}

TEST(CgroupPath, RemedyNamesTheParentOnly) {
  const auto said = [](const std::string& path) {
    return CodesAndRemedies(Judge(Engine::kDocker, path)).at(0);
  };
  EXPECT_EQ(said("/tenants/a/abc"), "elsewhere: parents += /tenants/a");
  EXPECT_EQ(said("//tenants/./a//abc"), "elsewhere: parents += /tenants/a");
  EXPECT_EQ(said("tenants-a.slice:docker:abc"),
            "elsewhere: parents += /tenants.slice/tenants-a.slice");
  EXPECT_EQ(said("/abc"), "elsewhere: ask: put it below a separate parent with --cgroup-parent");
  EXPECT_EQ(said("/"), "host-root: none: limits do not apply in the root cgroup");
  EXPECT_EQ(said("../abc"),
            "malformed: ask: specify an absolute path or a slice with --cgroup-parent");
  EXPECT_EQ(said("/docker/other"),
            "foreign: ask: let the engine choose the last component of the path, and choose only "
            "the parent, with --cgroup-parent");
}

// Whoever lists the parent is not refused for the name afterwards.
TEST(CgroupPath, FindsTheParentAndTheNameAtOnce) {
  const auto both = CodesAndRemedies(Judge(Engine::kDocker, "/tenants/other"));
  ASSERT_EQ(both.size(), 2U);
  EXPECT_EQ(both[0], "elsewhere: parents += /tenants");
  EXPECT_EQ(both[1].find("foreign: ask: "), 0U) << both[1];
}

}  // namespace
}  // namespace runclad::rules::cgroup_path_test
