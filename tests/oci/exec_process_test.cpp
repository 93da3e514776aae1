#include "runclad/oci/exec_process.hpp"

#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "runclad/oci/spec.hpp"

namespace runclad::oci::exec_process_test {
namespace {

using json::Document;
using ::testing::HasSubstr;
using Strings = std::vector<std::string>;

constexpr std::string_view kConfigProcess = R"({
  "terminal": true,
  "consoleSize": {"height": 24, "width": 80},
  "user": {"uid": 1000, "gid": 1000, "additionalGids": [5]},
  "args": ["nginx", "-g", "daemon off;"],
  "env": ["PATH=/bin"],
  "cwd": "/srv",
  "capabilities": {"bounding": ["CAP_KILL"], "effective": ["CAP_KILL"], "permitted": ["CAP_KILL"]},
  "noNewPrivileges": true,
  "apparmorProfile": "docker-default",
  "selinuxLabel": "system_u:system_r:container_t:s0",
  "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 18446744073709551615, "soft": 1024}],
  "someFutureMember": {"kept": true}
})";

CommandLine Exec(Strings arguments) {
  arguments.insert(arguments.begin(), "exec");
  Result<CommandLine> line = ParseCommandLine(arguments);
  EXPECT_TRUE(line) << line.error().message;
  return *line;
}

Document Made(const Strings& arguments, std::string_view config = kConfigProcess) {
  const Result<json::Value> process = ProcessFromFlags(Document::parse(config), Exec(arguments));
  EXPECT_TRUE(process) << process.error().message;
  return process ? process->document() : Document();
}

std::string Fault(const Strings& arguments, std::string_view config = kConfigProcess) {
  const Result<json::Value> process = ProcessFromFlags(Document::parse(config), Exec(arguments));
  return process ? "" : process.error().message;
}

struct Row {
  std::string_view name;
  Strings arguments;
  std::string_view patch;  // what differs from the process above, as a JSON merge patch
};

TEST(ExecProcess, AppliesTheFlagsToTheContainersProcess) {
  const Row rows[] = {
      {"no flags", {"c", "sh", "-c", "exit"}, R"({"args": ["sh", "-c", "exit"]})"},
      {"--cwd", {"--cwd=/tmp", "c", "sh"}, R"({"cwd": "/tmp"})"},
      {"an empty --cwd is none", {"--cwd=", "c", "sh"}, "{}"},
      {"--apparmor", {"--apparmor=unconfined", "c", "sh"}, R"({"apparmorProfile": "unconfined"})"},
      {"an empty --apparmor is none", {"--apparmor=", "c", "sh"}, "{}"},
      {"--process-label", {"--process-label=a:b", "c", "sh"}, R"({"selinuxLabel": "a:b"})"},
      {"an empty --process-label is none", {"--process-label=", "c", "sh"}, "{}"},
      {"--tty", {"-t", "c", "sh"}, R"({"terminal": true})"},
      {"--tty=false", {"--tty=false", "c", "sh"}, "{}"},
      {"--env is appended, commas and all",
       {"-e", "A=1,B=2", "-e", "PATH=/x", "c", "sh"},
       R"({"env": ["PATH=/bin", "A=1,B=2", "PATH=/x"]})"},
      {"--cap without inheritable capabilities",
       {"-c", "CAP_NET_RAW", "--", "c", "sh"},
       R"({"capabilities": {"bounding": ["CAP_KILL", "CAP_NET_RAW"],
                            "effective": ["CAP_KILL", "CAP_NET_RAW"],
                            "permitted": ["CAP_KILL", "CAP_NET_RAW"]}})"},
      {"--no-new-privs", {"--no-new-privs", "c", "sh"}, "{}"},
      {"--no-new-privs=false",
       {"--no-new-privs=false", "c", "sh"},
       R"({"noNewPrivileges": false})"},
      {"--user UID", {"-u", "0", "c", "sh"}, R"({"user": {"uid": 0}})"},
      {"--user UID:GID",
       {"-u", "1:2147483647", "c", "sh"},
       R"({"user": {"uid": 1, "gid": 2147483647}})"},
      {"an empty --user is none", {"--user=", "c", "sh"}, "{}"},
      {"--additional-gids",
       {"-g", "0", "-g", "7", "c", "sh"},
       R"({"user": {"additionalGids": [5, 0, 7]}})"},
      {"flags that are the runtime's business",
       {"--detach", "--pid-file=P", "--preserve-fds=1", "--cgroup=x", "--ignore-paused", "c", "sh"},
       "{}"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    Document expected = Document::parse(kConfigProcess);
    expected["terminal"] = false;  // runc exec ignores the container's own
    expected["args"] = {"sh"};
    expected.merge_patch(Document::parse(row.patch));
    EXPECT_EQ(Made(row.arguments), expected);
  }
}

