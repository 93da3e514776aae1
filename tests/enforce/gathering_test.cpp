// Which rules have something gathered, by their actions.
#include <sys/stat.h>

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "runclad/enforce/facts.hpp"
#include "runclad/enforce/subject.hpp"
#include "runclad/rules/rule.hpp"

#include "../mount_namespace.hpp"
#include "rules/hidden-paths/facts.hpp"
#include "rules/mount-options/facts.hpp"

namespace runclad::enforce::gathering_test {
namespace {

using namespace runclad::testing;  // NOLINT(google-build-using-namespace): mounts, files

using rules::hidden_paths::HiddenFiles;
using rules::mount_options::S6Overlay;

constexpr const char* kConfig = R"({
  "root": {"path": "rootfs"},
  "process": {"args": ["/init"], "cwd": "/proc-link", "user": {"uid": 1000, "gid": 1000},
              "noNewPrivileges": true},
  "linux": {"namespaces": [{"type": "network", "path": "/proc/self/ns/net"}],
            "maskedPaths": ["/root-link"], "readonlyPaths": ["/root-link"],
            "devices": [{"type": "c", "path": "/dev/fuse", "major": 10, "minor": 229}]},
  "mounts": [{"destination": "/etc", "type": "bind", "source": "/etc", "options": ["rbind"]}],
  "hooks": {"prestart": [{"path": "/bin/true"}]}})";

// An image in which every rule finds something.
void MakeImage() {
  const std::string rootfs = "/srv/bundle/rootfs";
  for (const char* directory : {"/etc/s6-overlay", "/opt/x", "/tmp", "/usr/bin"}) {
    MakeDirectories(rootfs + directory);
  }
  // A set-user-ID program of 32 bits.
  std::string program(
      "\x7f"
      "ELF\x01\x01\x01",
      7);
  program.resize(64);
  program[16] = 2;  // e_type: executable
  program[18] = 3;  // e_machine: EM_386
  WriteFile(rootfs + "/init", program);
  WriteFile(rootfs + "/usr/bin/tool", "");
  std::filesystem::create_symlink("/proc/self", rootfs + "/proc-link");
  std::filesystem::create_symlink("/", rootfs + "/root-link");
  ASSERT_EQ(::chmod((rootfs + "/init").c_str(), 04755), 0);
  ASSERT_EQ(::chmod((rootfs + "/usr/bin/tool").c_str(), 0755), 0);
}

policy::Effective Restricted() {
  auto policy = policy::Parse(R"({"rules": {
      "hidden-paths": {"action": "fix", "paths": ["/usr/bin/tool"]},
      "seccomp": {"64-bit-only": true},
      "read-only-rootfs": {"writable": ["/opt/x"]},
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

TEST(Gathering, HappensOnlyForRulesThatAreOn) {
  InPrivateMounts([] {
    MakeImage();
    const rules::Facts facts = Gather(Restricted());
    EXPECT_TRUE(facts.Get<rules::Program>());
    EXPECT_FALSE(facts.Get<rules::Hooks>().empty());
    EXPECT_EQ(facts.Get<HiddenFiles>().paths, std::vector<std::string>{"/usr/bin/tool"});
    EXPECT_EQ(facts.Get<rules::ExecDirectories>().paths, std::vector<std::string>{"/opt/x"});
    EXPECT_TRUE(facts.Get<S6Overlay>().is_init);
    EXPECT_FALSE(facts.Get<rules::ImageDirectories>().by_path.empty());
    EXPECT_NE(facts.Get<rules::RootFacts>().kind, rules::RootFacts::Kind::kUnknown);

    policy::Effective off = Restricted();
    for (auto& [id, setting] : off.rules) setting.action = policy::Action::kOff;
    const rules::Facts none = Gather(off);
    EXPECT_FALSE(none.Get<rules::Program>());
    EXPECT_TRUE(none.Get<HiddenFiles>().paths.empty());
    EXPECT_TRUE(none.Get<rules::ExecDirectories>().paths.empty());
    EXPECT_FALSE(none.Get<S6Overlay>().is_init);
    EXPECT_TRUE(none.Get<rules::ImageDirectories>().by_path.empty());
    EXPECT_EQ(none.Get<rules::RootFacts>().kind, rules::RootFacts::Kind::kUnknown);
    EXPECT_NE(none.Get<rules::RootDirectory>().inode, 0U)
        << "what start compares does not depend on a rule";
  });
}

// "path code why", of the document as it is.
std::vector<std::string> FoundBy(const rules::Rule& rule, const oci::Spec& spec,
                                 const policy::Effective& policy, const rules::Facts& facts) {
  std::vector<std::string> found;
  for (const rules::Finding& finding :
       rule.check.run(spec, {policy.rule(rule.id()).parameters}, facts)) {
    found.push_back(finding.path + ' ' + finding.code->id + ' ' + finding.why + ' ' +
                    finding.after.Dump());
  }
  return found;
}

// seccomp refuses a program of another architecture, whatever the other rules are set to.
TEST(Gathering, GivesEachRuleWhatItReadsWithAllOthersOff) {
  InPrivateMounts([] {
    MakeImage();
    const policy::Effective policy = Restricted();
    const auto spec = oci::Spec::Parse(kConfig);
    const rules::Facts all = Gather(policy);
    std::size_t findings = 0;
    for (const rules::Rule* rule : rules::Catalog()) {
      policy::Effective alone = policy;
      for (auto& [id, setting] : alone.rules) {
        if (id != rule->id()) setting.action = policy::Action::kOff;
      }
      const std::vector<std::string> expected = FoundBy(*rule, *spec, policy, all);
      EXPECT_EQ(FoundBy(*rule, *spec, alone, Gather(alone)), expected) << rule->id();
      findings += expected.size();
    }
    EXPECT_GT(findings, 20U);
  });
}

}  // namespace
}  // namespace runclad::enforce::gathering_test
