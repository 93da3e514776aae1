#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rule_test.hpp"

namespace runclad::rules::hooks_test {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using Kind = HookFacts::Kind;

enforce::Decision Judge(const std::string& hook, const HookFacts& facts,
                        std::vector<std::string> allow = {}) {
  policy::Parameters parameters;
  parameters.Set("allow", std::move(allow));
  Facts all;
  all.Get<ContainerName>().id = "3f2a9c";
  all.Get<Hooks>()["/hooks/prestart/0"] = facts;
  const std::string document = R"({"hooks":{"prestart":[)" + hook + "]}}";
  ExpectRemediesHelp("hooks", SpecOf(document), parameters, all);
  return enforce::Decide(SpecOf(document), PolicyWith("hooks", parameters, policy::Action::kRefuse),
                         all, Scope::kContainer);
}

constexpr const char* kTool = R"({"path":"/usr/bin/tool","args":["tool","run","x"]})";

TEST(Hooks, OfTheEngineAreUnchanged) {
  const auto decision = Judge(kTool, {Kind::kEngine, "/usr/bin/tool", ""});
  EXPECT_TRUE(decision.findings.empty());
}

TEST(Hooks, AreRefusedUnlessListed) {
  EXPECT_EQ(enforce::RefusalSentence(Judge(kTool, {Kind::kTrusted, "/usr/bin/tool", ""})),
            "refused by hooks: /hooks/prestart/0 \"/usr/bin/tool\" would run as root outside the "
            "container; to allow exactly this, add \"/usr/bin/tool run\" to hooks.allow in "
            "/etc/runclad/policy.json or in the image's file with its digest, see runcladctl "
            "explain hooks");
}

TEST(Hooks, AreListedByPathAndFirstArgument) {
  const HookFacts trusted{Kind::kTrusted, "/usr/bin/tool", ""};
  for (const char* entry : {"/usr/bin/tool", "/usr/bin/tool run"}) {
    EXPECT_TRUE(Judge(kTool, trusted, {entry}).findings.empty()) << entry;
  }
  for (const char* entry : {"/usr/bin", "/usr/bin/tool r", "/usr/bin/tool x", "/usr/bin/tool run x",
                            "/usr/bin/tool-", "tool"}) {
    EXPECT_EQ(Judge(kTool, trusted, {entry}).findings.size(), 1U) << entry;
  }
  const char* bare = R"({"path":"/usr/bin/tool"})";
  EXPECT_TRUE(Judge(bare, trusted, {"/usr/bin/tool"}).findings.empty());
  EXPECT_EQ(Judge(bare, trusted, {"/usr/bin/tool run"}).findings.size(), 1U);
}

TEST(Hooks, AreRefusedIfOthersCanModifyThem) {
  const auto decision =
      Judge(kTool, {Kind::kForeign, "/usr/bin/tool", "could be replaced by a user other than root"},
            {"/usr/bin/tool"});
  EXPECT_THAT(enforce::RefusalSentence(decision),
              HasSubstr("\"/usr/bin/tool\" could be replaced by a user other than root; no setting "
                        "allows it: a hook must be a program of the host"));
}

TEST(Hooks, WithALoaderVariableAreRefused) {
  for (const char* name : {"LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT", "GLIBC_TUNABLES",
                           "BASH_ENV", "PYTHONPATH", "BASH_FUNC_ls%%", "PERL5OPT"}) {
    const std::string hook =
        R"({"path":"/usr/bin/tool","env":["PATH=/bin",")" + std::string(name) + R"(=/srv/x"]})";
    for (const Kind kind : {Kind::kEngine, Kind::kTrusted}) {
      EXPECT_THAT(enforce::RefusalSentence(Judge(hook, {kind, "", ""}, {"/usr/bin/tool"})),
                  HasSubstr("is given " + std::string(name)))
          << name;
    }
  }
  const char* harmless = R"({"path":"/usr/bin/tool","env":["PATH=/bin","OLD_LD=x","LD=x"]})";
  EXPECT_TRUE(Judge(harmless, {Kind::kEngine, "", ""}).findings.empty());
}

TEST(Hooks, OfEveryKindAreChecked) {
  for (const char* kind : {"prestart", "createRuntime", "createContainer", "startContainer",
                           "poststart", "poststop"}) {
    const auto decision = enforce::Decide(
        SpecOf(R"({"hooks":{")" + std::string(kind) + R"(":[{"path":"/bin/true"}]}})"),
        PolicyWith("hooks", {}, policy::Action::kRefuse), {}, Scope::kContainer);
    EXPECT_THAT(
        enforce::RefusalSentence(decision),
        StartsWith("refused by hooks: /hooks/" + std::string(kind) + "/0 \"/bin/true\" was not"));
  }
}

TEST(Hooks, RemedyNamesPathAndFirstArgument) {
  const HookFacts trusted{Kind::kTrusted, "", ""};
  const auto said = [](const enforce::Decision& decision) {
    return CodesAndRemedies(decision).at(0);
  };
  EXPECT_EQ(said(Judge(kTool, trusted)), "unlisted: allow += /usr/bin/tool run");
  EXPECT_EQ(said(Judge(R"({"path":"/usr/bin/tool","args":["tool"]})", trusted)),
            "unlisted: allow += /usr/bin/tool");
  for (const char* argument : {"3f2a9c", "--id=3f2a9c", "/a/../b"}) {
    const std::string hook =
        R"({"path":"/usr/bin/tool","args":["tool",")" + std::string(argument) + R"("]})";
    EXPECT_EQ(said(Judge(hook, trusted)), "unlisted: allow += /usr/bin/tool") << argument;
  }
  EXPECT_EQ(said(Judge(kTool, {Kind::kForeign, "", "is x"})),
            "foreign: none: a hook must be a program of the host that only root can modify, and so "
            "must its input");
  EXPECT_EQ(said(Judge(R"({"path":"/a","env":["ENV=/x"]})", trusted)),
            "loader-variable: ask: leave ENV out of the hook's env");
  EXPECT_EQ(said(DecideBy("hooks", R"({"hooks":{"poststop":[{"path":"/a"}]}})", {})),
            "unexamined: none: only an examined program can be listed");
}

}  // namespace
}  // namespace runclad::rules::hooks_test