TEST(ExecProcess, AddsAmbientCapabilitiesOnTopOfInheritableOnes) {
  constexpr std::string_view kConfig = R"({"capabilities": {"inheritable": []}})";
  EXPECT_EQ(Made({"-c", "CAP_KILL", "-c", "CAP_CHOWN", "c", "sh"}, kConfig)["capabilities"],
            Document::parse(R"({"inheritable": [],
                                "ambient": ["CAP_KILL", "CAP_CHOWN"],
                                "bounding": ["CAP_KILL", "CAP_CHOWN"],
                                "effective": ["CAP_KILL", "CAP_CHOWN"],
                                "permitted": ["CAP_KILL", "CAP_CHOWN"]})"));
}

TEST(ExecProcess, AddsMissingMembers) {
  EXPECT_EQ(Made({"-e", "A=1", "-u", "1:2", "-g", "3", "c", "sh"}, R"({"env": null})"),
            Document::parse(R"({"args": ["sh"], "env": ["A=1"], "terminal": false,
                                "user": {"uid": 1, "gid": 2, "additionalGids": [3]}})"));
}

TEST(ExecProcess, RefusesNumbersThatRuncWouldWrap) {
  for (const char* user : {"4294967296", "2147483648", "-1", "+1", "01", "0x1", "root", "1:", ":1",
                           "1:4294967296", "1:-1", "1:2:3", "1:x", "99999999999999999999"}) {
    EXPECT_THAT(Fault({std::string("--user=") + user, "c", "sh"}),
                HasSubstr("--user must be UID or UID:GID in plain decimal numbers, not \"" +
                          std::string(user) + "\""))
        << user;
  }
  for (const char* gid : {"4294967296", "-1", "2147483648"}) {
    EXPECT_THAT(Fault({std::string("--additional-gids=") + gid, "c", "sh"}),
                HasSubstr("--additional-gids must be a numeric group id"))
        << gid;
  }
}

TEST(ExecProcess, RefusesAMalformedProcess) {
  EXPECT_THAT(Fault({"c", "sh"}, "null"), HasSubstr("config.json has no process"));
  EXPECT_THAT(Fault({"-c", "CAP_KILL", "c", "sh"}, "{}"), HasSubstr("no capabilities to add to"));
  EXPECT_THAT(Fault({"-e", "A=1", "c", "sh"}, R"({"env": {}})"),
              HasSubstr("\"env\" is not an array"));
  EXPECT_THAT(Fault({"-u", "1", "c", "sh"}, R"({"user": []})"),
              HasSubstr("\"user\" is not an object"));
  EXPECT_THAT(Fault({"-g", "1", "c", "sh"}, R"({"user": {"additionalGids": 1}})"),
              HasSubstr("\"additionalGids\" is not an array"));
}

TEST(ExecProcess, IsAValidProcess) {
  const Document process = Made({"--user", "1000:1001", "--additional-gids", "7", "--cap",
                                 "CAP_KILL", "--env", "A=b", "--cwd", "/", "--tty", "id", "sh"});
  const auto spec = Spec::FromProcess(json::Value(process));
  EXPECT_TRUE(spec) << spec.error().message;
}

TEST(DropProcessFlags, RemovesEveryFlagThatChangesTheProcess) {
  CommandLine line = Exec({"--console-socket=S",
                           "--cwd=/",
                           "-e",
                           "A=1",
                           "-t",
                           "-u",
                           "1",
                           "-g",
                           "2",
                           "-d",
                           "--pid-file=P",
                           "--process-label=L",
                           "--apparmor=A",
                           "--no-new-privs=false",
                           "-c",
                           "CAP_KILL",
                           "--preserve-fds=1",
                           "--cgroup=x",
                           "--ignore-paused",
                           "c",
                           "sh",
                           "-c",
                           "x"});
  line.SetOption("process", "/proc/self/fd/9");
  DropProcessFlags(line);
  EXPECT_EQ(line.Canonical(),
            (Strings{"exec", "--console-socket=S", "--detach", "--pid-file=P", "--preserve-fds=1",
                     "--cgroup=x", "--ignore-paused", "--process=/proc/self/fd/9", "--", "c"}));
}

}  // namespace
}  // namespace runclad::oci::exec_process_test
