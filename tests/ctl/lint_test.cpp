// runcladctl policy lint.
#include <array>
#include <ctime>

#include <gmock/gmock.h>

#include "program.hpp"
#include "test_paths.hpp"

namespace runclad::ctl::lint_test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(PolicyLint, AcceptsAValidPolicy) {
  const TemporaryDirectory directory;
  const std::string file =
      directory.Write("policy.json", R"({"rules": {"capabilities": {"allow": ["KILL"]}}})");
  for (const std::string& path : {directory.path(), file}) {
    const ProgramRun run = Runcladctl({"policy", "lint", path});
    EXPECT_EQ(run.status, 0) << run.out << run.err;
    EXPECT_EQ(run.out, path + ": no faults\n");
  }
}

TEST(PolicyLint, ReportsEveryFaultWithItsLine) {
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

TEST(PolicyLint, ChecksTheNamesOfSystemCalls) {
  const TemporaryDirectory directory;
  const std::string file = directory.Write(
      "policy.json", R"({"rules": {"seccomp": {"allow": ["userfaultfd", "socketcall", "opn"]}}})");
  const ProgramRun run = Runcladctl({"policy", "lint", file});
  EXPECT_EQ(run.status, 1);
  EXPECT_EQ(run.out, file + ":1: \"seccomp/allow\": unknown system call \"opn\"\n");
}

TEST(PolicyLint, ReportsWhatNeverTakesEffect) {
  const TemporaryDirectory directory;
  for (const char* list : {"allow", "allow-read-only", "data-directories"}) {
    const std::string file =
        directory.Write("policy.json", R"({"rules": {"host-mounts": {")" + std::string(list) +
                                           R"(": ["/srv", "/"]}}})");
    const ProgramRun run = Runcladctl({"policy", "lint", file});
    EXPECT_EQ(run.status, 1);
    EXPECT_THAT(run.out, HasSubstr(file + ":1: \"host-mounts/" + list +
                                   "\": \"/\" does not allow the host's root"));
    // No container is stopped for it.
    EXPECT_NE(Runcladctl({"policy", "show", "--config", directory.path()}).status, 3);
  }
}

TEST(PolicyLint, RejectsWaiverParametersElsewhere) {
  const TemporaryDirectory directory;
  const auto lint = [&](const std::string& text) {
    return Runcladctl({"policy", "lint", directory.Write("policy.json", text)});
  };
  const std::string waiver =
      R"({"waivers": [{"rule": "host-mounts", "reason": "logs", "exactly": [)";
  EXPECT_EQ(lint(waiver + R"("bind /var/log ro", "nfs4 server:/x vers=4.2"]}]})").status, 0);
  for (const char* wrong :
       {R"("bind /var/log")", R"("bind var/log ro")", R"("bind /var/log rwx")", R"("/var/log")",
        R"("bind /a/../b ro")", R"("bind  /a ro")", R"("bind /a ro ")", R"("")"}) {
    EXPECT_EQ(lint(waiver + wrong + "]}]}").status, 1) << wrong;
  }
  EXPECT_THAT(lint(R"({"rules": {"host-mounts": {"exactly": ["bind / ro"]}}})").out,
              HasSubstr("\"host-mounts/exactly\" is only for waivers"));
}

