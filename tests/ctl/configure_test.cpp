// configure and unconfigure on files that no running engine reads.
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "program.hpp"

namespace runclad::ctl::configure_test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::string ContentOf(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

class Configure : public ::testing::Test {
 protected:
  ProgramRun Run(const std::string& command, const std::string& engine, const std::string& file,
                 std::vector<std::string> more = {}) {
    // Any program that only root can change.
    std::vector<std::string> arguments = {command,     engine,        "--config",
                                          file,        "--state",     directory_.path() + "/state",
                                          "--program", "/usr/bin/env"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return Runcladctl(arguments);
  }

  TemporaryDirectory directory_;
};

constexpr const char* kDocker = "{\n    \"debug\": true,\n    \"runtimes\": {}\n}";

TEST_F(Configure, CanBeUndone) {
  const std::string file = directory_.Write("daemon.json", kDocker);
  ::chmod(file.c_str(), 0600);
  const ProgramRun there = Run("configure", "docker", file, {"--default"});
  ASSERT_EQ(there.status, 0) << there.err;
  EXPECT_THAT(there.out, HasSubstr("dockerd does not run"));
  const auto tree = nlohmann::json::parse(ContentOf(file));
  EXPECT_EQ(tree, (nlohmann::json{{"debug", true},
                                  {"runtimes", {{"runclad", {{"path", "/usr/bin/env"}}}}},
                                  {"default-runtime", "runclad"}}));
  struct stat status {};
  ASSERT_EQ(::stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600U);
  EXPECT_EQ(ContentOf(directory_.path() + "/state/before/docker/runclad" + file), kDocker);

  const std::string configured = ContentOf(file);
  EXPECT_THAT(Run("configure", "docker", file, {"--default"}).out, HasSubstr("has it already"));
  EXPECT_EQ(ContentOf(file), configured);

  ASSERT_EQ(Run("unconfigure", "docker", file).status, 0);
  EXPECT_EQ(ContentOf(file), kDocker);
  EXPECT_TRUE(fs::is_empty(directory_.path() + "/state")) << "what was kept is gone";
}

TEST_F(Configure, KeepsLaterChangesOfOthers) {
  const std::string file = directory_.Write("daemon.json", kDocker);
  ASSERT_EQ(Run("configure", "docker", file, {"--default"}).status, 0);
  auto tree = nlohmann::json::parse(ContentOf(file));
  tree["runtimes"]["nvidia"] = {{"path", "nvidia-container-runtime"}};
  directory_.Write("daemon.json", tree.dump(4));
  ASSERT_EQ(Run("configure", "docker", file, {"--default"}).status, 0);
  EXPECT_EQ(nlohmann::json::parse(ContentOf(file)), tree);
  ASSERT_EQ(Run("unconfigure", "docker", file).status, 0);
  tree["runtimes"].erase("runclad");
  tree.erase("default-runtime");
  EXPECT_EQ(nlohmann::json::parse(ContentOf(file)), tree);
}

TEST_F(Configure, RestoresThePreviousDefault) {
  const std::string file = directory_.Write(
      "daemon.json",
      R"({"default-runtime": "crun", "runtimes": {"crun": {"path": "/usr/bin/crun"}}})");
  ASSERT_EQ(Run("configure", "docker", file, {"--default"}).status, 0);
  directory_.Write("daemon.json", ContentOf(file) + "\n\n");  // another writer
  ASSERT_EQ(Run("unconfigure", "docker", file).status, 0);
  EXPECT_EQ(nlohmann::json::parse(ContentOf(file))["default-runtime"], "crun");
}

// It would be lost: going back removes what has the name.
TEST_F(Configure, DoesNotReplaceAForeignEntry) {
  for (const std::string entry :
       {R"({"path": "/opt/env", "runtimeArgs": ["--debug"]})", R"({"path": "/opt/other"})"}) {
    const std::string text = R"({"runtimes": {"runclad": )" + entry + "}}";
    const std::string file = directory_.Write("daemon.json", text);
    const ProgramRun run = Run("configure", "docker", file);
    EXPECT_EQ(run.status, 3) << run.out;
    EXPECT_THAT(run.err, HasSubstr("which runclad did not write: choose another name"));
    EXPECT_EQ(ContentOf(file), text);
  }
  // By hand, as an earlier README said.
  const std::string file = directory_.Write(
      "daemon.json", R"({"runtimes": {"runclad": {"path": "/usr/local/sbin/env"}}})");
  EXPECT_EQ(Run("configure", "docker", file).status, 0);
}

TEST_F(Configure, CreatesAFileAndRemovesIt) {
  const std::string file = directory_.path() + "/docker/daemon.json";
  ASSERT_EQ(Run("configure", "docker", file).status, 0);
  EXPECT_EQ(ContentOf(file),
            "{\n  \"runtimes\": { \"runclad\": { \"path\": \"/usr/bin/env\" } }\n}\n");
  ASSERT_EQ(Run("unconfigure", "docker", file).status, 0);
  EXPECT_FALSE(fs::exists(file));
}

TEST_F(Configure, PrintsADiffAndChangesNothing) {
  const std::string file = directory_.Write("daemon.json", kDocker);
  const ProgramRun run = Run("configure", "docker", file, {"--dry-run"});
  EXPECT_EQ(run.out, "--- " + file + "\n+++ " + file + R"(
@@ -1,4 +1,4 @@
 {
     "debug": true,
-    "runtimes": {}
+    "runtimes": { "runclad": { "path": "/usr/bin/env" } }
 }
\ No newline at end of file
)");
  EXPECT_EQ(ContentOf(file), kDocker);
  EXPECT_FALSE(fs::exists(directory_.path() + "/state"));
}

TEST_F(Configure, ChangesNothingIfItRefuses) {
  const std::string file = directory_.Write("daemon.json", "{ // a comment\n}");
  const auto refused = [&](const std::vector<std::string>& more, const char* words) {
    const ProgramRun run = Run("configure", "docker", file, more);
    EXPECT_EQ(run.status, 3) << words;
    EXPECT_THAT(run.err, HasSubstr(words));
    EXPECT_EQ(ContentOf(file), "{ // a comment\n}");
  };
  refused({}, "daemon.json: line 1");
  refused({"--name", "runc"}, "is the lower runtime's own");
  refused({"--name", "a/b"}, "may only have letters");
  const std::string loose = directory_.Write("program", "");
  ::chmod(loose.c_str(), 0777);
  EXPECT_THAT(Runcladctl({"configure", "docker", "--program", loose}).err,
              HasSubstr("can be changed by users other than root"));
  EXPECT_THAT(Runcladctl({"configure", "docker", "--program", "/no/such"}).err,
              HasSubstr("there is no program \"/no/such\""));
  EXPECT_THAT(Runcladctl({"configure", "doker"}).err, HasSubstr("did you mean \"docker\"?"));
}

// A link stays a link: its file is changed.
TEST_F(Configure, FollowsALink) {
  const std::string file = directory_.Write("site/daemon.json", "{}\n");
  const std::string link = directory_.path() + "/daemon.json";
  fs::create_symlink(file, link);
  ASSERT_EQ(Run("configure", "docker", link).status, 0);
  EXPECT_TRUE(fs::is_symlink(link));
  EXPECT_THAT(ContentOf(file), HasSubstr("runclad"));
}

// A container on disk that names the runtime, of a Docker that does not run.
TEST_F(Configure, KeepsTheNameForContainers) {
  const std::string data = directory_.path() + "/data";
  const std::string before = "{ \"data-root\": \"" + data + "\" }\n";
  const std::string file = directory_.Write("daemon.json", before);
  directory_.Write("data/containers/abc/config.v2.json", R"({"State": {}, "Name": "/web"})");
  directory_.Write("data/containers/abc/hostconfig.json", R"({"Runtime": "runclad"})");
  directory_.Write("data/containers/def/config.v2.json", R"({"Name": "/db"})");
  directory_.Write("data/containers/def/hostconfig.json", R"({"Runtime": "runc"})");
  const ProgramRun there = Run("configure", "docker", file, {"--default"});
  EXPECT_THAT(there.out, HasSubstr("\n  db  runc  "));
  const std::string configured = ContentOf(file);

  const ProgramRun final_run = Run("unconfigure", "docker", file, {"--final"});
  EXPECT_EQ(final_run.status, 2);
  EXPECT_THAT(final_run.out, HasSubstr("\n  web  runclad  "));
  EXPECT_EQ(ContentOf(file), configured);

  const ProgramRun back = Run("unconfigure", "docker", file);
  ASSERT_EQ(back.status, 0) << back.err;
  const auto tree = nlohmann::json::parse(ContentOf(file));
  EXPECT_THAT(tree["runtimes"]["runclad"]["path"], HasSubstr("/runc"));
  EXPECT_FALSE(tree.contains("default-runtime"));

  const ProgramRun again = Run("unconfigure", "docker", file);
  EXPECT_EQ(again.status, 0) << again.err;
  EXPECT_THAT(again.out, HasSubstr("\n  web  runclad  ")) << "as the first time";

  fs::remove_all(data + "/containers/abc");
  ASSERT_EQ(Run("unconfigure", "docker", file).status, 0);
  EXPECT_EQ(ContentOf(file), before);
}

TEST_F(Configure, NeverReplacesAForeignEntryOfAnyEngine) {
  struct Case {
    const char* engine;
    const char* text;
  };
  for (const Case& one : {
           Case{"crio", "[crio.runtime.runtimes.runclad]\nruntime_path = \"/opt/theirs\"\n"},
           Case{"podman", "[engine.runtimes]\nrunclad = [\"/opt/theirs\"]\n"},
           Case{"podman", "[engine.runtimes]\nrunclad = [\"/usr/bin/env\", \"/opt/theirs\"]\n"},
       }) {
    SCOPED_TRACE(one.text);
    const std::string file = directory_.Write(std::string(one.engine) + ".conf", one.text);
    const ProgramRun run = Run("configure", one.engine, file);
    if (run.err.find("is not installed") != std::string::npos) continue;
    EXPECT_EQ(run.status, 3);
    EXPECT_THAT(run.err, HasSubstr("/opt/theirs"));
    EXPECT_THAT(run.err, HasSubstr("which runclad did not write"));
    EXPECT_EQ(ContentOf(file), one.text);
    EXPECT_FALSE(fs::exists(directory_.path() + "/state"));
  }
}

constexpr const char* kK3s = R"(version = 2
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  SystemdCgroup = true
)";

constexpr const char* kBlock = R"(
# runcladctl configure: begin (runclad)
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runclad]
  runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runclad.options]
  SystemdCgroup = true
  BinaryName = "/usr/bin/env"
