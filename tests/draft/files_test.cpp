// Compose files and manifests of Kubernetes, within the bounds of the YAML that they are written
// in.
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "runclad/draft/compose.hpp"
#include "runclad/draft/draft.hpp"
#include "runclad/draft/pod.hpp"

#include "draft/variables.hpp"
#include "draft/yaml.hpp"

namespace runclad::draft::files_test {
namespace {

using nlohmann::json;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Directory {
 public:
  Directory() {
    std::string pattern = ::testing::TempDir() + "/draft-XXXXXX";
    path_ = std::filesystem::canonical(::mkdtemp(pattern.data()));
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  Directory(Directory&&) = delete;
  Directory& operator=(Directory&&) = delete;
  ~Directory() { std::filesystem::remove_all(path_); }

  std::string Write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name) << text;
    return path_ / name;
  }
  [[nodiscard]] std::string path() const { return path_; }

 private:
  std::filesystem::path path_;
};

TEST(Yaml, ValuesAreReadAsJson) {
  const struct {
    std::string yaml;
    std::string json;
  } rows[] = {
      {"a: 1\nb: [x, \"1\", 0.5, true, ~, yes]",
       R"({"a": 1, "b": ["x", "1", "0.5", true, null, "yes"]})"},
      {"{mode: 0644, hex: 0x1F, neg: -3, date: 2026-01-01}",
       R"({"mode": 420, "hex": 31, "neg": -3, "date": "2026-01-01"})"},
      {"base: &b {x: 1, y: 2}\nuse:\n  <<: *b\n  y: 3",
       R"({"base": {"x": 1, "y": 2}, "use": {"x": 1, "y": 3}})"},
      {"a: |\n  text\n  lines\n", R"({"a": "text\nlines\n"})"},
      {"\"0\": '~'", R"({"0": "~"})"},
  };
  for (const auto& row : rows) {
    const auto documents = ReadYaml(row.yaml);
    ASSERT_TRUE(documents) << row.yaml << ": " << documents.error().message;
    ASSERT_EQ(documents->size(), 1U);
    EXPECT_EQ(documents->front(), json::parse(row.json)) << row.yaml;
  }
  EXPECT_EQ(ReadYaml("a: 1\n---\nb: 2\n---\n")->size(), 3U);
  EXPECT_EQ(ReadYaml("")->size(), 0U);
}

TEST(Yaml, BombsAndFaultsAreErrorsWithTheirLine) {
  std::string aliases = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    aliases += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 9; ++j) aliases += (j == 0 ? "" : ", ") + before;
    aliases += "]\n";
  }
  std::string deep(200, '[');
  deep += std::string(200, ']');
  const struct {
    std::string yaml;
    const char* sentence;
  } rows[] = {
      {aliases, "more than 200000 values, aliases included"},
      {deep, "line 1: more than 64 levels"},
      {std::string(5U << 20U, 'x'), "more than 4 MiB"},
      {"a: 1\nb: 2\na: 3", "line 3: the key \"a\" appears twice"},
      {"a: *b", "line 1: there is no anchor \"b\""},
      {"a: &a [*a]", "there is no anchor \"a\""},
      {"? [x]\n: y", "a key is not a scalar"},
      {"a: [1, 2", "line "},
      {"a: \"\\0\"", "a text has a NUL in it"},
      {"<<: 1", "merges mappings alone"},
      {"\xff\xfe\xff", ""},
      {"a: b: c", "line 1"},
  };
  for (const auto& row : rows) {
    const auto documents = ReadYaml(row.yaml);
    ASSERT_FALSE(documents) << row.yaml.substr(0, 80);
    EXPECT_THAT(documents.error().message, HasSubstr(row.sentence));
  }
}

TEST(Variables, AreSubstitutedAsComposeDoes) {
  ::setenv("RUNCLAD_TEST_SET", "s", 1);
  ::setenv("RUNCLAD_TEST_EMPTY", "", 1);
  const Variables file = {{"F", "file"}};
  const struct {
    const char* text;
    const char* result;
  } rows[] = {
      {"$F-${F}", "file-file"},          {"${RUNCLAD_TEST_SET:-d}", "s"},
      {"${RUNCLAD_TEST_EMPTY:-d}", "d"}, {"${RUNCLAD_TEST_EMPTY-d}", ""},
      {"${NOT_THERE:-${F}}", "file"},    {"${NOT_THERE}", ""},
      {"${F:+x}${NOT_THERE+y}", "x"},    {"$$F", "$F"},
  };
  for (const auto& row : rows) {
    const auto result = Substitute(row.text, file);
    ASSERT_TRUE(result) << row.text << result.error().message;
    EXPECT_EQ(*result, row.result) << row.text;
  }
  for (const char* text : {"${", "$", "${NOT_THERE:?must be set}", "${F!}", "${}"}) {
    EXPECT_FALSE(Substitute(text, file)) << text;
  }
}