TEST(PolicyLint, WarnsOfWaiversThatEqualRoot) {
  const TemporaryDirectory directory;
  const auto lint = [&](const std::string& name, const std::string& entries) {
    const std::string waivers =
        R"("waivers": [{"rule": "host-mounts", "reason": "x", "exactly": [)" + entries + "]}]";
    const bool is_tag = name.starts_with("images/");
    directory.Write("policy.json", "{}");
    const std::string text = is_tag ? R"({"digests": ["sha256:)" + std::string(64, 'a') +
                                          "\"],\n\"tags\": {\"1\": {" + waivers + "}}}"
                                    : "{" + waivers + "}";
    const std::string file = directory.Write(name, text);
    const ProgramRun run = Runcladctl({"policy", "lint", is_tag ? directory.path() : file});
    EXPECT_EQ(run.status, 0) << run.out;
    return run.out;
  };
  for (const char* entry :
       {"bind / ro", "bind / rw", "bind /proc ro", "bind /sys rw", "bind /etc/ rw", "bind /run ro",
        "bind /var/run/docker.sock ro", "bind /srv/podman.sock rw"}) {
    EXPECT_THAT(lint("policy.json", "\"" + std::string(entry) + "\""),
                HasSubstr("policy.json:1: warning: the waiver of host-mounts for \"" +
                          std::string(entry) + "\" makes the container root on the host: "))
        << entry;
  }
  for (const char* entry : {"bind /sys ro", "bind /etc ro", "bind /var/log ro", "bind /srv/x rw",
                            "nfs4 server:/ vers=4.2"}) {
    EXPECT_THAT(lint("policy.json", "\"" + std::string(entry) + "\""), HasSubstr("no faults"))
        << entry;
  }
  EXPECT_THAT(lint("images/docker.io/library/app.json", R"("bind /var/log ro", "bind / ro")"),
              HasSubstr("app.json:2: warning: the waiver of host-mounts for \"bind / ro\""));
}

TEST(PolicyLint, ReportsFilesThatOthersCanWrite) {
  const TemporaryDirectory directory;
  const std::string file = directory.Write("policy.json", "{}");
  ASSERT_EQ(::chmod(file.c_str(), 0666), 0);
  const ProgramRun run = Runcladctl({"policy", "lint", directory.path()});
  EXPECT_EQ(run.status, 1);
  EXPECT_EQ(run.out, directory.path() + ": policy.json is writable by others than its owner\n");
}

TEST(PolicyLint, ReportsOnlyTheFileThatItIsGiven) {
  const TemporaryDirectory directory;
  directory.Write("policy.json", "{}");
  const std::string host = directory.Write("policy.d/10.json", "{}");
  const std::string image = directory.Write("images/docker.io/library/nginx.json", "{}");
  const std::string of_host = ": policy.d/10.json is writable by others than its owner\n";
  ASSERT_EQ(::chmod(host.c_str(), 0666), 0);
  EXPECT_EQ(Runcladctl({"policy", "lint", host}).out, host + of_host);
  EXPECT_EQ(Runcladctl({"policy", "lint", image}).out, image + ": no faults\n");
  ASSERT_EQ(::chmod(host.c_str(), 0644), 0);
  ASSERT_EQ(::chmod(image.c_str(), 0666), 0);
  const std::string of_image =
      ": images/docker.io/library/nginx.json is writable by others than its owner\n";
  EXPECT_EQ(Runcladctl({"policy", "lint", image}).out, image + of_image);
  EXPECT_EQ(Runcladctl({"policy", "lint", directory.path()}).out, directory.path() + of_image);
}

TEST(PolicyLint, ReportsADirectoryThatOthersCanWrite) {
  const TemporaryDirectory directory;
  directory.Write("policy.json", "{}");
  ASSERT_EQ(::chmod(directory.path().c_str(), 0777), 0);
  EXPECT_EQ(Runcladctl({"policy", "lint", directory.path()}).out,
            directory.path() + ": the directory is writable by others than its owner\n");
}

TEST(PolicyLint, NamesTheProfileThatAppliesWithoutAFile) {
  const TemporaryDirectory directory;
  const ProgramRun run = Runcladctl({"policy", "lint", directory.path()});
  EXPECT_EQ(run.status, 0);
  EXPECT_EQ(run.out, "no faults; no policy.json: the compiled-in profile restricted applies\n");
}

TEST(PolicyLint, AcceptsTheShippedProfilesAsPolicies) {
  for (const char* profile : {"restricted", "baseline", "build"}) {
    const std::string file = std::string(RUNCLAD_SOURCE_DIR) + "/profiles/" + profile + ".json";
    const ProgramRun run = Runcladctl({"policy", "lint", file});
    EXPECT_EQ(run.status, 0) << run.out << run.err;
  }
}

