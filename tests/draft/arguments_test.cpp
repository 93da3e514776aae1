// What each option changes of the document that Docker would write for `docker run box`.
#include "runclad/draft/arguments.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "runclad/draft/draft.hpp"

namespace runclad::draft::arguments_test {
namespace {

using nlohmann::json;
using ::testing::Contains;
using ::testing::HasSubstr;

Image Known() {
  Image image;
  image.is_known = true;
  return image;
}

Result<Draft> DraftFor(const std::vector<std::string>& options, const char* program = "docker",
                       const Image& image = Known()) {
  std::vector<std::string> arguments = {program, "run"};
  arguments.insert(arguments.end(), options.begin(), options.end());
  arguments.insert(arguments.end(), {"box", "sh"});
  const auto request = ReadArguments(arguments);
  if (!request) return request.error();
  Host host;
  host.devices = "/nonexistent";
  return DraftOf(*request, image, host);
}

// By destination, which an order cannot disturb.
json Comparable(json document) {
  json mounts = json::object();
  for (const json& mount : document["mounts"])
    mounts[mount["destination"].get<std::string>()] = mount;
  document["mounts"] = mounts;
  return document;
}

// The members that differ, with their values; null: absent. A list is one value.
void AddChanges(const json& before, const json& after, const std::string& path, json& changes) {
  if (before == after) return;
  if (!before.is_object() || !after.is_object()) {
    changes[path] = after;
    return;
  }
  for (const auto& [name, value] : before.items()) {
    AddChanges(value, after.value(name, json()), path + "/" + name, changes);
  }
  for (const auto& [name, value] : after.items()) {
    if (!before.contains(name)) changes[path + "/" + name] = value;
  }
}

TEST(Arguments, ChangeTheDocument) {
  const json plain = Comparable(DraftFor({})->config.document());
  const struct {
    std::vector<std::string> options;
    std::string changes;
  } rows[] = {
      {{"--rm", "-it", "-d", "--name", "x", "-p", "80:80", "--restart=always"},
       R"({"/process/terminal": true, "/process/env": ["PATH", "HOSTNAME", "TERM=xterm"]})"},
      {{"--env", "A=b"}, R"({"/process/env": ["PATH", "HOSTNAME", "A=b"]})"},
      {{"--read-only"},
       R"({"/root/readonly": true,
           "/mounts//etc/hosts/options": ["rbind", "ro", "rprivate"],
           "/mounts//etc/hostname/options": ["rbind", "ro", "rprivate"],
           "/mounts//etc/resolv.conf/options": ["rbind", "ro", "rprivate"]})"},
      {{"-u", "1000:1001"},
       R"({"/process/user/uid": 1000, "/process/user/gid": 1001,
           "/process/user/additionalGids": [1001]})"},
      {{"--group-add", "7"}, R"({"/process/user/additionalGids": [0, 7]})"},
      {{"-w", "/w"}, R"({"/process/cwd": "/w"})"},
      {{"--entrypoint", "/e"}, R"({"/process/args": ["/e", "sh"]})"},
      {{"--memory=64m"}, R"({"/linux/resources/memory/limit": 67108864,
                             "/linux/resources/memory/swap": 134217728})"},
      {{"--memory=1.5g", "--memory-swap", "-1"},
       R"({"/linux/resources/memory/limit": 1610612736, "/linux/resources/memory/swap": -1})"},
      {{"--cpus", "1.5"}, R"({"/linux/resources/cpu": {"period": 100000, "quota": 150000}})"},
      {{"-c", "10", "--cpuset-mems", "0"},
       R"({"/linux/resources/cpu": {"shares": 10, "mems": "0"}})"},
      {{"--cpu-rt-runtime=1000"}, R"({"/linux/resources/cpu": {"realtimeRuntime": 1000}})"},
      {{"--pids-limit", "-1"}, R"({"/linux/resources/pids": {"limit": -1}})"},
      {{"--oom-kill-disable"}, R"({"/linux/resources/memory/disableOOMKiller": true})"},
      {{"--oom-score-adj", "-500"}, R"({"/process/oomScoreAdj": -500})"},
      {{"--shm-size", "1m"},
       R"({"/mounts//dev/shm/options": ["nosuid", "noexec", "nodev", "mode=1777",
                                        "size=1048576"]})"},
      {{"--ulimit", "core=0"},
       R"({"/process/rlimits": [{"type": "RLIMIT_CORE", "soft": 0, "hard": 0}]})"},
      {{"--sysctl", "net.ipv4.ip_forward=1"}, R"({"/linux/sysctl/net.ipv4.ip_forward": "1"})"},
      {{"--annotation", "a=b"}, R"({"/annotations": {"a": "b"}})"},
      {{"--cgroup-parent", "/p"}, R"({"/linux/cgroupsPath": "/p/ID"})"},
      {{"--cgroup-parent", "p.slice"}, R"({"/linux/cgroupsPath": "p.slice:docker:ID"})"},
      {{"--pid", "host"},
       R"({"/linux/namespaces": [{"type": "mount"}, {"type": "network"}, {"type": "uts"},
                                 {"type": "ipc"}]})"},
      {{"--ipc=host"},
       R"({"/linux/namespaces": [{"type": "mount"}, {"type": "network"}, {"type": "uts"},
                                 {"type": "pid"}],
           "/mounts//dev/shm/options": ["rbind", "rprivate"],
           "/mounts//dev/shm/source": "/dev/shm", "/mounts//dev/shm/type": "bind"})"},
      {{"--ipc=none"}, R"({"/mounts//dev/shm": null})"},
      {{"--security-opt", "no-new-privileges:true"}, R"({"/process/noNewPrivileges": true})"},
      {{"--security-opt=seccomp=unconfined"}, R"({"/linux/seccomp": null})"},
      {{"--security-opt", "apparmor=mine"}, R"({"/process/apparmorProfile": "mine"})"},
      {{"--security-opt", "systempaths=unconfined"},
       R"({"/linux/maskedPaths": null, "/linux/readonlyPaths": null})"},
      {{"-v", "/srv/x:/x:ro,rslave"},
       R"({"/mounts//x": {"destination": "/x", "type": "bind", "source": "/srv/x",
                          "options": ["rbind", "rro", "rslave"]},
           "/linux/rootfsPropagation": "rslave"})"},
      {{"-v", "/srv/x:/x:rshared"},
       R"({"/mounts//x": {"destination": "/x", "type": "bind", "source": "/srv/x",
                          "options": ["rbind", "rshared"]},
           "/linux/rootfsPropagation": "shared"})"},
      {{"-v", "/srv/../etc/:/x"},
       R"({"/mounts//x": {"destination": "/x", "type": "bind", "source": "/etc",
                          "options": ["rbind", "rprivate"]}})"},
      {{"-v", "data:/x"},
       R"({"/mounts//x": {"destination": "/x", "type": "bind",
                          "source": "/var/lib/docker/volumes/data/_data", "options": ["rbind"]}})"},
      {{"--mount", "type=tmpfs,dst=/x,tmpfs-mode=1700,tmpfs-size=1048576"},
       R"({"/mounts//x": {"destination": "/x", "type": "tmpfs", "source": "tmpfs",
                          "options": ["noexec", "nosuid", "nodev", "rprivate", "mode=1700",
                                      "size=1m"]}})"},
      {{"--tmpfs", "/run:rw,exec,size=64k"},
       R"({"/mounts//run": {"destination": "/run", "type": "tmpfs", "source": "tmpfs",
                            "options": ["nosuid", "nodev", "rprivate", "rw", "exec",
                                        "size=64k"]}})"},
      {{"-v", "/srv/h:/etc/hosts"}, R"({"/mounts//etc/hosts/source": "/srv/h"})"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.options.front() + " " + row.options.back());
    const auto draft = DraftFor(row.options);
    ASSERT_TRUE(draft) << draft.error().message;
    json changes = json::object();
    AddChanges(plain, Comparable(draft->config.document()), "", changes);
    std::string text = changes.dump();
    for (const auto& [part, shown] : {std::pair<std::string, std::string>{draft->id, "ID"},
                                      {draft->id.substr(0, 12), "ID"},
                                      {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/"
                                       "sbin:/bin",
                                       "PATH"},
                                      {"HOSTNAME=ID", "HOSTNAME"}}) {
      for (std::size_t at = 0; (at = text.find(part)) != std::string::npos;) {
        text.replace(at, part.size(), shown);
      }
    }
    changes = json::parse(text);
    const json expected = json::parse(row.changes);
    EXPECT_EQ(changes, expected) << changes.dump(1);
  }
}

