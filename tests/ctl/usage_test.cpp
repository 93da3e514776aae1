// How runcladctl is called, and what it says when it is called otherwise.
#include <gmock/gmock.h>

#include "runclad/base/version.hpp"

#include "program.hpp"

namespace runclad::ctl::usage_test {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(Usage, ErrorsAreOneSentenceAndStatus3) {
  constexpr const char* kNoTarget =
      "check needs one of: a bundle or container, --process, --all, --compose, --pod, or a command "
      "line after --";
  const struct {
    std::vector<std::string> arguments;
    std::string sentence;
  } cases[] = {
      {{}, "A subcommand is required; see runcladctl --help"},
      {{"chek"}, "unknown command \"chek\"; did you mean \"check\"?"},
      {{"frobnicate"}, "unknown command \"frobnicate\"; runcladctl --help lists them"},
      {{"check"}, kNoTarget},
      {{"check", "--jsn"},
       "The following argument was not expected: --jsn; see runcladctl check --help"},
      {{"check", "/nonexistent"}, "/nonexistent cannot be opened (ENOENT)"},
      {{"check", "--all", "y"}, kNoTarget},
      {{"check", "--all", "--image", "y"}, "--all takes each image from its engine's state"},
      {{"check", "--profile", "restrictd", "y"},
       "unknown profile \"restrictd\"; did you mean \"restricted\"?"},
      {{"check", "--profile", "x", "y"},
       "unknown profile \"x\"; there are restricted, baseline or build"},
      {{"check", "--process", "x", "y"}, kNoTarget},
      {{"explain"}, "rule is required; see runcladctl explain --help"},
      {{"explain", "capabilites"}, "unknown rule \"capabilites\"; did you mean \"capabilities\"?"},
      {{"explain", "frobnicate"}, "unknown rule \"frobnicate\"; runcladctl rules lists them"},
      {{"why", ""}, "why needs either a container or --last"},
      {{"why", "x", "--config", "/nonexistent"}, "policy: /nonexistent cannot be opened (ENOENT)"},
      {{"policy", "lint", "/nonexistent"}, "/nonexistent cannot be examined (ENOENT)"},
  };
  for (const auto& [arguments, sentence] : cases) {
    const ProgramRun run = Runcladctl(arguments);
    EXPECT_EQ(run.status, 3) << sentence;
    EXPECT_EQ(run.err, "runcladctl: " + sentence + "\n");
    EXPECT_EQ(run.out, "");
  }
}

TEST(Usage, ErrorsStayOnOneLine) {
  const ProgramRun run = Runcladctl({"explain", "a\nb\033[31m"});
  EXPECT_EQ(run.err, "runcladctl: unknown rule \"a?b?[31m\"; runcladctl rules lists them\n");
}

TEST(Usage, HelpNamesEveryCommandWithAnExample) {
  const ProgramRun help = Runcladctl({"--help"});
  EXPECT_EQ(help.status, 0);
  EXPECT_EQ(help.err, "");
  const std::vector<std::vector<std::string>> commands = {
      {"check"},     {"rules"},       {"explain"},       {"why"},
      {"configure"}, {"unconfigure"}, {"policy", "lint"}};
  for (auto command : commands) {
    EXPECT_THAT(help.out, HasSubstr("\n  " + command.front() + " "));
    command.emplace_back("--help");
    const ProgramRun of_command = Runcladctl(command);
    EXPECT_EQ(of_command.status, 0);
    EXPECT_THAT(of_command.out, HasSubstr("\nUsage: runcladctl " + command.front() + " "));
    EXPECT_THAT(of_command.out, HasSubstr("\nExample: runcladctl " + command.front()));
  }
}

TEST(Usage, VersionIsThatOfTheBuild) {
  const ProgramRun run = Runcladctl({"--version"});
  EXPECT_EQ(run.status, 0);
  EXPECT_EQ(run.out, "runcladctl " + std::string(VersionAndCommit()) + "\n");
}

TEST(Rules, PrintTheCatalogue) {
  const ProgramRun run = Runcladctl({"rules"});
  EXPECT_EQ(run.status, 0);
  EXPECT_THAT(run.out, StartsWith("RULE "));
  EXPECT_THAT(run.out,
              ::testing::ContainsRegex(
                  "\nread-only-rootfs +fix +warn +off +container +CIS 5.13 +The image is "));
}

TEST(Rules, JsonIsComplete) {
  const ProgramRun run = Runcladctl({"rules", "--json"});
  EXPECT_EQ(run.status, 0);
  const auto rules = run.json();
  const auto rule = std::find_if(rules.begin(), rules.end(),
                                 [](const auto& each) { return each["id"] == "read-only-rootfs"; });
  ASSERT_NE(rule, rules.end());
  EXPECT_EQ((*rule)["profiles"],
            (nlohmann::json{{"restricted", "fix"}, {"baseline", "warn"}, {"build", "off"}}));
  EXPECT_EQ((*rule)["benchmarks"], nlohmann::json({"CIS 5.13"}));
  EXPECT_EQ(
      (*rule)["parameters"][1]["profiles"],
      (nlohmann::json{{"restricted", 536870912}, {"baseline", 536870912}, {"build", 536870912}}));
  for (const auto& each : rules) {
    for (const char* member : {"title", "rationale", "wayOut", "scope"}) {
      EXPECT_NE(each[member], "") << each["id"] << " " << member;
    }
  }
}

TEST(Explain, ShowsWhatEachProfileSets) {
  const ProgramRun run = Runcladctl({"explain", "capabilities"});
  EXPECT_EQ(run.status, 0);
  EXPECT_THAT(run.out, StartsWith("capabilities: "));
  EXPECT_THAT(run.out, HasSubstr("\nCIS 5.4, PSS baseline, PSS restricted\n"));
  EXPECT_THAT(run.out, HasSubstr("\n  /process/capabilities/bounding\n"));
  EXPECT_THAT(run.out, HasSubstr("\nActions: fix, refuse, warn, off (restricted: fix, baseline: "
                                 "fix, build: fix)\n"));
  EXPECT_THAT(run.out, HasSubstr("\n      restricted: CAP_NET_BIND_SERVICE\n"));
  EXPECT_THAT(run.out, HasSubstr("\n      baseline, build: CAP_CHOWN CAP_DAC_OVERRIDE "));
  EXPECT_THAT(run.out, HasSubstr("\nWay out: "));
}

TEST(Explain, GroupsProfilesWithTheSameSettings) {
  EXPECT_THAT(Runcladctl({"explain", "read-only-rootfs"}).out,
              HasSubstr("\n      restricted, baseline, build: 536870912\n"));
}

TEST(Explain, KnowsEveryRule) {
  for (const auto& rule : Runcladctl({"rules", "--json"}).json()) {
    EXPECT_EQ(Runcladctl({"explain", rule["id"]}).status, 0) << rule["id"];
  }
}

TEST(Colours, AreForTerminalsOnly) {
  EXPECT_EQ(Runcladctl({"explain", "capabilities"}).out.find('\033'), std::string::npos);
  for (const char* no_color : {static_cast<const char*>(nullptr), "", "1"}) {
    const int terminal = ::posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
    ASSERT_TRUE(terminal >= 0 && ::grantpt(terminal) == 0 && ::unlockpt(terminal) == 0);
    std::array<char, 64> name{};
    ASSERT_EQ(::ptsname_r(terminal, name.data(), name.size()), 0);
    const int side = ::open(name.data(), O_RDWR | O_NOCTTY);
    Runcladctl({"explain", "no-new-privileges"}, no_color, side);
    const bool is_coloured = ReadAll(terminal).find("\033[1m") != std::string::npos;
    EXPECT_EQ(is_coloured, no_color == nullptr || *no_color == '\0');
    ::close(side);
    ::close(terminal);
  }
}

}  // namespace
}  // namespace runclad::ctl::usage_test