TEST(PolicyLint, ChecksTheProfileOfBuilds) {
  const TemporaryDirectory directory;
  const std::string refuses =
      ": warning: read-only-rootfs/action fix also applies to builds and refuses each of their "
      "steps\n";
  const std::string own = directory.Write("own.json", R"({"extends": "baseline", "builds": "build",
      "rules": {"read-only-rootfs": {"action": "fix"}}})");
  EXPECT_EQ(Runcladctl({"policy", "lint", own}).out, own + ":2" + refuses);
  const std::string profile =
      directory.Write("profile.json", "{\"extends\": \"baseline\",\n\"builds\": \"restricted\"}");
  EXPECT_EQ(Runcladctl({"policy", "lint", profile}).out, profile + ":2" + refuses);
  const std::string sound = directory.Write("sound.json", R"({"builds": "build"})");
  EXPECT_EQ(Runcladctl({"policy", "lint", sound}).out, sound + ": no faults\n");
}

TEST(PolicyLint, EscapesHostileNames) {
  const TemporaryDirectory directory;
  directory.Write("policy.json", "{\"\\u001b[2J\": 1}");
  const ProgramRun run = Runcladctl({"policy", "lint", directory.path()});
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.out, HasSubstr("unknown key \"?[2J\"\n"));
}

// tests/data/policies/faults: a policy directory each, and in EXPECT what lint must find there and
// nothing else, a line each: "file:line level kind".
TEST(PolicyLint, ReportsExactlyTheSeededFaults) {
  namespace fs = std::filesystem;
  const fs::path folder = fs::path(RUNCLAD_TEST_DATA) / "data/policies/faults";
  std::size_t cases = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    ++cases;
    // A copy: the checkout's permissions are the checkout's.
    const TemporaryDirectory directory;
    for (const fs::directory_entry& file : fs::recursive_directory_iterator(entry.path())) {
      if (!file.is_regular_file() || file.path().filename() == "EXPECT") continue;
      std::ifstream text(file.path());
      directory.Write(file.path().lexically_relative(entry.path()),
                      {std::istreambuf_iterator<char>(text), {}});
    }
    std::vector<std::string> expected;
    std::ifstream lines(entry.path() / "EXPECT");
    bool has_error = false;
    for (std::string line; std::getline(lines, line);) {
      has_error = has_error || line.find(" error ") != std::string::npos;
      expected.push_back(line);
    }
    const ProgramRun run = Runcladctl({"policy", "lint", "--json", directory.path()});
    std::vector<std::string> found;
    const nlohmann::json findings = run.json()["findings"];
    for (const nlohmann::json& finding : findings) {
      const std::string file = finding["file"];
      found.push_back(file.substr(directory.path().size() + 1) + ":" + finding["line"].dump() +
                      " " + finding["level"].get<std::string>() + " " +
                      finding["kind"].get<std::string>());
    }
    EXPECT_THAT(found, ::testing::UnorderedElementsAreArray(expected)) << entry.path() << run.out;
    EXPECT_EQ(run.status, has_error ? 1 : 0) << entry.path();
  }
  EXPECT_GE(cases, 40U);
}

TEST(PolicyLint, ReportsNothingForTheShippedImageFiles) {
  const TemporaryDirectory directory;
  std::filesystem::copy(std::string(RUNCLAD_SOURCE_DIR) + "/profiles/images",
                        directory.path() + "/images", std::filesystem::copy_options::recursive);
  // Whatever the checkout's umask was.
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory.path())) {
    ::chmod(entry.path().c_str(), entry.is_directory() ? 0755 : 0644);
  }
  const ProgramRun run = Runcladctl({"policy", "lint", directory.path()});
  EXPECT_EQ(run.status, 0);
  EXPECT_EQ(run.out, "no faults; no policy.json: the compiled-in profile restricted applies\n");
}

TEST(PolicyLint, WarnsOfWaiversThatExpireSoon) {
  const TemporaryDirectory directory;
  const std::time_t soon = std::time(nullptr) + 20L * 24 * 3600;
  std::array<char, 16> day{};
  std::tm parts{};
  ASSERT_NE(std::strftime(day.data(), day.size(), "%Y-%m-%d", ::gmtime_r(&soon, &parts)), 0U);
  const std::string file = directory.Write(
      "policy.json", R"({"waivers": [{"rule": "seccomp", "action": "warn", "reason": "tracing",
                                      "expires": ")" +
                         std::string(day.data()) + "\"}]}");
  const ProgramRun run = Runcladctl({"policy", "lint", directory.path()});
  EXPECT_EQ(run.status, 0);
  EXPECT_EQ(run.out, file + ":1: warning: the waiver of seccomp expires on " + day.data() + "\n");
}