Result<std::vector<Request>> Compose(const Directory& directory, const std::string& text,
                                     std::vector<std::string> services = {}) {
  return ReadPlainCompose({directory.Write("compose.yaml", text), std::move(services)});
}

TEST(Compose, ServicesAreRequests) {
  const Directory directory;
  directory.Write(".env", "TAG=1.27\n");
  const auto requests = Compose(directory, R"(
name: shop
services:
  web:
    image: nginx:${TAG}
    privileged: true
    cap_add: [NET_ADMIN]
    cap_drop: ["ALL"]
    user: "1000:1000"
    read_only: true
    network_mode: host
    pid: service:db
    command: echo "a b" c
    environment: {A: 1, B: x}
    sysctls: [net.core.somaxconn=1024]
    ulimits: {nofile: {soft: 10, hard: 20}, nproc: 5}
    security_opt: [no-new-privileges]
    tmpfs: /run
    mem_limit: 64m
    deploy: {resources: {limits: {pids: 30, cpus: "0.5"}}}
    devices: ["/dev/null:/dev/x:r"]
    volumes:
      - ./data:/data:ro
      - cache:/cache
      - {type: bind, source: /srv/x, target: /x, read_only: true}
    ports: ["80:80"]
    secrets: [token]
    x-note: anything
  db: {image: db}
  debug: {image: box, profiles: [debug]}
volumes:
  cache: {driver_opts: {type: none, o: bind, device: /etc}}
secrets:
  token: {file: ./token}
)");
  ASSERT_TRUE(requests) << requests.error().message;
  ASSERT_EQ(requests->size(), 2U);
  const Request& web = requests->at(1);
  EXPECT_EQ(web.title, "shop-web-1");
  EXPECT_EQ(web.image, "nginx:1.27");
  EXPECT_TRUE(web.is_privileged);
  EXPECT_TRUE(web.has_read_only_root);
  EXPECT_TRUE(web.has_no_new_privileges);
  EXPECT_THAT(web.added_capabilities, ElementsAre("NET_ADMIN"));
  EXPECT_THAT(web.dropped_capabilities, ElementsAre("ALL"));
  EXPECT_EQ(web.user, "1000:1000");
  EXPECT_EQ(web.namespaces.at("network"), "host");
  EXPECT_EQ(web.namespaces.at("pid"), "container:shop-db-1");
  EXPECT_THAT(web.command, ElementsAre("echo", "a b", "c"));
  EXPECT_THAT(web.environment, ElementsAre("A=1", "B=x"));
  EXPECT_EQ(web.sysctls.at("net.core.somaxconn"), "1024");
  ASSERT_EQ(web.rlimits.size(), 2U);
  EXPECT_EQ(web.rlimits[0].hard, 20);
  EXPECT_EQ(web.limits.memory, 64 << 20);
  EXPECT_EQ(web.limits.pids, 30);
  EXPECT_EQ(web.limits.cpu_quota, 50'000);
  ASSERT_EQ(web.mounts.size(), 5U);  // in the order of the keys
  EXPECT_EQ(web.mounts[0].source, directory.path() + "/token");
  EXPECT_EQ(web.mounts[1].destination, "/run");
  EXPECT_EQ(web.mounts[2].source, directory.path() + "/data");
  EXPECT_EQ(web.mounts[3].source, "shop_cache");
  EXPECT_EQ(web.mounts[3].driver_options.at("device"), "/etc");
  EXPECT_TRUE(web.mounts[4].is_read_only);
  const auto debug =
      Compose(directory, "services: {debug: {image: box, profiles: [debug]}}", {"debug"});
  ASSERT_TRUE(debug) << debug.error().message;
  EXPECT_EQ(debug->front().image, "box");
}

TEST(Compose, WhatIsNotUnderstoodIsAnError) {
  const Directory directory;
  const struct {
    const char* text;
    const char* sentence;
  } rows[] = {
      {"services: {web: {image: x, privilegd: true}}",
       "service web: unknown key \"privilegd\"; did you mean \"privileged\"?"},
      {"services: {web: {extends: {service: x}}}", "extends: needs docker compose"},
      {"include: [x.yaml]\nservices: {web: {image: x}}", "\"include\" needs docker compose"},
      {"servces: {}", "unknown key \"servces\"; did you mean \"services\"?"},
      {"services: []", "the file has no \"services\""},
      {"services: {}", "the file has no service that would be started"},
      {"services: {web: {image: x, cap_add: {a: b}}}", "cap_add: must be a list"},
      {"services: {web: {image: x, mem_limit: lots}}", "mem_limit: \"lots\" is not a size"},
      {"services: {web: {image: x, volumes: [{type: npipe, target: /x}]}}",
       "of the type \"npipe\""},
      {"services: {web: {image: '${X:?needed}'}}", "the variable X is not set: needed"},
      {"a: 1\n---\nb: 2", "must be one YAML document, not 2"},
      {"services: {web: {image: x}}\nservices: {}", "appears twice"},
  };
  for (const auto& row : rows) {
    const auto requests = Compose(directory, row.text);
    ASSERT_FALSE(requests) << row.text;
    EXPECT_THAT(requests.error().message, HasSubstr(row.sentence));
  }
  EXPECT_FALSE(Compose(directory, "services: {web: {image: x}}", {"db"}));
  EXPECT_FALSE(ReadPlainCompose({"/nonexistent", {}}));
}

json DocumentOf(const Request& request) {
  Image image;
  image.is_known = true;
  Host host;
  host.devices = "/nonexistent";
  const auto draft = DraftOf(request, image, host);
  EXPECT_TRUE(draft) << draft.error().message;
  return draft ? draft->config.document() : json();
}

json MountAt(const json& document, const std::string& destination) {
  for (const json& mount : document["mounts"]) {
    if (mount["destination"] == destination) return mount;
  }
  return {};
}

TEST(Pods, ContainersAreRequests) {
  const Directory directory;
  const auto requests = ReadPods(directory.Write("pod.yaml", R"(
apiVersion: v1
kind: Service
metadata: {name: web}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  template:
    spec:
      hostNetwork: true
      hostPID: true
      securityContext: {runAsUser: 1000, runAsGroup: 1000, fsGroup: 2000,
                        seccompProfile: {type: RuntimeDefault}}
      initContainers:
      - {name: init, image: box, command: [true]}
      containers:
      - name: web
        image: nginx:1.27
        args: [-g, "daemon off;"]
        securityContext:
          allowPrivilegeEscalation: false
          readOnlyRootFilesystem: true
          capabilities: {drop: [ALL], add: [NET_BIND_SERVICE]}
          runAsUser: 101
        resources: {limits: {memory: 64Mi, cpu: 500m}}
        volumeMounts:
        - {name: host, mountPath: /host, readOnly: true}
        - {name: cache, mountPath: /cache}
        - {name: settings, mountPath: /etc/settings}
      volumes:
      - {name: host, hostPath: {path: /etc}}
      - {name: cache, emptyDir: {}}
      - {name: settings, configMap: {name: x}}
)"));
  ASSERT_TRUE(requests) << requests.error().message;
  ASSERT_EQ(requests->size(), 2U);
  EXPECT_EQ(requests->at(0).title, "Deployment shop/web, init container init");
  const Request& web = requests->at(1);
  EXPECT_EQ(web.pod_namespace, "shop");
  const json document = DocumentOf(web);
  EXPECT_EQ(document["process"]["user"],
            (json{{"uid", 101}, {"gid", 1000}, {"additionalGids", {1000, 2000}}}));
  EXPECT_EQ(document["process"]["capabilities"], (json{{"bounding", {"CAP_NET_BIND_SERVICE"}},
                                                       {"effective", {"CAP_NET_BIND_SERVICE"}},
                                                       {"permitted", {"CAP_NET_BIND_SERVICE"}}}));
  EXPECT_EQ(document["process"]["noNewPrivileges"], true);
  EXPECT_EQ(document["root"]["readonly"], true);
  EXPECT_EQ(document["linux"]["resources"]["memory"],
            (json{{"limit", 64 << 20}, {"swap", 64 << 20}}));
  EXPECT_EQ(document["linux"]["resources"]["cpu"],
            (json{{"period", 100000}, {"quota", 50000}, {"shares", 512}}));
  EXPECT_TRUE(document["linux"].contains("seccomp"));
  EXPECT_EQ(MountAt(document, "/host")["source"], "/etc");
  EXPECT_EQ(MountAt(document, "/host")["options"], (json{"rbind", "rprivate", "ro"}));
  EXPECT_THAT(MountAt(document, "/cache")["source"].get<std::string>(),
              HasSubstr("/volumes/kubernetes.io~empty-dir/cache"));
  EXPECT_EQ(MountAt(document, "/etc/settings")["options"], (json{"rbind", "rprivate", "ro"}));
  EXPECT_EQ(document["linux"]["namespaces"],
            (json{{{"type", "pid"}, {"path", "/proc/host/ns/pid"}},
                  {{"type", "ipc"}, {"path", "/proc/sandbox/ns/ipc"}},
                  {{"type", "uts"}, {"path", "/proc/host/ns/uts"}},
                  {{"type", "mount"}},
                  {{"type", "network"}, {"path", "/proc/host/ns/network"}}}));
}

TEST(Pods, MayBePrivilegedUnmaskedAndShareHostNamespaces) {
  const Directory directory;
  const auto requests = ReadPods(directory.Write("pod.json", R"(
{"kind": "List", "items": [{"kind": "Pod", "metadata": {"name": "p"}, "spec": {
  "hostUsers": false, "hostIPC": true, "shareProcessNamespace": true,
  "containers": [{"name": "c", "image": "box",
                  "securityContext": {"privileged": true, "procMount": "Unmasked"}}],
  "ephemeralContainers": [{"name": "e", "image": "box", "targetContainerName": "c"}]}}]}
)"));
  ASSERT_TRUE(requests) << requests.error().message;
  ASSERT_EQ(requests->size(), 2U);
  const json document = DocumentOf(requests->front());
  EXPECT_FALSE(document["linux"].contains("seccomp"));
  EXPECT_FALSE(document["linux"].contains("maskedPaths"));
  EXPECT_EQ(document["linux"]["resources"]["devices"],
            (json{{{"allow", true}, {"access", "rwm"}}}));
  EXPECT_EQ(document["linux"]["uidMappings"][0]["size"], 65536);
  EXPECT_EQ(MountAt(document, "/dev/shm")["source"], "/dev/shm");
  EXPECT_EQ(requests->at(1).namespaces.at("pid"), "container:c");
}

TEST(Pods, WhatIsNotUnderstoodIsAnError) {
  const Directory directory;
  const std::string pod = "kind: Pod\nmetadata: {name: p}\nspec: ";
  const struct {
    std::string text;
    const char* sentence;
  } rows[] = {
      {pod + "{containers: [{name: c, image: x, securityContxt: {}}]}",
       "containers c: unknown key \"securityContxt\"; did you mean \"securityContext\"?"},
      {pod + "{hostNetwrk: true, containers: []}", "did you mean \"hostNetwork\"?"},
      {pod + "{containers: [{name: c, image: x, securityContext: {privilged: true}}]}",
       "did you mean \"privileged\"?"},
      {pod + "{containers: []}", "has no containers"},
      {pod + "{containers: [{name: c}]}", "has no image"},
      {pod + "{containers: [{name: c, image: x, volumeMounts: [{name: v, mountPath: /x}]}]}",
       "the pod has no volume \"v\""},
      {pod + "{containers: [{name: c, image: x, resources: {limits: {memory: much}}}]}",
       "\"much\" is not a quantity"},
      {pod + "{containers: [{name: c, image: x, securityContext: {runAsNonRoot: true, runAsUser: "
             "0}}]}",
       "the kubelet refuses it"},
      {"kind: Service", "has no Pod"},
      {"- a", "is not a mapping"},
      {"a: b", "has no \"kind\""},
      {"kind: Deployment\nspec: {}", "has no /spec/template"},
  };
  for (const auto& row : rows) {
    const auto requests = ReadPods(directory.Write("pod.yaml", row.text));
    ASSERT_FALSE(requests) << row.text;
    EXPECT_THAT(requests.error().message, HasSubstr(row.sentence));
  }
}

}  // namespace
}  // namespace runclad::draft::files_test
