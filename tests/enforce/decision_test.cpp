#include "runclad/enforce/decision.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "runclad/enforce/log.hpp"
#include "runclad/enforce/own_line.hpp"
#include "runclad/json/reader.hpp"
#include "runclad/json/value.hpp"

namespace runclad::enforce::decision_test {
namespace {

constexpr std::string_view kWeak =
    R"({"linux":{"maskedPaths":[]},"process":{"noNewPrivileges":false}})";

policy::Effective Policy(policy::Action action) {
  policy::Effective policy;
  policy::Parameters paths;
  paths.Set("paths", std::vector<std::string>{"/proc/kcore"});
  policy.rules["no-new-privileges"] = {action, {}};
  policy.rules["masked-paths"] = {action, paths};
  return policy;
}

Decision DecideWith(policy::Action action, rules::Scope scope = rules::Scope::kContainer) {
  return Decide(*oci::Spec::Parse(kWeak), Policy(action), {}, scope);
}

TEST(Decide, FixAppliesProposalsAndRecordsThePreviousValue) {
  const Decision decision = DecideWith(policy::Action::kFix);
  EXPECT_EQ(decision.outcome, Outcome::kRewritten);
  EXPECT_EQ(decision.spec.Write(),
            R"({"linux":{"maskedPaths":["/proc/kcore"]},"process":{"noNewPrivileges":true}})");
  ASSERT_EQ(decision.findings.size(), 2U);
  EXPECT_EQ(decision.findings[0].rule->id(), "no-new-privileges");
  EXPECT_EQ(decision.findings[0].finding.before, json::Value(false));
  EXPECT_EQ(decision.findings[0].disposition, Disposition::kFixed);
}

TEST(Decide, RefuseAppliesNothing) {
  const Decision decision = DecideWith(policy::Action::kRefuse);
  EXPECT_EQ(decision.outcome, Outcome::kRefused);
  EXPECT_EQ(decision.spec.Write(), kWeak);
  EXPECT_EQ(
      RefusalSentence(decision),
      "refused by no-new-privileges: /process/noNewPrivileges false lets set-user-ID programs "
      "and file capabilities raise privileges (CIS 5.26, PSS restricted); add a waiver for the "
      "image that needs its set-user-ID program, see runcladctl explain "
      "no-new-privileges");
}

// doctor and learn find refusals in what engines print.
TEST(Decide, ARefusalIsRecognisedAsOne) {
  const std::string sentence = RefusalSentence(DecideWith(policy::Action::kRefuse));
  EXPECT_TRUE(HasRefusal("docker: " + std::string(kOwnLine) + sentence));
}

TEST(Decide, WarnRecordsAndChangesNothing) {
  const Decision decision = DecideWith(policy::Action::kWarn);
  EXPECT_EQ(decision.outcome, Outcome::kUnchanged);
  EXPECT_EQ(decision.spec.Write(), kWeak);
  EXPECT_EQ(decision.findings.size(), 2U);
}

// The rule `image` notes that there is no scan where scan-missing is warn.
TEST(Decide, ANoteIsAWarningUnlessTheRuleIsOff) {
  const auto decide = [](policy::Action action, const std::string& missing) {
    policy::Effective policy;
    policy::Parameters parameters;
    parameters.Set("scan-missing", missing);
    policy.rules["image"] = {action, parameters};
    return Decide(*oci::Spec::Parse(kWeak), policy, {}, rules::Scope::kContainer);
  };
  for (const policy::Action action :
       {policy::Action::kFix, policy::Action::kRefuse, policy::Action::kWarn}) {
    const Decision noted = decide(action, "warn");
    EXPECT_EQ(noted.outcome, Outcome::kUnchanged);
    ASSERT_EQ(noted.findings.size(), 1U);
    EXPECT_EQ(noted.findings[0].disposition, Disposition::kWarned);
    EXPECT_EQ(RefusalSentence(noted), "");
  }
  EXPECT_EQ(decide(policy::Action::kRefuse, "refuse").outcome, Outcome::kRefused);
  EXPECT_TRUE(decide(policy::Action::kOff, "warn").findings.empty());
}

// What is cut out is in the middle: the end of a path says most.
TEST(Decide, ShowsALongValueByItsBeginningAndItsEnd) {
  policy::Effective policy;
  policy.rules["working-directory"] = {policy::Action::kRefuse, {}};
  for (const char* letter : {"d", "\u00e9", "\u4e2d"}) {
    std::string directory;
    for (int i = 0; i < 100; ++i) directory.append("/").append(letter);
    rules::Facts facts;
    const auto spec =
        oci::Spec::Parse(R"({"process":{"cwd":"/proc/self/fd/7/begin)" + directory + R"(/end"}})");
    ASSERT_TRUE(spec);
    const Decision decision = Decide(*spec, policy, facts, rules::Scope::kContainer);
    const std::string sentence = RefusalSentence(decision);
    EXPECT_NE(sentence.find("/process/cwd \"/proc/self/fd/7/begin/"), std::string::npos)
        << sentence;
    EXPECT_NE(sentence.find("/end\" "), std::string::npos) << sentence;
    EXPECT_NE(sentence.find("…"), std::string::npos) << sentence;
    EXPECT_TRUE(json::Read(json::Value(sentence).Dump())) << "not UTF-8: " << sentence;
  }
}

TEST(Decide, OffChecksNothing) { EXPECT_TRUE(DecideWith(policy::Action::kOff).findings.empty()); }

TEST(Decide, ExecSkipsContainerRules) {
  const Decision decision = DecideWith(policy::Action::kFix, rules::Scope::kProcess);
  EXPECT_EQ(decision.spec.Write(),
            R"({"linux":{"maskedPaths":[]},"process":{"noNewPrivileges":true}})");
}

// Neither in the log and the record, which are made of ToJson, nor in the refusal.
TEST(Decide, HidesSecretsOfMounts) {
  constexpr std::string_view kOptions[] = {
      R"("rw","password=hunter2")",      R"("rw","pass=hunter2")",
      R"("rw","PassWord2=hunter2")",     R"("rw","secret=hunter2","name=admin")",
      R"("vers=3,password=hunter2,ro")", R"("password=a","","hunter2","rw")",
      R"("rw","ssh_command=hunter2")",   R"("rw","user=name%hunter2")",
      R"("key=hunter2,size=1m")",        R"("credentials=hunter2")",
  };
  policy::Effective policy;
  for (const rules::Rule* rule : rules::Catalog()) {
    const std::string_view id = rule->id();
    if (id != "host-mounts" && id != "mount-options" && id != "mount-propagation") continue;
    policy.rules[std::string(id)] = {policy::Action::kFix, {}};
  }
  for (const std::string_view options : kOptions) {
    for (const char* type : {"cifs", "ceph", "overlay", "tmpfs", "fuse.sshfs", "9p", "nfs4"}) {
      const std::string text = R"({"mounts":[{"destination":"/x","options":["rshared",)" +
                               std::string(options) + R"(],"source":"//server/share","type":")" +
                               type + R"("}]})";
      const Decision decision =
          Decide(*oci::Spec::Parse(text), policy, {}, rules::Scope::kContainer);
      EXPECT_FALSE(decision.findings.empty());
      EXPECT_EQ(FindingsText(decision.findings).find("hunter2"), std::string::npos)
          << FindingsText(decision.findings);
      EXPECT_EQ(RefusalSentence(decision).find("hunter2"), std::string::npos)
          << RefusalSentence(decision);
      EXPECT_NE(decision.spec.Write().find("hunter2"), std::string::npos)
          << "the runtime needs it: " << decision.spec.Write();
    }
  }
}