# runcladctl configure: end (runclad)
)";

// k3s writes the file that containerd reads: its template is what lasts.
TEST_F(Configure, WritesTheTemplateOfK3s) {
  const std::string file = directory_.Write("k3s/agent/etc/containerd/config.toml", kK3s);
  const std::string own_template = file + ".tmpl";
  const ProgramRun run = Run("configure", "containerd", file);
  ASSERT_EQ(run.status, 0) << run.err;
  EXPECT_EQ(ContentOf(file), kK3s);
  EXPECT_EQ(ContentOf(own_template), std::string("{{ template \"base\" . }}\n") + kBlock);
  EXPECT_THAT(Run("configure", "containerd", file).out, HasSubstr("has it already"));
  ASSERT_EQ(Run("unconfigure", "containerd", file).status, 0);
  EXPECT_FALSE(fs::exists(own_template));

  const std::string before = "{{ template \"base\" . }}\n[metrics]\n  address = \"{{ .Address }}\"";
  directory_.Write("k3s/agent/etc/containerd/config.toml.tmpl", before);
  ASSERT_EQ(Run("configure", "containerd", file).status, 0);
  EXPECT_EQ(ContentOf(own_template), before + "\n" + kBlock);
  ASSERT_EQ(Run("unconfigure", "containerd", file).status, 0);
  EXPECT_EQ(ContentOf(own_template), before);
  const ProgramRun with_default = Run("configure", "containerd", file, {"--default"});
  EXPECT_EQ(with_default.status, 3);
  EXPECT_THAT(with_default.err, HasSubstr("`default-runtime: runclad`"));
}

