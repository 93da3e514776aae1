#include <nlohmann/json.hpp>

#include "rule_test.hpp"

namespace runclad::rules::environment_test {
namespace {

using Strings = std::vector<std::string>;

policy::Parameters Denying(Strings names = {}) {
  policy::Parameters parameters;
  parameters.Set("deny", std::move(names));
  return parameters;
}

enforce::Decision DecideOn(const Strings& variables, const policy::Parameters& parameters,
                           policy::Action action = policy::Action::kWarn) {
  const json::Document document = {{"process", {{"env", variables}}}};
  ExpectRemediesHelp("environment", SpecOf(document.dump()), parameters);
  return enforce::Decide(SpecOf(document.dump()), PolicyWith("environment", parameters, action), {},
                         Scope::kProcess);
}

TEST(Environment, RecognisesSecrets) {
  struct Case {
    std::string variable;
    bool is_secret;
  };
  const Case cases[] = {
      {"MYSQL_ROOT_PASSWORD=hunter2", true},
      {"github_token=x", true},
      {"AWS_SECRET_ACCESS_KEY=x", true},
      {"STRIPE_API_KEY=x", true},
      {"PRIVATE_KEY=x", true},
      {"KEY=-----BEGIN RSA PRIVATE KEY-----\nMII", true},
      {"CERTIFICATE=-----BEGIN CERTIFICATE-----\nMII", false},
      {"ID=AKIAIOSFODNN7EXAMPLE", true},
      {"URL=postgres://app:hunter2@db/app", true},
      {"URL=postgres://app@db/app?a=b:c", false},
      {"URL=https://example.org/a:b@c", false},
      {"MYSQL_ROOT_PASSWORD=", false},
      {"MYSQL_ROOT_PASSWORD_FILE=/run/secrets/root", false},
      {"TOKEN_PATH=/run/token", false},
      {"PATH=/usr/bin", false},
      {"GPG_KEY=A035C8C19219BA821ECEA86B64E628F8D684696D", false},
      {"PASSWORD", false},
      {"=PASSWORD", false},
  };
  for (const Case& c : cases) {
    const auto decision = DecideOn({"A=b", c.variable}, Denying());
    ASSERT_EQ(decision.findings.size(), c.is_secret ? 1U : 0U) << c.variable;
    EXPECT_EQ(decision.outcome, enforce::Outcome::kUnchanged);
    if (!c.is_secret) continue;
    const Finding& finding = decision.findings[0].finding;
    EXPECT_EQ(finding.path, "/process/env");
    EXPECT_EQ(finding.before, json::Value(Strings{c.variable.substr(0, c.variable.find('='))}));
  }
}

TEST(Environment, ReportsLoaderVariables) {
  for (const std::string name : {"LD_PRELOAD", "LD_AUDIT", "LD_LIBRARY_PATH"}) {
    EXPECT_EQ(DecideOn({name + "=/x"}, Denying()).findings.size(), 1U) << name;
    EXPECT_TRUE(DecideOn({name + "="}, Denying()).findings.empty()) << name;
  }
  EXPECT_TRUE(DecideOn({"LD_PRELOADED=/x"}, Denying()).findings.empty());
}

TEST(Environment, RefusesDeniedNames) {
  const auto parameters = Denying({"LD_PRELOAD", "AWS_*"});
  for (const std::string variable : {"LD_PRELOAD=/x", "AWS_REGION=here", "AWS_="}) {
    const auto decision = DecideOn({variable}, parameters, policy::Action::kRefuse);
    EXPECT_EQ(decision.outcome, enforce::Outcome::kRefused) << variable;
  }
  for (const std::string variable : {"LD_PRELOADS=/x", "XAWS_REGION=here", "aws_region=here"}) {
    const auto decision = DecideOn({variable}, parameters, policy::Action::kRefuse);
    EXPECT_EQ(decision.outcome, enforce::Outcome::kUnchanged) << variable;
  }
}

// Findings go to the log, to the record and to whoever asks runcladctl why.
TEST(Environment, NeverShowsAValue) {
  const std::string value = "hunter2-hunter2-hunter2";
  const Strings variables = {"PASSWORD=" + value, "LD_PRELOAD=" + value,
                             "URL=https://u:" + value + "@h/", "DENIED=" + value};
  const auto decision =
      DecideOn(variables, Denying({"DENIED", "LD_*", "PASSWORD"}), policy::Action::kRefuse);
  ASSERT_EQ(decision.outcome, enforce::Outcome::kRefused);
  ASSERT_EQ(decision.findings.size(), 3U);
  for (const enforce::Applied& applied : decision.findings) {
    const Finding& finding = applied.finding;
    for (const std::string& text :
         {finding.path, finding.why, finding.before.Dump(), finding.after.Dump(),
          CodeAndRemedy(finding), enforce::RefusalSentence(decision)}) {
      EXPECT_EQ(text.find("hunter2"), std::string::npos) << text;
    }
  }
}

TEST(Environment, TruncatesNamesBetweenCharacters) {
  Strings variables;
  for (int i = 0; i < 100; ++i) {
    std::string umlauts;
    for (int j = 0; j < 79; ++j) umlauts += i % 2 == 0 ? "ä" : "日";
    variables.push_back(std::to_string(i) + umlauts + "_TOKEN=x");
  }
  const auto decision = DecideOn(variables, Denying());
  ASSERT_EQ(decision.findings.size(), 1U);
  const json::Value& names = decision.findings[0].finding.before;
  EXPECT_LT(names.Dump().size(), 2000U);  // which throws where a character was cut
}

TEST(Environment, IsAllowedByAWaiverOfTheDenial) {
  const auto decision =
      DecideOn({"AWS_REGION=here", "LD_PRELOAD=/x", "TOKEN=x"},
               Denying({"OTHER", "AWS_*", "AWS_REGION", "TOKEN"}), policy::Action::kRefuse);
  EXPECT_EQ(CodesAndRemedies(decision),
            (Strings{"denied: waiver deny -= AWS_* AWS_REGION TOKEN",
                     "secret: ask: mount the secret as a file",
                     "loader: ask: leave the variable out of --env and of the image"}));
  EXPECT_EQ(enforce::RefusalSentence(decision),
            "refused by environment: /process/env [\"AWS_REGION\",\"TOKEN\"] is denied by "
            "environment.deny (CIS 4.10); to allow exactly this, remove \"AWS_*\", \"AWS_REGION\", "
            "\"TOKEN\" from environment.deny with a waiver in the image's file with its digest, "
            "see runcladctl explain environment");
}

}  // namespace
}  // namespace runclad::rules::environment_test