TEST(Arguments, CapabilitiesAreComputedAsDockerDoes) {
  const struct {
    std::vector<std::string> options;
    std::size_t count;
    const char* has;
  } rows[] = {
      {{}, 14, "CAP_CHOWN"},
      {{"--cap-drop", "ALL", "--cap-add", "kill"}, 1, "CAP_KILL"},
      {{"--cap-drop", "CHOWN"}, 13, "CAP_KILL"},
      {{"--cap-add", "CAP_SYS_ADMIN"}, 15, "CAP_SYS_ADMIN"},
      {{"--cap-add", "ALL"}, 41, "CAP_SYS_MODULE"},
      {{"--cap-add=ALL", "--cap-drop=SYS_MODULE"}, 40, "CAP_SYS_ADMIN"},
      {{"--privileged", "--cap-drop=ALL"}, 41, "CAP_SYS_ADMIN"},
  };
  for (const auto& row : rows) {
    const auto draft = DraftFor(row.options);
    ASSERT_TRUE(draft) << draft.error().message;
    const json bounding = draft->config.document()["process"]["capabilities"]["bounding"];
    EXPECT_EQ(bounding.size(), row.count) << bounding;
    EXPECT_THAT(bounding.get<std::vector<std::string>>(), Contains(row.has));
  }
}

