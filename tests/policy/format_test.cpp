// What a policy file may say, and the sentence for everything that it may not.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../parameter_values.hpp"
#include "test_rules.hpp"

namespace runclad::policy::format_test {
namespace {

using ::testing::ElementsAre;

struct FaultCase {
  std::string name;
  std::string text;
  std::string sentence;  // behind "policy /etc/runclad/policy.json line "
};

std::string CaseName(const ::testing::TestParamInfo<FaultCase>& fault) { return fault.param.name; }

void PrintTo(const FaultCase& fault, std::ostream* out) { *out << fault.text; }

class PolicyFault : public ::testing::TestWithParam<FaultCase> {};

TEST_P(PolicyFault, IsReportedWithItsLine) {
  const auto policy = ParseText(GetParam().text);
  ASSERT_FALSE(policy);
  EXPECT_EQ(policy.error().message, "policy /etc/runclad/policy.json line " + GetParam().sentence);
}

INSTANTIATE_TEST_SUITE_P(
    Members, PolicyFault,
    ::testing::ValuesIn(std::vector<FaultCase>{
        {"NotAnObject", "[]", R"(1: a policy must be an object, not a list)"},
        {"UnknownKey", "{\n\"modes\": \"audit\"}",
         R"(2: unknown key "modes"; did you mean "mode"?)"},
        {"UnknownKeyLikeNoOther", "{\"frobnicate\": 1}", R"(1: unknown key "frobnicate")"},
        {"KeyWithSlash", "{\n\n\"a/~b\": 1}", R"(3: unknown key "a/~b")"},
        {"MemberOfAnImage", "{\n\"digests\": []}", R"(2: a policy has no "digests")"},
        {"UnknownTrustTier", "{\"trust\": {\n\"tags\": \"unlimited\"}}",
         R"(2: unknown key "trust/tags"; did you mean "tag"?)"},
        {"UnknownCeiling", "{\"trust\": {\"tag\": \"docker\"}}",
         R"(1: "trust/tag" is nothing, docker-default or unlimited, not "docker"; did you mean "docker-default"?)"},
        {"UnknownExpiry", "{\"waiver-expiry\": \"always\"}",
         R"(1: "waiver-expiry" is optional or required, not "always")"},
        {"WaiverWithoutReason", "{\"waivers\": [\n{\"rule\": \"pids-limit\", \"default\": 4}]}",
         R"(2: a waiver needs a "reason")"},
        {"WaiverWithoutRule", "{\"waivers\": [\n{\"reason\": \"r\"}]}",
         R"(2: a waiver needs a "rule")"},
        {"WaiverOfNothing", "{\"waivers\": [{\"rule\": \"pids-limit\", \"reason\": \"r\"}]}",
         R"(1: a waiver needs an "action" or a parameter of its rule; this one changes nothing)"},
        {"WaiverOfAnUnknownRule", "{\"waivers\": [{\"rule\": \"pids\", \"reason\": \"r\"}]}",
         R"(1: unknown rule "pids"; did you mean "pids-limit"?)"},
        {"WaiverOfAnUnknownParameter",
         "{\"waivers\": [{\"rule\": \"pids-limit\", \"reason\": \"r\",\n\"expire\": "
         "\"2027-01-01\"}]}",
         R"(2: rule "pids-limit" has no parameter "expire"; did you mean "expires"?)"},
        {"WaiverOfNoDay",
         "{\"waivers\": [{\"rule\": \"pids-limit\", \"reason\": \"r\", \"default\": 4, "
         "\"expires\":\n"
         "\"2027-02-29\"}]}",
         R"(1: "2027-02-29" is not a date such as 2027-03-31)"},
        {"WaiverOfEverythingForEver", "{\"waivers\": [{\"rule\": \"*\", \"reason\": \"r\"}]}",
         R"(1: a waiver of "*" needs "expires")"},
        {"WaiverOfEverythingWithMore",
         "{\"waivers\": [{\"rule\": \"*\", \"reason\": \"r\", \"expires\": \"2027-01-01\",\n"
         "\"action\": \"off\"}]}",
         R"(2: a waiver of "*" is an audit mode and cannot have "action")"},
        {"WaiversNotAList", "{\"waivers\": {}}",
         R"(1: "waivers" must be a list of objects, not an object)"},
        {"SchemaNotAString", "{\"$schema\": 1}", R"(1: "$schema" must be a string, not a number)"},
        {"ProfileNotAString", "{\"extends\": null}", R"(1: "extends" must be a string, not null)"},
        {"UnknownProfile", "{\n  \"extends\": \"restrcited\"}",
         R"(2: unknown profile "restrcited"; did you mean "restricted"?)"},
        {"ModeNotAString", "{\"mode\": true}", R"(1: "mode" must be a string, not true)"},
        {"UnknownMode", "{\"mode\": \"Audit\"}",
         R"(1: "mode" is enforce or audit, not "Audit"; did you mean "audit"?)"},
        {"UnknownRootless", "{\"rootless\": \"passthrough\"}",
         R"(1: "rootless" is refuse, pass-through or apply, not "passthrough"; did you mean "pass-through"?)"},
        {"LogNotAnObject", "{\"log\": \"syslog\"}", R"(1: "log" must be an object, not a string)"},
        {"UnknownLogKey", "{\"log\": {\n\"requird\": true}}",
         R"(2: unknown key "log/requird"; did you mean "required"?)"},
        {"LogRequiredNotABoolean", "{\"log\": {\"required\": \"true\"}}",
         R"(1: "log/required" must be true or false, not a string)"},
        {"UnknownLogTarget", "{\"log\": {\"target\": \"sylog\"}}",
         R"(1: "log/target" is journald, syslog or file:/ABSOLUTE/PATH, not "sylog"; did you mean "syslog"?)"},
        {"RelativeLogFile", "{\"log\": {\"target\": \"file:audit\"}}",
         R"(1: "log/target": "audit" is not an absolute path)"},
        {"UnknownLogLevel", "{\"log\": {\"level\": \"warn\"}}",
         R"(1: "log/level" is info, notice or warning, not "warn"; did you mean "warning"?)"},
        {"LogSizeNotANumber", "{\"log\": {\"max-megabytes\": \"100\"}}",
         R"(1: "log/max-megabytes" must be a number from 0 to 1000000, not a string)"},
        {"LogSizeNegative", "{\"log\": {\"max-megabytes\": -1}}",
         R"(1: "log/max-megabytes" must be a number from 0 to 1000000, not -1)"},
        {"LogKeepsNone", "{\"log\": {\n\"keep\": 0}}",
         R"(2: "log/keep" must be a number from 1 to 10000, not 0)"},
        {"LogForwardNotAnObject", "{\"log\": {\"forward\": \"falco\"}}",
         R"(1: "log/forward" must be an object, not a string)"},
        {"LogForwardUnknownKey", "{\"log\": {\"forward\": {\n\"fromat\": \"falco\"}}}",
         R"(2: unknown key "log/forward/fromat"; did you mean "format"?)"},
        {"LogForwardUnknownFormat", "{\"log\": {\"forward\": {\n\"format\": \"flaco\"}}}",
         R"(2: "log/forward/format" is json, falco or ocsf, not "flaco"; did you mean "falco"?)"},
        {"LogForwardWithoutTarget", "{\"log\": {\"forward\": {\"format\": \"ocsf\"}}}",
         R"(1: "log/forward" needs a "format" and a "target")"},
        {"LogForwardUnknownTarget",
         "{\"log\": {\"forward\": {\"format\": \"ocsf\",\n\"target\": \"file:a\"}}}",
         R"(2: "log/forward/target": "a" is not an absolute path)"},
        {"RulesNotAnObject", "{\"rules\": []}", R"(1: "rules" must be an object, not a list)"},
        {"NotJson", "{\n\"mode\" \"audit\"}",  // nlohmann's own words behind the position
         "2, column 14: not JSON: syntax error while parsing object separator - unexpected string "
         "literal; expected ':'"},
        {"MemberTwice", "{\"mode\": \"audit\",\n \"mode\": \"audit\"}",
         R"(2, column 2: the member "mode" appears twice)"},
    }),
    CaseName);

INSTANTIATE_TEST_SUITE_P(
    Rules, PolicyFault,
    ::testing::ValuesIn(std::vector<FaultCase>{
        {"UnknownRule", "{\"rules\": {\n\n  \"capabilites\": {}}}",
         R"(3: unknown rule "capabilites"; did you mean "capabilities"?)"},
        {"RuleNotAnObject", "{\"rules\": {\"seccomp\": \"fix\"}}",
         R"(1: rule "seccomp" must be an object, not a string)"},
        {"UnknownParameter", "{\"rules\": {\"seccomp\": {\n\"alow\": []}}}",
         R"(2: rule "seccomp" has no parameter "alow"; did you mean "allow"?)"},
        {"UnknownParameterLikeNoOther", "{\"rules\": {\"pids-limit\": {\"ceiling\": 3}}}",
         R"(1: rule "pids-limit" has no parameter "ceiling"; it has action, default or maximum)"},
        {"UnknownAction", "{\"rules\": {\"seccomp\": {\"action\": \"of\"}}}",
         R"(1: the action of rule "seccomp" is fix, refuse, warn or off, not "of"; did you mean "off"?)"},
        {"UnsupportedAction", "{\"rules\": {\"host-mounts\": {\n\"action\": \"fix\"}}}",
         R"(2: the action of rule "host-mounts" is refuse or off, not "fix")"},
        {"ActionNotAString", "{\"rules\": {\"seccomp\": {\"action\": 1}}}",
         R"(1: the action of rule "seccomp" must be a string, not a number)"},
        {"ListExpected", "{\"rules\": {\"seccomp\": {\"allow\": \"read\"}}}",
         R"(1: "seccomp/allow" must be a list of strings, not a string)"},
        {"ListOfOthers", "{\"rules\": {\"seccomp\": {\"allow\": [\n\"read\",\n{}]}}}",
         R"(3: "seccomp/allow" must be a list of strings; this element is an object)"},
        {"UnknownCapability",
         "{\"rules\": {\"capabilities\": {\"allow\": [\n\"CHOWN\",\n\"KIL\"]}}}",
         R"(3: "capabilities/allow": unknown capability "KIL"; did you mean "KILL"?)"},
        {"UnknownFamily", "{\"rules\": {\"seccomp\": {\"families\": [\"AF_VSOK\"]}}}",
         R"(1: "seccomp/families": unknown address family "AF_VSOK"; did you mean "VSOCK"?)"},
        {"FamilyThatIsNoText", "{\"rules\": {\"seccomp\": {\"families\": [40]}}}",
         R"(1: "seccomp/families" must be a list of strings; this element is a number)"},
        {"AllIsNoCapability", "{\"rules\": {\"capabilities\": {\"allow\": [\"ALL\"]}}}",
         R"(1: "capabilities/allow": unknown capability "ALL")"},
        {"UnknownSystemCall", "{\"rules\": {\"seccomp\": {\"deny\": [\"clone3\",\n\"clone4\"]}}}",
         R"(2: "seccomp/deny": unknown system call "clone4")"},
        {"NoSystemCall", "{\"rules\": {\"seccomp\": {\"deny\": [\"Clone 3\"]}}}",
         R"(1: "seccomp/deny": unknown system call "Clone 3")"},
        {"WrongArguments", "{\"rules\": {\"seccomp\": {\"deny\": [\"clone arg0=1\"]}}}",
         "1: \"seccomp/deny\": \"clone arg0=1\" is not a system call with arguments such as "
         "\"setsockopt arg1==41 arg2==64\" or \"clone arg0&0x10000000==0x10000000\""},
        {"ArgumentsOfWhatIsAllowed", "{\"rules\": {\"seccomp\": {\"allow\": [\"clone arg0==1\"]}}}",
         R"(1: "seccomp/allow": unknown system call "clone arg0==1")"},
        {"RelativePath", "{\"rules\": {\"host-mounts\": {\"deny\": [\"/a\",\n\"srv/x\"]}}}",
         R"(2: "host-mounts/deny": "srv/x" is not an absolute path)"},
        {"PathWithDetour", "{\"rules\": {\"host-mounts\": {\"deny\": [\"/srv/../etc\"]}}}",
         R"(1: "host-mounts/deny": "/srv/../etc" must be written without "." and "..")"},
        {"NoRangeOfIds", "{\"rules\": {\"user\": {\"allow-uids\": [\"0\",\n\"9-1\"]}}}",
         R"(2: "user/allow-uids": "9-1" is neither an id such as "1000" nor a range such as "1000-65535")"},
        {"RunAsRoot", "{\"rules\": {\"user\": {\"run-as\": \"1000:0\"}}}",
         R"(1: "user/run-as": "1000:0" is not a non-root user and group such as "1000:1000")"},
        {"UnknownChoice", "{\"rules\": {\"capabilities\": {\"unlisted\": \"refues\"}}}",
         R"(1: "capabilities/unlisted" is refuse or fix, not "refues"; did you mean "refuse"?)"},
        {"TextExpected", "{\"rules\": {\"host-mounts\": {\"label\": []}}}",
         R"(1: "host-mounts/label" must be a string, not a list)"},
        {"BooleanExpected", "{\"rules\": {\"seccomp\": {\"deny-socketcall\": 1}}}",
         R"(1: "seccomp/deny-socketcall" must be true or false, not a number)"},
        {"NumberExpected", "{\"rules\": {\"pids-limit\": {\"default\": \"64\"}}}",
         R"(1: "pids-limit/default" must be a number, not a string)"},
        {"NumberTooSmall", "{\"rules\": {\"pids-limit\": {\"default\": -1}}}",
         R"(1: "pids-limit/default" must be at least 1)"},
        {"NumberTooLarge", "{\"rules\": {\"pids-limit\": {\"default\": 65537}}}",
         R"(1: "pids-limit/default" must be at most 65536)"},
        {"NumberBeyondSigned", "{\"rules\": {\"pids-limit\": {\"default\": 18446744073709551615}}}",
         R"(1: "pids-limit/default" must be at most 65536)"},
    }),
    CaseName);

TEST(PolicyFormat, AcceptsEveryKeyAndComments) {
  const auto policy = ParseText(R"({
    // where the schema is published
    "$schema": "https://example.org/policy.schema.json",
    "extends": "baseline", /* gentle */ "mode": "audit", "rootless": "pass-through",
    "log": { "target": "journald", "required": true },
    "rules": { "pids-limit": { "action": "refuse", "default": 65536 } } })");
  ASSERT_TRUE(policy) << policy.error().message;
  EXPECT_EQ(policy->profile, "baseline");
  EXPECT_EQ(policy->mode, Mode::kAudit);
  EXPECT_EQ(policy->rootless, Rootless::kPassThrough);
  EXPECT_EQ(policy->log.target, "journald");
  EXPECT_TRUE(policy->log.required);
  EXPECT_EQ(policy->rule("pids-limit").action, Action::kRefuse);
  EXPECT_EQ(IntegerOf(policy->rule("pids-limit").parameters, "default"), 65536);
}

TEST(PolicyFormat, AcceptsCommonSpellingsOfCapabilities) {
  const auto policy = ParseText(
      R"({"rules": {"capabilities": {"allow": ["KILL", "cap_chown", "CAP_SETUID", "setgid"]}}})");
  ASSERT_TRUE(policy) << policy.error().message;
  EXPECT_THAT(StringsOf(policy->rule("capabilities").parameters, "allow"),
              ElementsAre("CAP_KILL", "CAP_CHOWN", "CAP_SETUID", "CAP_SETGID"));
}

TEST(PolicyFormat, AcceptsEveryLogTarget) {
  for (const std::string target : {"journald", "syslog", "file:/var/log/x.jsonl"}) {
    const auto policy = ParseText(R"({"log": {"target": ")" + target + R"("}})");
    ASSERT_TRUE(policy) << policy.error().message;
    EXPECT_EQ(policy->log.target, target);
  }
}

TEST(PolicyFormat, ReadsTheLogsSettings) {
  const auto policy = ParseText(
      R"({"log": {"level": "notice", "max-megabytes": 0, "keep": 3,
                  "forward": {"format": "ocsf", "target": "syslog"}}})");
  ASSERT_TRUE(policy) << policy.error().message;
  EXPECT_EQ(policy->log, (LogSettings{.level = LogLevel::kNotice,
                                      .max_megabytes = 0,
                                      .keep = 3,
                                      .forward = LogForward{LogFormat::kOcsf, "syslog"}}));
}

