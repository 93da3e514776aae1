// runcladctl check on bundles of the tests' own.
#include <algorithm>

#include <gmock/gmock.h>

#include "program.hpp"
#include "test_paths.hpp"

namespace runclad::ctl::check_test {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

// A document that only no-new-privileges has something to say about.
json PlainConfig() {
  return {{"ociVersion", "1.0.2"},
          {"process",
           {{"args", {"sh"}},
            {"cwd", "/"},
            {"user", {{"uid", 0}, {"gid", 0}}},
            {"noNewPrivileges", false}}},
          {"root", {{"path", "rootfs"}, {"readonly", true}}}};
}

// Only these rules act.
std::string Policy(const std::string& action, const std::string& mode = "enforce") {
  json rules;
  for (const auto& rule : Runcladctl({"rules", "--json"}).json()) {
    rules[rule["id"].get<std::string>()]["action"] = "off";
  }
  rules["no-new-privileges"]["action"] = action;
  return json{{"mode", mode}, {"rules", rules}}.dump();
}

TEST(Check, ShowsWhatWouldBeRewritten) {
  const TemporaryDirectory directory;
  directory.Write("bundle/config.json", PlainConfig().dump());
  directory.Write("etc/policy.json", Policy("fix"));
  const ProgramRun run =
      Runcladctl({"check", directory.path() + "/bundle", "--config", directory.path() + "/etc"});
  EXPECT_EQ(run.status, 1);
  EXPECT_EQ(run.err, "");
  EXPECT_EQ(run.out, directory.path() +
                         "/bundle/config.json would be rewritten (profile restricted)\n"
                         "\n"
                         "fixed by no-new-privileges\n"
                         "      /process/noNewPrivileges\n"
                         "        - false\n"
                         "        + true\n"
                         "          lets set-user-ID programs and file capabilities raise "
                         "privileges\n"
                         "\n"
                         "1 fixed; see runcladctl explain RULE\n");
}

TEST(Check, WritesSarifWithTheCodesOfFindings) {
  const TemporaryDirectory directory;
  const std::string file = directory.Write("bundle/config.json", PlainConfig().dump());
  directory.Write("etc/policy.json", Policy("fix"));
  const ProgramRun run = Runcladctl(
      {"check", directory.path() + "/bundle", "--sarif", "--config", directory.path() + "/etc"});
  EXPECT_EQ(run.status, 1) << run.err;
  const json sarif = run.json()["runs"][0];
  ASSERT_EQ(sarif["results"].size(), 1U) << sarif["results"];
  const json& result = sarif["results"][0];
  EXPECT_EQ(result["ruleId"], "no-new-privileges/absent");
  EXPECT_EQ(result["level"], "warning");
  const json& place = result["locations"][0];
  EXPECT_EQ(place["physicalLocation"]["artifactLocation"]["uri"], file);
  EXPECT_EQ(place["logicalLocations"][0]["name"], "/process/noNewPrivileges");
  const json& rules = sarif["tool"]["driver"]["rules"];
  EXPECT_TRUE(std::ranges::any_of(rules, [](const json& rule) {
    return rule["id"] == "no-new-privileges/absent" &&
           rule["shortDescription"]["text"] == "the process may gain privileges";
  }));
  EXPECT_EQ(Runcladctl({"check", "--json", "--sarif", directory.path() + "/bundle"}).status, 3);
}

TEST(Check, ShowsLostSystemCalls) {
  const TemporaryDirectory directory;
  directory.Write("policy.json",
                  R"({"extends": "baseline", "rules": {"seccomp": {"deny": ["kcmp", "chroot"]}}})");
  const ProgramRun run =
      Runcladctl({"check", "--config", directory.path(),
                  std::string(RUNCLAD_TEST_DATA) + "/data/corpus/docker/default.json"});
  EXPECT_THAT(run.out,
              ::testing::ContainsRegex("\nfixed by seccomp\n"
                                       "      /linux/seccomp\n"
                                       "        - a filter that allows [0-9]+ system calls\n"
                                       "        [+] a filter that allows [0-9]+ system calls\n"
                                       "          no longer: (.* )?chroot"));
}

TEST(Check, JsonHasTheWholeFilter) {
  const TemporaryDirectory directory;
  const ProgramRun run =
      Runcladctl({"check", "--json", "--config", directory.path(),
                  std::string(RUNCLAD_TEST_DATA) + "/data/corpus/docker/default.json"});
  const json result = run.json();
  const auto finding = std::find_if(result["findings"].begin(), result["findings"].end(),
                                    [](const json& each) { return each["rule"] == "seccomp"; });
  ASSERT_NE(finding, result["findings"].end());
  EXPECT_TRUE((*finding)["before"].contains("syscalls"));
  EXPECT_TRUE((*finding)["after"].contains("syscalls"));
}

TEST(Check, AcceptsADocument) {
  const TemporaryDirectory directory;
  const std::string config = directory.Write("some.json", PlainConfig().dump());
  directory.Write("etc/policy.json", Policy("fix"));
  EXPECT_EQ(Runcladctl({"check", config, "--runclad-config", directory.path() + "/etc"}).status, 1);
}

TEST(Check, JsonHasFindingsAndResultingDocument) {
  const TemporaryDirectory directory;
  const std::string config = directory.Write("config.json", PlainConfig().dump());
  directory.Write("etc/policy.json", Policy("fix"));
  const ProgramRun run =
      Runcladctl({"check", "--json", config, "--config", directory.path() + "/etc"});
  EXPECT_EQ(run.status, 1);
  const json result = run.json();
  json expected = PlainConfig();
  expected["process"]["noNewPrivileges"] = true;
  EXPECT_EQ(result["config"], expected);
  EXPECT_EQ(result["outcome"], "rewritten");
  EXPECT_EQ(result["profile"], "restricted");
  EXPECT_EQ(result["mode"], "enforce");
  ASSERT_EQ(result["findings"].size(), 1U);
  EXPECT_EQ(result["findings"][0]["rule"], "no-new-privileges");
  EXPECT_EQ(result["findings"][0]["path"], "/process/noNewPrivileges");
  EXPECT_EQ(result["findings"][0]["action"], "fixed");
  EXPECT_EQ(result["findings"][0]["before"], false);
  EXPECT_EQ(result["findings"][0]["after"], true);
}

TEST(Check, WritesNothing) {
  const TemporaryDirectory directory;
  const std::string config = directory.Write("config.json", PlainConfig().dump(4));
  Runcladctl({"check", config, "--config", directory.path()});
  std::ifstream file(config);
  const std::string after(std::istreambuf_iterator<char>(file), {});
  EXPECT_EQ(after, PlainConfig().dump(4));
}

TEST(Check, SetsTheExitStatus) {
  const TemporaryDirectory directory;
  const std::string loose = directory.Write("loose.json", PlainConfig().dump());
  json tight_config = PlainConfig();
  tight_config["process"]["noNewPrivileges"] = true;
  const std::string tight = directory.Write("tight.json", tight_config.dump());
  const std::string broken = directory.Write("broken.json", "{\"process\": {}, \"process\": {}}");
  const struct {
    std::string policy;
    std::string document;
    int status;
  } cases[] = {
      {Policy("fix"), tight, 0},
      {Policy("fix"), loose, 1},
      {Policy("refuse"), loose, 2},
      {Policy("warn"), loose, 0},
      {Policy("off"), loose, 0},
      {Policy("fix"), broken, 3},
      {"{\"mode\": 1}", tight, 3},
      {"{", tight, 3},
      {Policy("fix", "audit"), loose, 1},
      {Policy("fix"), "/dev/null", 3},
      {Policy("fix"), directory.path() + "/none", 3},
  };
  for (const auto& [policy, document, status] : cases) {
    directory.Write("etc/policy.json", policy);
    const ProgramRun run = Runcladctl({"check", document, "--config", directory.path() + "/etc"});
    EXPECT_EQ(run.status, status) << policy << " on " << document << ": " << run.out << run.err;
    EXPECT_EQ(run.err.empty(), status != 3);
  }
}

TEST(Check, NamesFileAndLineOfABrokenPolicy) {
  const TemporaryDirectory directory;
  const std::string config = directory.Write("config.json", PlainConfig().dump());
  const std::string policy = directory.Write("etc/policy.json", "{\n\"mode\": \"adit\"}");
  const ProgramRun run = Runcladctl({"check", config, "--config", directory.path() + "/etc"});
  EXPECT_EQ(run.err, "runcladctl: policy " + policy +
                         " line 2: \"mode\" is enforce or audit, not \"adit\"; did you mean "
                         "\"audit\"?\n");
}

TEST(Check, SaysThatAuditChangesNothing) {
  const TemporaryDirectory directory;
  const std::string config = directory.Write("config.json", PlainConfig().dump());
  directory.Write("etc/policy.json", Policy("fix", "audit"));
  const ProgramRun run = Runcladctl({"check", config, "--config", directory.path() + "/etc"});
  EXPECT_THAT(
      run.out,
      HasSubstr("\nThe policy's mode is audit: this is only logged, and nothing is changed.\n"));
}

TEST(Check, JudgesUnderAnotherProfile) {
  const TemporaryDirectory directory;
  json document = PlainConfig();
  document["process"]["capabilities"]["bounding"] = {"CAP_KILL"};
  const std::string config = directory.Write("config.json", document.dump());
  directory.Write("etc/policy.json", R"({"extends": "baseline", "mode": "audit"})");
  const auto drops_kill = [&](const std::string& profile) {
    std::vector<std::string> arguments = {"check", "--json", config, "--config",
                                          directory.path() + "/etc"};
    if (!profile.empty()) arguments.insert(arguments.end(), {"--profile", profile});
    const json result = Runcladctl(arguments).json();
    EXPECT_EQ(result["profile"], profile.empty() ? "baseline" : profile);
    EXPECT_EQ(result["mode"], "audit");
    return std::ranges::any_of(result["findings"], [](const json& finding) {
      return finding["path"] == "/process/capabilities/bounding";
    });
  };
  EXPECT_FALSE(drops_kill(""));
  EXPECT_TRUE(drops_kill("restricted"));
}

// The directory that a copy lies in is not the container's bundle.
TEST(Check, DoesNotCompareTheCgroupOfACopy) {
  const TemporaryDirectory directory;
  json document = PlainConfig();
  document["linux"]["cgroupsPath"] = "/docker/9a0ea5e2a3d5";
  const std::string config = directory.Write("copy/config.json", document.dump());
  directory.Write("etc/policy.json", "{}");
  const json verdict =
      Runcladctl({"check", "--json", config, "--config", directory.path() + "/etc"}).json();
  ASSERT_FALSE(verdict["findings"].empty());
  for (const json& finding : verdict["findings"]) {
    EXPECT_NE(finding["rule"], "cgroup-path") << finding;
  }
}

TEST(Check, RejectsWhatIsNeitherAFileNorAContainer) {
  const ProgramRun run = Runcladctl({"check", "no-such-container"});
  EXPECT_EQ(run.status, 3);
  EXPECT_THAT(run.err, HasSubstr("\"no-such-container\" is n"));
}

TEST(Check, AppliesOnlyProcessRulesToAProcess) {
  const TemporaryDirectory directory;
  const std::string process = directory.Write("process.json", PlainConfig()["process"].dump());
  const ProgramRun run =
      Runcladctl({"check", "--json", "--process", process, "--config", directory.path()});
  EXPECT_EQ(run.status, 1) << run.err;
  json expected = PlainConfig()["process"];
  expected["noNewPrivileges"] = true;
  expected["rlimits"] = {{{"type", "RLIMIT_CORE"}, {"soft", 0}, {"hard", 0}}};
  EXPECT_EQ(run.json()["process"], expected);
  EXPECT_FALSE(run.json().contains("config"));
}

TEST(Check, EscapesHostileStrings) {
  const TemporaryDirectory directory;
  json config = PlainConfig();
  config["process"]["noNewPrivileges"] = true;
  config["process"]["capabilities"]["bounding"] = {"CAP_KILL\033[2J",
                                                   "CAP\xC2\x9B"
                                                   "31m"};
  const std::string path = directory.Write("config.json", config.dump());
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"check", path, "--config", directory.path()},
        {"check", "--json", path, "--config", directory.path()}}) {
    const ProgramRun run = Runcladctl(arguments);
    EXPECT_THAT(run.out, HasSubstr("CAP_KILL"));
    EXPECT_EQ(run.out.find('\033'), std::string::npos) << run.out;
    EXPECT_EQ(run.out.find("\xC2\x9B"), std::string::npos) << run.out;
  }
}

}  // namespace
}  // namespace runclad::ctl::check_test