TEST(Arguments, AreErrorsWhereTheEngineWouldRefuseThem) {
  const struct {
    std::vector<std::string> options;
    const char* sentence;
  } rows[] = {
      {{"--privilegd"}, "does not know the option \"--privilegd\"; did you mean \"privileged\"?"},
      {{"-Z"}, "does not know the option \"-Z\""},
      {{"--privileged=maybe"}, "\"maybe\" is neither true nor false"},
      {{"--cap-add", "FLY"}, "there is no capability \"FLY\""},
      {{"--memory", "lots"}, "\"lots\" is not a size such as 64m"},
      {{"--memory", "1e400"}, "\"1e400\" is not a size such as 64m"},
      {{"--ulimit", "nofiles=1"}, "is not like nofile=1024:2048"},
      {{"-v", "a/b:/x"}, "is neither an absolute path nor the name of a volume"},
      {{"-v", "/a:/b:ro:z"}, "has more than three parts"},
      {{"-v", "/a:b"}, "has no absolute path in the container"},
      {{"-v", "/a:/"}, "a volume cannot be mounted at /"},
      {{"-v", "/a:/b:mostly"}, "has an unknown mode"},
      {{"--mount", "type=bind,source=/a,target=/b,reedonly"},
       "--mount has no field \"reedonly\"; did you mean \"readonly\"?"},
      {{"--mount", "type=bind,\"source=/a,target=/b"}, "a quotation mark is missing"},
      {{"--mount", "type=npipe,source=/a,target=/b"}, "of the type \"npipe\""},
      {{"--device", "/dev/null:/dev/x:rq"}, "permissions other than of r, w and m"},
      {{"--device", "/etc/passwd"}, "is not a device node of this host"},
      {{"--device-cgroup-rule", "c 1:11"}, "is not like \"c 1:11 rwm\""},
      {{"--device-cgroup-rule", "c 1:1x rwm"}, "is not like \"c 1:11 rwm\""},
      {{"--security-opt", "magic=1"}, "the security option \"magic=1\" is not known"},
      {{"--security-opt", "seccomp=/nonexistent"}, "/nonexistent cannot be opened"},
      {{"--sysctl", "x"}, "is not like name=value"},
      {{"--pid", "container:"}, "names no container"},
      {{"--runtime"}, "no image is named"},
  };
  for (const auto& row : rows) {
    std::vector<std::string> options = row.options;
    const auto draft = DraftFor(options);
    if (options.front() == "--runtime") {
      const auto request = ReadArguments({"docker", "run", "--runtime", "box"});
      ASSERT_FALSE(request);
      EXPECT_THAT(request.error().message, HasSubstr(row.sentence));
      continue;
    }
    ASSERT_FALSE(draft) << options.front();
    EXPECT_THAT(draft.error().message, HasSubstr(row.sentence));
  }
}

