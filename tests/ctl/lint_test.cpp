// runcladctl policy lint.
#include <gmock/gmock.h>

#include "program.hpp"

namespace runclad::ctl {
namespace {

using ::testing::HasSubstr;

TEST(PolicyLint, PraisesASoundPolicy) {
  const TemporaryDirectory directory;
  const std::string file =
      directory.Write("policy.json", R"({"rules": {"capabilities": {"allow": ["KILL"]}}})");
  for (const std::string& path : {directory.path(), file}) {
    const ProgramRun run = Runcladctl({"policy", "lint", path});
    EXPECT_EQ(run.status, 0) << run.out << run.err;
    EXPECT_EQ(run.out, file + ": no faults\n");
  }
}

TEST(PolicyLint, FindsEveryFaultWithItsLine) {
  const TemporaryDirectory directory;
  const std::string file = directory.Write("policy.json",
                                           "{ \"mod\": \"audit\",\n"
                                           "  \"rules\": {\n"
                                           "    \"capabilities\": { \"allow\": [\"KIL\"] },\n"
                                           "    \"capabilites\": {} } }\n");
  const ProgramRun run = Runcladctl({"policy", "lint", directory.path()});
  EXPECT_EQ(run.status, 1);
  EXPECT_EQ(run.err, "");
  EXPECT_EQ(run.out,
            file + ":1: unknown key \"mod\"; did you mean \"mode\"?\n" + file +
                ":3: \"capabilities/allow\": unknown capability \"KIL\"; did you mean \"KILL\"?\n" +
                file + ":4: unknown rule \"capabilites\"; did you mean \"capabilities\"?\n");
}

TEST(PolicyLint, KnowsTheNamesOfSystemCalls) {
  const TemporaryDirectory directory;
  const std::string file = directory.Write(
      "policy.json", R"({"rules": {"seccomp": {"allow": ["userfaultfd", "socketcall", "opn"]}}})");
  const ProgramRun run = Runcladctl({"policy", "lint", file});
  EXPECT_EQ(run.status, 1);
  EXPECT_EQ(run.out, file + ":1: \"seccomp/allow\": unknown system call \"opn\"\n");
}

TEST(PolicyLint, FindsWhatOthersMayWrite) {
  const TemporaryDirectory directory;
  const std::string file = directory.Write("policy.json", "{}");
  ASSERT_EQ(::chmod(file.c_str(), 0666), 0);
  const ProgramRun run = Runcladctl({"policy", "lint", directory.path()});
  EXPECT_EQ(run.status, 1);
  EXPECT_EQ(run.out,
            "policy " + directory.path() + ": policy.json is writable by others than its owner\n");
}

TEST(PolicyLint, NamesFilesThatThisVersionDoesNotRead) {
  const TemporaryDirectory directory;
  directory.Write("policy.json", "{}");
  directory.Write("policy.d/10-more.json", "{}");
  const ProgramRun run = Runcladctl({"policy", "lint", directory.path()});
  EXPECT_EQ(run.status, 1);
  EXPECT_EQ(run.out, directory.path() + "/policy.d: is not read by this version\n");
}

TEST(PolicyLint, SaysWhichProfileAppliesWithoutAFile) {
  const TemporaryDirectory directory;
  const ProgramRun run = Runcladctl({"policy", "lint", directory.path()});
  EXPECT_EQ(run.status, 0);
  EXPECT_EQ(run.out, "no policy.json: the compiled-in profile restricted applies\n");
}

TEST(PolicyLint, TakesTheShippedProfilesAsPolicies) {
  for (const char* profile : {"restricted", "baseline"}) {
    const std::string file = std::string(RUNCLAD_SOURCE_DIR) + "/profiles/" + profile + ".json";
    const ProgramRun run = Runcladctl({"policy", "lint", file});
    EXPECT_EQ(run.status, 0) << run.out << run.err;
  }
}

TEST(PolicyLint, ShowsHostileNamesWithoutTheirPower) {
  const TemporaryDirectory directory;
  directory.Write("policy.json", "{\"\\u001b[2J\": 1}");
  const ProgramRun run = Runcladctl({"policy", "lint", directory.path()});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.out, HasSubstr("unknown key \"?[2J\"\n"));
}

}  // namespace
}  // namespace runclad::ctl