TEST_F(Configure, WritesADropInOfK0s) {
  const std::string file = directory_.Write(
      "k0s/containerd.toml", "version = 2\nimports = [\"/run/k0s/containerd-cri.toml\"]\n");
  const ProgramRun run = Run("configure", "containerd", file, {"--default"});
  ASSERT_EQ(run.status, 0) << run.err;
  const std::string drop_in = directory_.path() + "/k0s/containerd.d/runclad.toml";
  EXPECT_THAT(ContentOf(drop_in), HasSubstr("version = 2\n"));
  EXPECT_THAT(ContentOf(drop_in), HasSubstr("default_runtime_name = \"runclad\""));
  ASSERT_EQ(Run("unconfigure", "containerd", file).status, 0);
  EXPECT_FALSE(fs::exists(drop_in));
}

TEST_F(Configure, WritesFilesOfBuildkitAndCrio) {
  for (const char* engine : {"buildkit", "crio"}) {
    const std::string before = "# of the site\ndebug = true\n";
    const std::string file = directory_.Write(std::string(engine) + ".toml", before);
    const ProgramRun run = Run("configure", engine, file, {"--default"});
    ASSERT_EQ(run.status, 0) << run.err;
    EXPECT_THAT(ContentOf(file), HasSubstr(before));
    EXPECT_THAT(ContentOf(file), HasSubstr("\"/usr/bin/env\""));
    EXPECT_THAT(Run("configure", engine, file, {"--default"}).out, HasSubstr("has it already"));
    ASSERT_EQ(Run("unconfigure", engine, file).status, 0);
    EXPECT_EQ(ContentOf(file), before);
  }
}

}  // namespace
}  // namespace runclad::ctl::configure_test