TEST(Decide, OptionsThatAreNotSecretAreShown) {
  policy::Effective policy;
  policy.rules["host-mounts"] = {policy::Action::kRefuse, {}};
  const std::string text =
      R"({"mounts":[{"destination":"/x","type":"cifs","source":"https://me:hunter2@server/share",)"
      R"("options":["rw","vers=3.0","uid=1000","iocharset=utf8","key=hunter2"]}]})";
  const Decision decision = Decide(*oci::Spec::Parse(text), policy, {}, rules::Scope::kContainer);
  const std::string shown = FindingsText(decision.findings) + RefusalSentence(decision);
  EXPECT_EQ(shown.find("hunter2"), std::string::npos) << shown;
}

TEST(Decide, AnnotationValuesAreNeverShown) {
  policy::Effective policy;
  policy.rules["annotations"] = {policy::Action::kRefuse, {}};
  policy.rules["annotations"].parameters.Set("remove", std::vector<std::string>{"run.oci.*"});
  const Decision decision =
      Decide(*oci::Spec::Parse(R"({"annotations":{"run.oci.hooks.stdout":"hunter2"}})"), policy, {},
             rules::Scope::kContainer);
  ASSERT_EQ(decision.outcome, Outcome::kRefused);
  EXPECT_EQ(FindingsText(decision.findings).find("hunter2"), std::string::npos);
  EXPECT_EQ(RefusalSentence(decision).find("hunter2"), std::string::npos);
  EXPECT_NE(RefusalSentence(decision).find("run.oci.hooks.stdout"), std::string::npos);
}

// A log that few requests fill soon has lost what else was in it.
void ExpectBounded(int mounts, const std::string& source) {
  policy::Effective policy;
  policy.rules["host-mounts"] = {policy::Action::kRefuse, {}};
  std::string text;
  for (int i = 0; i < mounts; ++i) {
    text += std::string(i == 0 ? "" : ",") + R"({"destination":"/x)" + std::to_string(i) +
            R"(","options":["bind"],"source":"/etc/)" + source + R"("})";
  }
  const Decision decision = Decide(*oci::Spec::Parse(R"({"mounts":[)" + text + "]}"), policy, {},
                                   rules::Scope::kContainer);
  ASSERT_EQ(decision.findings.size(), static_cast<std::size_t>(mounts));
  const std::string findings = FindingsText(decision.findings);
  EXPECT_LT(findings.size(), 530'000U);
  const auto listed = json::Read(findings);
  ASSERT_TRUE(listed);
  EXPECT_GT(listed->size(), 5U);
  const std::string left = std::to_string(mounts - listed->size()) + " more not listed";
  EXPECT_TRUE(listed->back()["why"].get<std::string>().ends_with(left));
}

TEST(FindingsText, IsBounded) { ExpectBounded(1900, std::string(4000, 'x')); }

TEST(FindingsText, IsBoundedAsItIsWritten) {
  std::string control;
  for (int i = 0; i < 1800; ++i) control += "\\u0001";
  ExpectBounded(900, control);
  ExpectBounded(30, control + control);
}

TEST(Decide, AppliedTwiceChangesNothing) {
  Decision once = DecideWith(policy::Action::kFix);
  const std::string text = once.spec.Write();
  const Decision twice =
      Decide(std::move(once.spec), Policy(policy::Action::kFix), {}, rules::Scope::kContainer);
  EXPECT_EQ(twice.outcome, Outcome::kUnchanged);
  EXPECT_EQ(twice.spec.Write(), text);
}

}  // namespace
}  // namespace runclad::enforce::decision_test