// Lines of two formats in one file are of use to no reader.
TEST(PolicyFormat, LogIsNotForwardedToItself) {
  for (const std::string target : {"file:/var/log/runclad/audit.jsonl", "syslog"}) {
    const auto policy =
        ParseText(R"({"log": {"target": ")" + target +
                  R"(", "forward": {"format": "falco", "target": ")" + target + R"("}}})");
    ASSERT_FALSE(policy);
    EXPECT_THAT(policy.error().message,
                ::testing::HasSubstr(R"("log/forward/target" is the log itself, )" + target));
  }
}

TEST(PolicyFormat, AProfileContainsOnlyRules) {
  const LoadOptions options{
      .profile = [](std::string_view) -> std::string_view { return "{\n\"mode\": \"audit\"}"; }};
  const auto policy = Parse("{}", "policy.json", kRules, options);
  ASSERT_FALSE(policy);
  EXPECT_EQ(policy.error().message, "profile restricted line 2: a profile has no \"mode\"");
}

TEST(PolicyLint, ReportsEveryFaultInLineOrder) {
  const auto faults = FindFaults(
      "{ \"rules\": {\n\"seccomp\": { \"allow\": [\"raed\"] },\n"
      "\"capabilities\": { \"allow\": [\"KIL\",\n1] } },\n"
      "\"extends\": \"base\",\n\"trust\": 1 }",
      FileKind::kPolicy, kRules, {.profile = TestProfile});
  std::vector<std::string> lines;
  lines.reserve(faults.size());
  for (const Fault& fault : faults) lines.push_back(std::to_string(fault.line) + fault.message);
  EXPECT_THAT(lines, ElementsAre("2\"seccomp/allow\": unknown system call \"raed\"",
                                 "3\"capabilities/allow\": unknown capability \"KIL\"; did you "
                                 "mean \"KILL\"?",
                                 "4\"capabilities/allow\" must be a list of strings; this element "
                                 "is a number",
                                 "5unknown profile \"base\"; did you mean \"baseline\"?",
                                 "6\"trust\" must be an object, not a number"));
}

