// runcladctl check for containers that do not exist yet.
#include <gmock/gmock.h>

#include "program.hpp"

namespace runclad::ctl::draft_test {
namespace {

using nlohmann::json;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// The policy is the compiled-in one, and the image is one that no engine has.
class CheckDraft : public ::testing::Test {
 protected:
  ProgramRun Check(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"check", "--config", directory_.path() + "/etc"});
    return Runcladctl(arguments);
  }
  ProgramRun CheckAsJson(const std::vector<std::string>& command) {
    std::vector<std::string> arguments = {"--json", "--image-config", image_, "--"};
    arguments.insert(arguments.end(), command.begin(), command.end());
    return Check(arguments);
  }

  TemporaryDirectory directory_;
  std::string policy_ = directory_.Write("etc/policy.json", "{}");
  std::string image_ = directory_.Write("image.json", R"({"config": {"Cmd": ["sh"]}})");
};

TEST_F(CheckDraft, SaysWhatWouldHappen) {
  const struct {
    std::vector<std::string> command;
    const char* outcome;
    int status;
    const char* rule;
  } rows[] = {
      {{"docker", "run", "runclad-test/none"}, "rewritten", 1, "capabilities"},
      {{"docker", "run", "-v", "/etc:/x", "runclad-test/none"}, "refused", 2, "host-mounts"},
      {{"docker", "run", "-v", "/etc/new/directory:/x", "runclad-test/none"},
       "refused",
       2,
       "host-mounts"},
      {{"docker", "run", "--network=host", "runclad-test/none"}, "refused", 2, "host-namespaces"},
      {{"podman", "run", "--pid", "host", "runclad-test/none"}, "refused", 2, "host-namespaces"},
      {{"docker", "run", "--cgroup-parent", "/", "runclad-test/none"}, "refused", 2, "cgroup-path"},
      {{"docker", "run", "--mount", "type=volume,dst=/x,volume-opt=device=/,volume-opt=o=bind",
        "runclad-test/none"},
       "refused",
       2,
       "host-mounts"},
  };
  for (const auto& row : rows) {
    const ProgramRun run = CheckAsJson(row.command);
    ASSERT_EQ(run.err, "");
    EXPECT_EQ(run.status, row.status) << run.out;
    const json container = run.json()["containers"][0];
    EXPECT_EQ(container["outcome"], row.outcome);
    std::vector<std::string> rules;
    for (const json& finding : container["findings"]) {
      if (row.status == 1 || finding["action"] == "refused") rules.push_back(finding["rule"]);
    }
    EXPECT_THAT(rules, Contains(row.rule)) << run.out;
    EXPECT_EQ(container.contains("config"), row.status == 1);
    EXPECT_THAT(container["notJudged"], IsEmpty()) << container["notJudged"];
  }
}

TEST_F(CheckDraft, SaysWhatIsNotKnown) {
  const ProgramRun run = Check({"--", "docker", "run", "--runtime", "runc", "--gpus", "all",
                                "--volumes-from", "web", "runclad-test/none"});
  EXPECT_EQ(run.status, 1) << run.err;
  EXPECT_THAT(run.out, HasSubstr("docker run runclad-test/none would be rewritten (profile "));
  const std::string listed = run.out.substr(run.out.find("\nnot judged:\n"));
  for (const char* sentence :
       {"no engine on this host has the image \"runclad-test/none\"", "--image-config", "--digest",
        "--gpus all", "--volumes-from web", "the runtime \"runc\"", "the image names it"}) {
    EXPECT_THAT(listed, HasSubstr(sentence));
  }
}

// An image file that pins the image counts for this digest alone.
TEST_F(CheckDraft, SaysThatAPinnedImageNeedsItsDigest) {
  if (::geteuid() != 0) GTEST_SKIP() << "a policy is root's";
  directory_.Write("etc/images/docker.io/runclad-test/none.json",
                   R"({"digests": ["sha256:)" + std::string(64, 'a') +
                       R"("], "rules": {"capabilities": {"allow": ["SYS_TIME"]}}})");
  const json unknown = CheckAsJson({"docker", "run", "runclad-test/none"}).json();
  EXPECT_THAT(unknown["containers"][0]["notJudged"].dump(), HasSubstr("name it with --digest"));
  const json known =
      Check({"--json", "--image-config", image_, "--digest", "sha256:" + std::string(64, 'a'), "--",
             "docker", "run", "runclad-test/none"})
          .json();
  EXPECT_EQ(known["containers"][0]["notJudged"], json::array()) << known["containers"][0];
}

TEST_F(CheckDraft, WhatTheEngineWouldRefuseIsAnError) {
  const struct {
    std::vector<std::string> command;
    const char* sentence;
  } rows[] = {
      {{"docker", "run", "--privilegd", "box"}, "did you mean \"privileged\"?"},
      {{"docker", "build", "."}, "docker run … or podman run …"},
      {{"nerdctl", "run", "box"}, "understands docker run and podman run, not \"nerdctl\""},
      {{"docker", "run", "--mount", "type=bind,src=/nonexistent/x,dst=/x", "box"},
       "the source \"/nonexistent/x\" of a mount does not exist"},
      {{"docker", "run", "box/UPPER"}, "box/UPPER"},
  };
  for (const auto& row : rows) {
    const ProgramRun run = CheckAsJson(row.command);
    EXPECT_EQ(run.status, 3) << run.out;
    EXPECT_THAT(run.err, HasSubstr(row.sentence));
  }
  EXPECT_EQ(Check({"--image-config", image_, directory_.path()}).status, 3);
  EXPECT_EQ(Check({"--compose", "x", "--pod", "y"}).status, 3);
}

TEST_F(CheckDraft, EachContainerOfAFileHasASection) {
  const std::string pod = directory_.Write("pod.yaml", R"(
kind: DaemonSet
metadata: {name: agent, namespace: ops}
spec:
  template:
    spec:
      hostNetwork: true
      containers:
      - {name: a, image: runclad-test/none, securityContext: {seccompProfile: {type: RuntimeDefault}}}
---
kind: Pod
metadata: {name: web}
spec:
  containers:
  - {name: c, image: runclad-test/none, securityContext: {seccompProfile: {type: RuntimeDefault}}}
)");
  const ProgramRun run = Check({"--pod", pod, "--json", "--image-config", image_});
  EXPECT_EQ(run.status, 2) << run.err;
  const json result = run.json();
  ASSERT_EQ(result["containers"].size(), 2U);
  EXPECT_EQ(result["containers"][0]["name"], "DaemonSet ops/agent, container a");
  EXPECT_EQ(result["containers"][0]["outcome"], "refused");
  EXPECT_EQ(result["containers"][1]["outcome"], "rewritten") << result["containers"][1]["findings"];
  EXPECT_EQ(result["refused"], 1);
  EXPECT_EQ(result["rewritten"], 1);
}

}  // namespace
}  // namespace runclad::ctl::draft_test