TEST(PolicyLint, RecognisesAFileByPlaceOrContent) {
  const TemporaryDirectory directory;
  const std::string image = R"({"digests": ["sha256:)" + std::string(64, 'a') + "\"]}";
  directory.Write("policy.json", R"({"mode": "audit"})");
  const std::string in_place = directory.Write("images/docker.io/library/nginx.json", image);
  EXPECT_EQ(Runcladctl({"policy", "lint", in_place}).out, in_place + ": no faults\n");
  const std::string beyond = directory.Write("images/docker.io/library/redis.json",
                                             R"({"rules": {"seccomp": {"action": "off"}}})");
  EXPECT_THAT(Runcladctl({"policy", "lint", beyond}).out,
              HasSubstr(beyond + ":1: seccomp/action off is weaker and needs a waiver"));
  const std::string shared =
      directory.Write("images/docker.io/_default.json", R"({"digests": []})");
  EXPECT_THAT(Runcladctl({"policy", "lint", shared}).out,
              HasSubstr(shared + ":1: this kind of file has no \"digests\""));
  const std::string drop_in = directory.Write("policy.d/a.json", R"({"mode": "audi"})");
  EXPECT_THAT(Runcladctl({"policy", "lint", drop_in}).out, HasSubstr("did you mean \"audit\"?"));
  const std::string by_shape = directory.Write("elsewhere/nginx.json", image);
  EXPECT_EQ(Runcladctl({"policy", "lint", by_shape}).out, by_shape + ": no faults\n");
}

TEST(PolicyLint, IgnoresOwnersAndPermissionsOfACheckout) {
  const TemporaryDirectory directory;
  const std::string file = directory.Write("policy.json", "{\"mod\": 1}");
  const std::string image = directory.Write("images/docker.io/library/nginx.json", "{}");
  ASSERT_EQ(::chmod(file.c_str(), 0666), 0);
  ASSERT_EQ(::chmod(image.c_str(), 0666), 0);
  const ProgramRun run = Runcladctl({"policy", "lint", "--ci", directory.path()});
  EXPECT_EQ(run.out, file + ":1: unknown key \"mod\"; did you mean \"mode\"?\n");
  directory.Write("policy.json", "{}");
  ASSERT_EQ(::chmod(file.c_str(), 0666), 0);
  EXPECT_EQ(Runcladctl({"policy", "lint", "--ci", directory.path()}).out,
            directory.path() + ": no faults\n");
  EXPECT_EQ(Runcladctl({"policy", "lint", directory.path()}).status, 1);
}

TEST(PolicyLint, WarnsOfSettingsWithoutEffect) {
  const TemporaryDirectory directory;
  const std::string policy = directory.Write("policy.json", R"({
"mode": "audit",
"rules": {
"pids-limit": {"action": "off"},
"memory-limit": {"default": 1000000}}})");
  const std::string drop_in = directory.Write("policy.d/a.json", R"({"rules": {
"memory-limit": {"default": 2000000}}})");
  const std::string image = directory.Write("images/docker.io/library/nginx.json", R"({
"rules": {
"pids-limit": {"default": 100}},
"digests": ["sha256:)" + std::string(64, 'a') + R"("],
"waivers": [
{"rule": "pids-limit", "maximum": 100000, "reason": "a test"},
{"rule": "*", "reason": "a test", "expires": "2999-12-31"}]})");
  const ProgramRun run = Runcladctl({"policy", "lint", directory.path()});
  EXPECT_EQ(run.status, 0) << run.err;
  for (const std::string& line :
       {policy +
            ":5: warning: memory-limit/default has no effect: policy.d/a.json:2 sets it again\n",
        image + ":3: warning: the parameters of pids-limit have no effect: the rule is off "
                "(policy.json:4)\n",
        image + ":6: warning: the waiver of pids-limit has no effect: the rule is off "
                "(policy.json:4)\n",
        image + ":7: warning: the waiver of * has no effect: the mode of the host is audit\n"}) {
    EXPECT_THAT(run.out, HasSubstr(line));
  }
  EXPECT_EQ(run.out.find(drop_in), std::string::npos) << run.out;
}