TEST(PolicyLint, ChecksTheFormOfAnImageFile) {
  const auto faults = FindFaults(
      "{ \"mode\": \"audit\",\n\"digests\": [\"sha256:12\"],\n\"tags\": {\n\"a b\": {},\n"
      "\"1.27\": { \"tags\": {},\n\"rules\": { \"seccmp\": {} } } },\n\"digest\": 1 }",
      FileKind::kImage, kRules, {.profile = TestProfile});
  std::vector<std::string> lines;
  for (const Fault& fault : faults) lines.push_back(std::to_string(fault.line) + fault.message);
  EXPECT_THAT(
      lines,
      ElementsAre("1an image's file has no \"mode\"",
                  "2\"sha256:12\" is not sha256: followed by 64 lower-case hexadecimal digits",
                  "4\"a b\" is not a valid tag", "5a tag has no \"tags\"",
                  "6unknown rule \"seccmp\"; did you mean \"seccomp\"?",
                  "7unknown key \"digest\"; did you mean \"digests\"?"));
}

TEST(PolicyLint, ADigestFileHasNeitherTagsNorDigests) {
  const auto faults = FindFaults("{\n\"tags\": {},\n\"digests\": [] }", FileKind::kShared, kRules,
                                 {.profile = TestProfile});
  ASSERT_EQ(faults.size(), 2U);
  EXPECT_EQ(faults[0].message, "this kind of file has no \"tags\"");
  EXPECT_EQ(faults[1].message, "this kind of file has no \"digests\"");
}

TEST(PolicyLint, ReportsOneFaultForInvalidJson) {
  const auto faults = FindFaults("{\n\n\"mode\": 1.5}", FileKind::kPolicy, kRules);
  ASSERT_EQ(faults.size(), 1U);
  EXPECT_EQ(faults[0].line, 3U);
  EXPECT_EQ(faults[0].message, "the number 1.5 is not an integer of 64 bits");
}

TEST(PolicyLint, ReportsNothingForAValidPolicy) {
  EXPECT_TRUE(FindFaults(R"({"mode": "audit"})", FileKind::kPolicy, kRules).empty());
}

}  // namespace
}  // namespace runclad::policy::format_test
