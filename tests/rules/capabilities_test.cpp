#include "rule_test.hpp"

namespace runclad::rules::capabilities_test {
namespace {

using Strings = std::vector<std::string>;

policy::Parameters Allowing(std::vector<std::string> names, const std::string& unlisted = "fix") {
  policy::Parameters parameters;
  parameters.Set("allow", std::move(names));
  parameters.Set("unlisted", unlisted);
  return parameters;
}

struct Case {
  std::string_view name;
  std::string_view before;  // /process/capabilities
  std::string_view after;
};

constexpr Case kCases[] = {
    {"what is not allowed goes from every set",
     R"({"bounding":["CAP_CHOWN","CAP_KILL"],"effective":["CAP_KILL","CAP_SYS_ADMIN"],)"
     R"("permitted":["CAP_SYS_ADMIN"]})",
     R"({"bounding":["CAP_KILL"],"effective":["CAP_KILL"],"permitted":[]})"},
    {"nothing is added", R"({"bounding":[],"effective":["CAP_CHOWN"]})",
     R"({"bounding":[],"effective":[]})"},
    {"inheritable is emptied",
     R"({"bounding":["CAP_KILL"],"inheritable":["CAP_KILL"],"permitted":["CAP_KILL"]})",
     R"({"bounding":["CAP_KILL"],"inheritable":[],"permitted":["CAP_KILL"]})"},
    {"but for what is ambient, which the kernel wants inheritable",
     R"({"ambient":["CAP_KILL","CAP_CHOWN"],"inheritable":["CAP_KILL","CAP_CHOWN"]})",
     R"({"ambient":["CAP_KILL"],"inheritable":["CAP_KILL"]})"},
    {"unknown names are dropped", R"({"bounding":["CAP_KILL","CAP_FUTURE","kil"]})",
     R"({"bounding":["CAP_KILL"]})"},
    {"other spellings are written as the spec has them, once",
     R"({"bounding":["cap_kill","KILL","CAP_KILL"]})", R"({"bounding":["CAP_KILL"]})"},
    {"within the allowlist nothing changes", R"({"bounding":["CAP_KILL"],"effective":[]})",
     R"({"bounding":["CAP_KILL"],"effective":[]})"},
};

TEST(Capabilities, AreReducedToTheAllowlist) {
  for (const Case& c : kCases) {
    const std::string document =
        R"({"process":{"capabilities":)" + std::string(c.before) + R"(,"cwd":"/"}})";
    const auto decision = DecideBy("capabilities", document, Allowing({"CAP_KILL"}));
    ExpectRemediesHelp("capabilities", SpecOf(document), Allowing({"CAP_KILL"}));
    EXPECT_EQ(decision.spec.Write(),
              R"({"process":{"capabilities":)" + std::string(c.after) + R"(,"cwd":"/"}})")
        << c.name;
  }
}

TEST(Capabilities, AbsentSetsStayAbsent) {
  const auto decision =
      DecideBy("capabilities", R"({"process":{"cwd":"/"}})", Allowing({"CAP_KILL"}));
  EXPECT_EQ(decision.outcome, enforce::Outcome::kUnchanged);
  EXPECT_EQ(decision.spec.Write(), R"({"process":{"cwd":"/"}})");
}

TEST(Capabilities, UnlistedRefuseRefusesRequestsBeyondTheEnginesDefault) {
  const auto parameters = Allowing({"CAP_KILL"}, "refuse");
  const auto asked = DecideBy(
      "capabilities", R"({"process":{"capabilities":{"bounding":["CAP_CHOWN","sys_admin"]}}})",
      parameters);
  ASSERT_EQ(asked.outcome, enforce::Outcome::kRefused);
  EXPECT_EQ(enforce::RefusalSentence(asked),
            "refused by capabilities: /process/capabilities/bounding \"CAP_SYS_ADMIN\" is not on "
            "the allowlist (CIS 5.4, PSS baseline, PSS restricted); to allow exactly "
            "this, add \"CAP_SYS_ADMIN\" to capabilities.allow in /etc/runclad/policy.json or in "
            "the image's file with its digest, see runcladctl explain capabilities");
  const auto by_default = DecideBy(
      "capabilities", R"({"process":{"capabilities":{"bounding":["CAP_CHOWN"]}}})", parameters);
  EXPECT_EQ(by_default.outcome, enforce::Outcome::kRewritten);
  EXPECT_EQ(by_default.spec.Write(), R"({"process":{"capabilities":{"bounding":[]}}})");
}

// /process/capabilities and what the rule says of it.
Strings Of(const std::string& sets, const policy::Parameters& parameters, const Facts& facts = {}) {
  const std::string document = R"({"process":{"args":["/bin/ping"],"capabilities":)" + sets + "}}";
  ExpectRemediesHelp("capabilities", SpecOf(document), parameters, facts);
  return CodesAndRemedies(DecideBy("capabilities", document, parameters, facts));
}

TEST(Capabilities, RemedyNamesTheLostCapabilities) {
  const auto kill = Allowing({"CAP_KILL"});
  EXPECT_EQ(
      Of(R"({"bounding":["kill","sys_admin","CAP_CHOWN","CAP_NEW"],"permitted":["chown"]})", kill),
      (Strings{"unlisted: allow += CAP_SYS_ADMIN CAP_CHOWN", "unlisted"}))
      << "each once";
  EXPECT_EQ(Of(R"({"bounding":["CAP_NEW"]})", kill),
            Strings{"unknown: none: runclad does not know the name of this capability"});
  EXPECT_EQ(Of(R"({"bounding":["kill"]})", kill), Strings{"spelling"});
  EXPECT_EQ(
      Of(R"({"inheritable":["CAP_KILL","CAP_CHOWN"]})", kill),
      Strings{"inheritable: none: inheritable capabilities are kept only if they are ambient"});
  EXPECT_EQ(Of(R"({"inheritable":["CAP_KILL","CAP_CHOWN"],"ambient":["CAP_CHOWN"]})", kill),
            (Strings{"unlisted: allow += CAP_CHOWN", "unlisted"}));
  EXPECT_EQ(Of(R"({"bounding":["CAP_CHOWN"],"permitted":["CAP_CHOWN","CAP_BPF"]})", kill),
            (Strings{"unlisted: allow += CAP_CHOWN", "unlisted: allow += CAP_BPF"}));
}

TEST(Capabilities, RemedyNamesEachRequestedCapabilityOnce) {
  EXPECT_EQ(Of(R"({"bounding":["BPF","SYSLOG"],"permitted":["SYSLOG","BPF","CHOWN"]})",
               Allowing({}, "refuse")),
            (Strings{"asked-for: allow += CAP_BPF", "asked-for: allow += CAP_SYSLOG", "unlisted",
                     "unlisted: allow += CAP_CHOWN"}));
}

TEST(Capabilities, RemedyOfAFileCapabilityIsTheEnginesFlag) {
  Facts facts;
  facts.Get<Program>().emplace();
  facts.Get<Program>()->capabilities_are_effective = true;
  facts.Get<Program>()->file_capabilities = (1U << 13) | (1U << 12);  // CAP_NET_RAW, CAP_NET_ADMIN
  const auto last = [&](const std::string& sets, const policy::Parameters& parameters) {
    return Of(sets, parameters, facts).back();
  };
  const std::string both = R"({"bounding":["CAP_NET_RAW","CAP_NET_ADMIN"]})";
  EXPECT_EQ(last(both, Allowing({"CAP_NET_RAW"})), "file-capability: allow += CAP_NET_ADMIN");
  EXPECT_EQ(last(R"({"bounding":["CAP_NET_RAW"]})", Allowing({"CAP_NET_RAW", "CAP_NET_ADMIN"})),
            "file-capability: ask: run it with --cap-add NET_ADMIN");
  EXPECT_EQ(last(R"({"bounding":[]})", Allowing({"CAP_NET_RAW"})),
            "file-capability: ask: run it with --cap-add NET_ADMIN --cap-add NET_RAW, and add "
            "CAP_NET_ADMIN to capabilities.allow");
}

}  // namespace
}  // namespace runclad::rules::capabilities_test
