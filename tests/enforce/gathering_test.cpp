// Which rules have something gathered, by their actions.
#include <sys/stat.h>

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "runclad/enforce/facts.hpp"
#include "runclad/enforce/subject.hpp"
#include "runclad/rules/rule.hpp"

#include "../mount_namespace.hpp"

namespace runclad::enforce {
namespace {

using namespace runclad::testing;  // NOLINT(google-build-using-namespace): mounts, files

constexpr const char* kConfig = R"({
  "root": {"path": "rootfs"},
  "process": {"args": ["/init"], "cwd": "/"},
  "hooks": {"prestart": [{"path": "/bin/true"}]}})";

// An image in which every rule finds something.
void MakeImage() {
  const std::string rootfs = "/srv/bundle/rootfs";
  for (const char* directory : {"/etc/s6-overlay", "/opt/x", "/tmp", "/usr/bin"}) {
    MakeDirectories(rootfs + directory);
  }
  WriteFile(rootfs + "/init", "#!/usr/bin/tool\n");
  WriteFile(rootfs + "/usr/bin/tool", "");
  ASSERT_EQ(::chmod((rootfs + "/init").c_str(), 0755), 0);
  ASSERT_EQ(::chmod((rootfs + "/usr/bin/tool").c_str(), 0755), 0);
}

policy::Effective Restricted() {
  auto policy = policy::Parse(R"({"rules": {
      "hidden-paths": {"action": "fix", "paths": ["/usr/bin/tool"]},
      "mount-options": {"exec-paths": ["/opt/x"]}}})",
                              "policy.json", rules::Schemas());
  EXPECT_TRUE(policy) << policy.error().message;
  return *std::move(policy);
}

rules::Facts Gather(const policy::Effective& policy) {
  const auto spec = oci::Spec::Parse(kConfig);
  EXPECT_TRUE(spec) << spec.error().message;
  return *GatherFacts(*spec, policy, {"", "/srv/bundle", "", nullptr}, Subject());
}

TEST(Gathering, IsDoneForRulesThatAreOnAndForNoOther) {
  InPrivateMounts([] {
    MakeImage();
    const rules::Facts facts = Gather(Restricted());
    EXPECT_TRUE(facts.program);
    EXPECT_FALSE(facts.hooks.empty());
    EXPECT_EQ(facts.hidden.paths, std::vector<std::string>{"/usr/bin/tool"});
    EXPECT_EQ(facts.exec_paths, std::vector<std::string>{"/opt/x"});
    EXPECT_TRUE(facts.has_s6_overlay);
    EXPECT_FALSE(facts.directories.empty());
    EXPECT_NE(facts.root.kind, rules::RootFacts::Kind::kUnknown);

    policy::Effective off = Restricted();
    for (auto& [id, setting] : off.rules) setting.action = policy::Action::kOff;
    const rules::Facts none = Gather(off);
    EXPECT_FALSE(none.program);
    EXPECT_TRUE(none.hooks.empty());
    EXPECT_TRUE(none.hidden.paths.empty());
    EXPECT_TRUE(none.exec_paths.empty());
    EXPECT_FALSE(none.has_s6_overlay);
    EXPECT_TRUE(none.directories.empty());
    EXPECT_EQ(none.root.kind, rules::RootFacts::Kind::kUnknown);
    EXPECT_NE(none.root.inode, 0U) << "what start compares does not depend on a rule";
  });
}

// seccomp refuses a program of another architecture, whatever the other rules are set to.
TEST(Gathering, OfTheProgramIsDoneForEachRuleThatReadsIt) {
  InPrivateMounts([] {
    MakeImage();
    for (const char* only : {"program", "capabilities", "no-new-privileges", "seccomp"}) {
      policy::Effective policy = Restricted();
      for (auto& [id, setting] : policy.rules) {
        if (id != only) setting.action = policy::Action::kOff;
      }
      const rules::Facts facts = Gather(policy);
      ASSERT_TRUE(facts.program) << only;
      EXPECT_EQ(facts.program->resolved, "/init") << only;
    }
  });
}

}  // namespace
}  // namespace runclad::enforce
