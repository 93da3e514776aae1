#include <nlohmann/json.hpp>

#include "rule_test.hpp"

namespace runclad::rules::program_test {
namespace {

using Strings = std::vector<std::string>;

policy::Parameters Denying(Strings deny) {
  policy::Parameters parameters;
  parameters.Set("deny", std::move(deny));
  return parameters;
}

policy::Parameters AllowingOnly(Strings allow) {
  policy::Parameters parameters = Denying({});
  parameters.Set("allow", std::move(allow));
  parameters.Set("allow-only", true);
  return parameters;
}

// A program as it was found; empty: it was not.
Facts Found(const std::string& resolved, Strings interpreters = {}) {
  Facts facts;
  facts.Get<Program>().emplace();
  facts.Get<Program>()->resolved = resolved;
  facts.Get<Program>()->interpreters = std::move(interpreters);
  return facts;
}

enforce::Decision DecideOn(const Strings& arguments, const policy::Parameters& parameters,
                           const Facts& facts) {
  const json::Document document = {{"process", {{"args", arguments}}}};
  return enforce::Decide(SpecOf(document.dump()),
                         PolicyWith("program", parameters, policy::Action::kRefuse), facts,
                         Scope::kProcess);
}

struct Case {
  std::string_view name;
  Strings arguments;
  Facts facts;
  bool is_refused;
};

TEST(Program, IsRefusedUnderEveryNameIfDenied) {
  const Case cases[] = {
      {"by its name", {"sshd", "-D"}, {}, true},
      {"by its path", {"/usr/sbin/sshd"}, Found("/usr/sbin/sshd"), true},
      {"by a link", {"/start"}, Found("/usr/sbin/sshd"), true},
      {"by a name that is a link", {"/bin/sshd"}, Found("/bin/other"), true},
      {"as a script's interpreter", {"/start"}, Found("/start", {"/usr/sbin/sshd"}), true},
      {"by an init", {"/sbin/docker-init", "--", "sshd"}, {}, true},
      {"by an init with options", {"tini", "-g", "-s", "--", "/usr/sbin/sshd", "-D"}, {}, true},
      {"as one of many in a program", {"busybox", "telnetd"}, Found("/bin/busybox"), true},
      {"so by an init", {"dumb-init", "/bin/busybox", "telnetd"}, {}, true},
      {"as an applet's link", {"/bin/telnetd"}, Found("/bin/busybox"), true},
      {"another applet", {"sh", "-c", "telnetd"}, Found("/bin/busybox"), false},
      {"an argument", {"grep", "sshd"}, Found("/bin/grep"), false},
      {"a name that only begins so", {"sshd-session"}, {}, false},
      {"a directory of that name", {"/sshd/run"}, Found("/sshd/run"), false},
      {"an absolute path", {"run"}, Found("/opt/run"), true},
      {"the same name elsewhere", {"run"}, Found("/srv/run"), false},
      {"an init alone", {"tini"}, Found("/tini"), false},
  };
  for (const Case& c : cases) {
    const auto decision = DecideOn(c.arguments, Denying({"sshd", "telnetd", "/opt/run"}), c.facts);
    EXPECT_EQ(decision.outcome,
              c.is_refused ? enforce::Outcome::kRefused : enforce::Outcome::kUnchanged)
        << c.name;
  }
}

TEST(Program, RefusalNamesTheListEntry) {
  EXPECT_EQ(enforce::RefusalSentence(
                DecideOn({"/start", "-D"}, Denying({"sshd"}), Found("/usr/sbin/sshd"))),
            "refused by program: /process/args/0 \"/start\" runs sshd, which program.deny lists "
            "(CIS 5.7); to allow exactly this, remove \"sshd\" from program.deny with a waiver in "
            "the image's file with its digest, see "
            "runcladctl explain program");
}

TEST(Program, AllowOnlyFollowsLinks) {
  const Case cases[] = {
      {"listed", {"server"}, Found("/app/server"), false},
      {"another", {"sh"}, Found("/bin/sh"), true},
      {"another of that name", {"/tmp/server"}, Found("/tmp/server"), true},
      {"a listed name that leads elsewhere", {"/app/server"}, Found("/bin/sh"), true},
      {"not found", {"/app/server"}, Found(""), true},
      {"not looked for", {"/app/server"}, {}, true},
  };
  for (const Case& c : cases) {
    const auto decision = DecideOn(c.arguments, AllowingOnly({"/app/server"}), c.facts);
    EXPECT_EQ(decision.outcome,
              c.is_refused ? enforce::Outcome::kRefused : enforce::Outcome::kUnchanged)
        << c.name;
  }
  policy::Parameters both = AllowingOnly({"/app/server"});
  both.Set("deny", Strings{"server"});
  EXPECT_EQ(DecideOn({"server"}, both, Found("/app/server")).outcome, enforce::Outcome::kRefused);
}

TEST(Program, NamesTheRemedy) {
  const auto said = [](const policy::Parameters& parameters, const Facts& facts) {
    constexpr std::string_view kDocument = R"({"process":{"args":["/start"]}})";
    ExpectRemediesHelp("program", SpecOf(kDocument), parameters, facts);
    return CodesAndRemedies(DecideBy("program", kDocument, parameters, facts));
  };
  EXPECT_EQ(said(Denying({"x", "sshd"}), Found("/usr/sbin/sshd")),
            Strings{"denied: waiver deny -= sshd"});
  EXPECT_EQ(said(AllowingOnly({"/app"}), Found("/bin/sh")), Strings{"unlisted: allow += /bin/sh"});
  EXPECT_EQ(
      said(AllowingOnly({"/app"}), Found("")),
      Strings{
          "not-found: none: a program that cannot be found cannot be compared with program.allow"});
}

// CAP_NET_BIND_SERVICE is the tenth.
Facts WithCapability(bool is_effective) {
  Facts facts = Found("/usr/bin/caddy");
  facts.Get<Program>()->file_capabilities = std::uint64_t{1} << 10U;
  facts.Get<Program>()->capabilities_are_effective = is_effective;
  return facts;
}

TEST(Capabilities, ReportTheOneAProgramCannotStartWithout) {
  const std::string document =
      R"({"process":{"args":["caddy"],"capabilities":{"bounding":["CAP_NET_BIND_SERVICE"]}}})";
  policy::Parameters none;
  none.Set("allow", Strings{});
  const auto refused = DecideBy("capabilities", document, none, WithCapability(true));
  EXPECT_EQ(
      enforce::RefusalSentence(refused),
      "refused by capabilities: /process/args/0 \"caddy\" has the file capability "
      "CAP_NET_BIND_SERVICE, which the container does not get, so that it cannot be started (CIS "
      "5.4, PSS baseline, PSS restricted); to allow exactly this, add "
      "\"CAP_NET_BIND_SERVICE\" to capabilities.allow in /etc/runclad/policy.json or in the "
      "image's file with its digest, see runcladctl explain capabilities");
  EXPECT_NE(DecideBy("capabilities", document, none, WithCapability(false)).outcome,
            enforce::Outcome::kRefused);
  policy::Parameters allowed;
  allowed.Set("allow", Strings{"CAP_NET_BIND_SERVICE"});
  EXPECT_EQ(DecideBy("capabilities", document, allowed, WithCapability(true)).outcome,
            enforce::Outcome::kUnchanged);
  EXPECT_EQ(
      DecideBy("capabilities", R"({"process":{"args":["caddy"]}})", allowed, WithCapability(true))
          .outcome,
      enforce::Outcome::kRefused)
      << "no sets are empty sets";
}

TEST(NoNewPrivileges, ReportsWhatAProgramDoesNotGain) {
  const std::string document =
      R"({"process":{"args":["ping"],"noNewPrivileges":true,"user":{"gid":1,"uid":1}}})";
  Facts sets_user = Found("/bin/ping");
  sets_user.Get<Program>()->sets_user = true;
  for (const Facts& facts : {sets_user, WithCapability(false)}) {
    const auto decision = DecideBy("no-new-privileges", document, {}, facts);
    ASSERT_EQ(decision.findings.size(), 1U);
    EXPECT_EQ(decision.findings[0].disposition, enforce::Disposition::kWarned);
    EXPECT_EQ(decision.findings[0].finding.path, "/process/args/0");
  }
  EXPECT_TRUE(DecideBy("no-new-privileges", document, {}, Found("/bin/ping")).findings.empty());
  const std::string root = R"({"process":{"args":["ping"],"noNewPrivileges":true}})";
  EXPECT_TRUE(DecideBy("no-new-privileges", root, {}, sets_user).findings.empty());
}

}  // namespace
}  // namespace runclad::rules::program_test