TEST(Arguments, SayWhatIsNotJudged) {
  const struct {
    std::vector<std::string> options;
    const char* sentence;
  } rows[] = {
      {{"--gpus", "all"}, "--gpus all: the devices, mounts and hooks"},
      {{"--volumes-from", "web"}, "--volumes-from web: the mounts of that container"},
      {{"--device", "nvidia.com/gpu=0"}, "the device \"nvidia.com/gpu=0\""},
      {{"--user", "app"}, "the user \"app\": its number is in the image"},
      {{"--mount", "type=image,source=busybox,target=/i"}, "the image \"busybox\""},
      {{"--security-opt", "label=type:spc_t"}, "the SELinux label \"type:spc_t\""},
  };
  for (const auto& row : rows) {
    const auto draft = DraftFor(row.options);
    ASSERT_TRUE(draft) << draft.error().message;
    EXPECT_THAT(draft->not_judged, Contains(HasSubstr(row.sentence)));
  }
  EXPECT_THAT(DraftFor({})->not_judged, ::testing::IsEmpty());
  EXPECT_THAT(DraftFor({}, "docker", {})->not_judged, Contains(HasSubstr("the image names it")));
}

TEST(Arguments, AnotherCommandIsAnError) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{},
                                             {"docker"},
                                             {"docker", "build", "."},
                                             {"nerdctl", "run", "box"},
                                             {"docker", "-H", "x"}}) {
    EXPECT_FALSE(ReadArguments(arguments));
  }
  EXPECT_TRUE(ReadArguments({"/usr/bin/podman", "container", "run", "box"}));
  EXPECT_FALSE(ReadArguments({"docker", "run", "--rootfs", "box"}));
}

TEST(Image, FillsWhatTheRequestLeavesOut) {
  const auto image = ReadImage(R"({"architecture": "amd64", "config": {"User": "1000:1000",
    "Env": ["A=b"], "Entrypoint": ["/e"], "Cmd": ["c"], "WorkingDir": "/w",
    "Volumes": {"/v": {}}}})");
  ASSERT_TRUE(image) << image.error().message;
  const json document = DraftFor({}, "docker", *image)->config.document();
  EXPECT_EQ(document["process"]["user"]["uid"], 1000);
  EXPECT_EQ(document["process"]["args"], (json{"/e", "sh"}));
  EXPECT_EQ(document["process"]["cwd"], "/w");
  EXPECT_THAT(document["process"]["env"].get<std::vector<std::string>>(), Contains("A=b"));
  EXPECT_TRUE(Comparable(document)["mounts"].contains("/v"));
  EXPECT_TRUE(ReadImage(R"([{"Id": "x", "Config": {"Cmd": null}}])"));
  EXPECT_FALSE(ReadImage("{}"));
  EXPECT_FALSE(ReadImage(R"({"config": {"Env": [1]}})"));
  EXPECT_FALSE(ReadImage("no JSON"));
}

}  // namespace
}  // namespace runclad::draft::arguments_test