// Neither a file's name nor another waiver of the rule turns it off.
TEST(PolicyLint, AsksWhetherAWaiverTurnedTheRuleOff) {
  const TemporaryDirectory directory;
  directory.Write("policy.d/10 waiver .json", R"({"rules": {
"pids-limit": {"action": "off"}}})");
  directory.Write("policy.json", R"({"waivers": [
{"rule": "pids-limit", "maximum": 100000, "reason": "a test"},
{"rule": "memory-limit", "action": "off", "reason": "a test"}]})");
  const std::string image = directory.Write("images/docker.io/library/nginx.json", R"({"rules": {
"memory-limit": {"default": 1000000},
"pids-limit": {"default": 100}}})");
  const ProgramRun run = Runcladctl({"policy", "lint", directory.path()});
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr(image + ":3: warning: the parameters of pids-limit have no "
                                         "effect: the rule is off (policy.d/10 waiver .json:2)\n"));
  EXPECT_THAT(run.out, Not(HasSubstr("memory-limit")));
}

// Other rules read some parameters of a rule that is off, but not all.
TEST(PolicyLint, KnowsWhatCountsThoughTheRuleIsOff) {
  const TemporaryDirectory directory;
  directory.Write("policy.json", R"({"rules": {
"capabilities": {"action": "off"},
"host-mounts": {"action": "off"},
"host-namespaces": {"action": "off"},
"rootfs-path": {"action": "off"}}})");
  const std::string image = directory.Write("images/docker.io/library/nginx.json", R"({"rules": {
"capabilities": {"allow": ["CAP_CHOWN"]},
"host-mounts": {"allow": ["/srv"], "below": "read-only"},
"host-namespaces": {"allow": ["ipc"],
"join": ["network"]},
"rootfs-path": {"allow": ["/srv/roots"]}},
"digests": ["sha256:)" + std::string(64, 'a') + R"("]})");
  const ProgramRun run = Runcladctl({"policy", "lint", directory.path()});
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr(image + ":2: warning: the parameters of capabilities have no "
                                         "effect: the rule is off (policy.json:2)\n"));
  EXPECT_THAT(run.out, HasSubstr(image + ":5: warning: host-namespaces/join has no effect: the "
                                         "rule is off (policy.json:4)\n"));
  EXPECT_THAT(run.out, Not(HasSubstr("host-mounts")));
  EXPECT_THAT(run.out, Not(HasSubstr("host-namespaces/allow")));
  EXPECT_THAT(run.out, Not(HasSubstr("rootfs-path")));
}

TEST(PolicyLint, WritesSarif) {
  const TemporaryDirectory directory;
  const std::string file = directory.Write("policy.json", "{\n\"mod\": 1}");
  const ProgramRun run = Runcladctl({"policy", "lint", "--sarif", directory.path()});
  EXPECT_EQ(run.status, 1);
  const nlohmann::json sarif = run.json();
  EXPECT_EQ(sarif["version"], "2.1.0");
  const nlohmann::json& result = sarif["runs"][0]["results"][0];
  EXPECT_EQ(result["ruleId"], "format");
  EXPECT_EQ(result["level"], "error");
  EXPECT_EQ(result["message"]["text"], "unknown key \"mod\"; did you mean \"mode\"?");
  const nlohmann::json& place = result["locations"][0]["physicalLocation"];
  EXPECT_EQ(place["artifactLocation"]["uri"], file);
  EXPECT_EQ(place["region"]["startLine"], 2);
  EXPECT_EQ(sarif["runs"][0]["tool"]["driver"]["rules"], nlohmann::json({{{"id", "format"}}}));
}

}  // namespace
}  // namespace runclad::ctl::lint_test
