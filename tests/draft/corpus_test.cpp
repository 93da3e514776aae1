// Drafts beside the documents that real engines wrote for the same request.
#include <algorithm>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "runclad/draft/arguments.hpp"
#include "runclad/draft/draft.hpp"
#include "runclad/enforce/decision.hpp"
#include "runclad/enforce/paper_facts.hpp"
#include "runclad/policy/effective.hpp"
#include "runclad/privilege/capabilities.hpp"
#include "runclad/rules/rule.hpp"

#include "test_paths.hpp"

namespace runclad::draft::corpus_test {
namespace {

using nlohmann::json;

// The machine of the corpus: everything but SYS_RESOURCE, cgroup v1, no AppArmor.
Host CorpusHost() {
  Host host;
  host.kernel_minor = 18;
  for (const std::string& name : privilege::AllCapabilities()) {
    if (name != "CAP_SYS_RESOURCE") host.capabilities.push_back(name);
  }
  host.devices = "/nonexistent";
  return host;
}

json Corpus(const std::string& name) {
  std::ifstream file(std::string(RUNCLAD_TEST_DATA) + "/data/corpus/" + name + ".json");
  return json::parse(file);
}

void DropDuplicates(json& list) {
  json kept = json::array();
  for (const json& element : list) {
    if (std::find(kept.begin(), kept.end(), element) == kept.end()) kept.push_back(element);
  }
  list = kept;
}

void Sort(json& list) {
  std::vector<json> elements(list.begin(), list.end());
  std::sort(elements.begin(), elements.end());
  list = elements;
}

// Without what differs from one container to the next, or between versions of the engine, and
// without what no rule reads.
json Normalized(json document) {
  std::string text = document.dump();
  text = std::regex_replace(text, std::regex("[0-9a-f]{64}"), "ID");
  text = std::regex_replace(text, std::regex("/proc/(container:)?[0-9a-z]+/ns/"), "/proc/N/ns/");
  text = std::regex_replace(text, std::regex("/ns/network"), "/ns/net");
  text = std::regex_replace(text, std::regex("/tmp/safe-mount[^\"]*"), "/tmp/safe-mount");
  text = std::regex_replace(text, std::regex("HOSTNAME=[^\"]*"), "HOSTNAME=h");
  document = json::parse(text);
  for (const char* member : {"ociVersion", "hooks", "hostname", "root"}) {
    if (std::string(member) == "root") {
      document["root"].erase("path");
    } else {
      document.erase(member);
    }
  }
  json& process = document["process"];
  process.erase("args");
  process.erase("oomScoreAdj");
  Sort(process["env"]);
  for (json& set : process["capabilities"]) Sort(set);
  json& section = document["linux"];
  section.erase("cgroupsPath");
  section.erase("devices");  // of the machine
  section["seccomp"] = section.contains("seccomp");
  if (section.contains("resources")) {
    json& resources = section["resources"];
    resources.erase("blockIO");
    if (resources.value("memory", json::object()) == json{{"disableOOMKiller", false}}) {
      resources.erase("memory");
    } else if (resources.contains("memory") &&
               resources["memory"].value("disableOOMKiller", true) == false) {
      resources["memory"].erase("disableOOMKiller");
    }
    if (resources.value("cpu", json::object()).value("shares", 1) == 0)
      resources["cpu"].erase("shares");
    if (resources.value("cpu", json::object()).empty()) resources.erase("cpu");
    if (resources.contains("devices")) DropDuplicates(resources["devices"]);
  }
  if (section.contains("maskedPaths")) {
    DropDuplicates(section["maskedPaths"]);
    Sort(section["maskedPaths"]);
  }
  Sort(section["namespaces"]);
  json mounts = json::object();
  for (const json& mount : document["mounts"]) {
    json entry = mount;
    Sort(entry["options"]);
    mounts[mount["destination"].get<std::string>()] = entry;
  }
  document["mounts"] = mounts;
  if (document.contains("annotations")) {
    json& annotations = document["annotations"];
    for (auto entry = annotations.begin(); entry != annotations.end();) {
      const bool is_own =
          entry.key().starts_with("io.podman.") || entry.key().starts_with("io.kubernetes.cri-o.");
      entry = is_own ? annotations.erase(entry) : std::next(entry);
    }
  }
  return document;
}

// What `restricted` and `baseline` find, each as "rule code".
std::set<std::string> FindingsIn(const json& document, engine::Engine engine) {
  std::set<std::string> findings;
  for (const char* profile : {"restricted", "baseline"}) {
    auto spec = oci::Spec::Parse(document.dump());
    EXPECT_TRUE(spec) << spec.error().message;
    if (!spec) continue;
    const auto policy = policy::Load("/nonexistent", rules::Schemas(),
                                     {.shipped_directory = "/nonexistent", .extends = profile});
    EXPECT_TRUE(policy) << policy.error().message;
    engine::Identity identity;
    identity.engine = engine;
    auto facts = enforce::FactsOnPaper(*spec, *policy, identity, {});
    for (auto& [path, source] : facts.Get<rules::Sources>()) {
      // The files of an engine have other names in each container.
      if (path.find("/containers/") == std::string::npos &&
          path.find("-containers/") == std::string::npos &&
          path.find("/sandboxes/") == std::string::npos &&
          path.find("/volumes/") == std::string::npos &&
          path.find("safe-mount") == std::string::npos) {
        continue;
      }
      source = {};
      source.access = host::SourceFacts::Access::kEngineOwn;
      source.resolved = path;
    }
    for (const oci::Namespace& entry : spec->namespaces()) {
      if (!entry.path.empty())
        facts.Get<rules::Namespaces>()[entry.path].owner = host::NamespaceFacts::Owner::kForeign;
    }
    const auto decision =
        enforce::Decide(*std::move(spec), *policy, facts, rules::Scope::kContainer);
    for (const enforce::Applied& applied : decision.findings) {
      // podman's filter is another one than the one that is drafted.
      const bool is_filter = applied.rule->id() == "seccomp" && engine == engine::Engine::kPodman;
      findings.insert(std::string(profile) + " " + std::string(applied.rule->id()) + " " +
                      (is_filter ? "" : applied.finding.code->id));
    }
  }
  return findings;
}

struct Row {
  const char* corpus;
  std::vector<std::string> options;
};

const Row kDocker[] = {
    {"docker28/bridge", {}},
    {"docker28/bindrecdis", {"--mount", "type=bind,src=/srv/w/d,dst=/b,bind-recursive=disabled"}},
    {"docker28/bindrecro", {"-v", "/srv/w/d:/b:ro"}},
    {"docker28/bindroot", {"-v", "/:/host"}},
    {"docker28/bindrw", {"--volume=/srv/w/d:/b"}},
    {"docker28/bindsock", {"-v/run/docker.sock:/var/run/docker.sock"}},
    {"docker28/capdropall", {"--cap-drop", "all"}},
    {"docker28/capsysadmin", {"--cap-add", "SYS_ADMIN", "--cap-add=cap_bpf"}},
    {"docker28/cgparent", {"--cgroup-parent", "/x"}},
    {"docker28/cgroupnshost", {"--cgroupns", "host"}},
    {"docker28/cgroupnspriv", {"--cgroupns=private"}},
    {"docker28/cwdfd", {"-w", "/proc/self/fd/7"}},
    {"docker28/devrule", {"--device-cgroup-rule", "b *:* rwm"}},
    {"docker28/domain", {"--hostname", "host", "--domainname", "d.example"}},
    {"docker28/ipchost", {"--ipc", "host"}},
    {"docker28/limits",
     {"-m", "64m", "--memory-swap", "64m", "--cpus", "0.5", "--cpuset-cpus", "0", "--pids-limit",
      "50", "--oom-score-adj", "100", "--ulimit", "nofile=512"}},
    {"docker28/netcont", {"--network", "container:peer"}},
    {"docker28/nethost", {"--net=host"}},
    {"docker28/nnp", {"--security-opt", "no-new-privileges"}},
    {"docker28/pidcont", {"--pid", "container:peer"}},
    {"docker28/pidhost", {"--pid=host"}},
    {"docker28/s-anno", {"--annotation", "a.b/c=d", "--annotation", "run.oci.hooks.stderr=/x"}},
    {"docker28/s-capaddall", {"--cap-add", "ALL"}},
    {"docker28/s-privileged", {"--privileged", "-u", "1000:1000"}},
    {"docker28/s-systempaths", {"--security-opt", "systempaths=unconfined"}},
    {"docker28/s-volume", {"-v", "vol1:/v"}},
    {"docker28/s-volsub", {"--mount", "type=volume,src=vol1,dst=/v,volume-subpath=s"}},
    {"docker28/s-writablecg", {"--security-opt", "writable-cgroups=true"}},
    {"docker28/tmpfsexec", {"--tmpfs", "/x:exec,uid=1000"}},
    {"docker28/usernshost", {"--userns", "host"}},
    {"docker28/utshost", {"--uts", "host"}},
    {"docker28/volnocopy", {"-v", "vol1:/v:nocopy,ro"}},
};

const Row kPodman[] = {
    {"podman58/capdropall", {"--cap-drop", "ALL"}},
    {"podman58/capaddall", {"--cap-add", "ALL"}},
    {"podman58/ipchost", {"--ipc", "host"}},
    {"podman58/limits", {"-m", "64m", "--cpus", ".5", "--pids-limit", "50"}},
    {"podman58/nnp", {"--security-opt", "no-new-privileges"}},
    {"podman58/pidhost", {"--pid", "host"}},
    {"podman58/privileged", {"--privileged"}},
    {"podman58/readonly", {"--read-only"}},
    {"podman58/sysctl", {"--sysctl", "kernel.msgmax=65536"}},
    {"podman58/tmpfs", {"--tmpfs", "/t:size=1m"}},
    {"podman58/utshost", {"--uts", "host"}},
    {"podman58/volroot", {"-v", "/:/host"}},
};

Draft DraftFor(const Row& row, const char* program) {
  std::vector<std::string> arguments = {program, "run"};
  arguments.insert(arguments.end(), row.options.begin(), row.options.end());
  arguments.insert(arguments.end(), {"box", "true"});
  const auto request = ReadArguments(arguments);
  EXPECT_TRUE(request) << request.error().message;
  if (!request) return {};
  Image image;
  image.is_known = true;
  auto draft = DraftOf(*request, image, CorpusHost());
  EXPECT_TRUE(draft) << draft.error().message;
  return draft ? *std::move(draft) : Draft();
}

void Compare(const Row& row, const char* program, engine::Engine engine) {
  SCOPED_TRACE(row.corpus);
  const json drafted = DraftFor(row, program).config.document();
  json real = Corpus(row.corpus);
  json ours = drafted;
  if (engine == engine::Engine::kPodman) {
    // From the machine's containers.conf, and a file that --network none does not have.
    real["process"].erase("rlimits");
    for (json* document : {&real, &ours}) {
      json mounts = json::array();
      for (const json& mount : (*document)["mounts"]) {
        if (mount["destination"] != "/etc/resolv.conf") mounts.push_back(mount);
      }
      (*document)["mounts"] = mounts;
      (*document)["process"]["env"] = json::array();
    }
  }
  // Every device of that machine.
  if (!ours["linux"].contains("devices") && real["linux"].contains("devices")) {
    ours["linux"]["devices"] = real["linux"]["devices"];
  }
  const json left = Normalized(ours);
  const json right = Normalized(real);
  EXPECT_EQ(left, right) << json::diff(right, left).dump(1);
  EXPECT_EQ(FindingsIn(ours, engine), FindingsIn(real, engine));
}

TEST(Corpus, DocumentsEqualThoseOfDocker) {
  for (const Row& row : kDocker) Compare(row, "docker", engine::Engine::kDocker);
}

TEST(Corpus, DocumentsEqualThoseOfPodman) {
  for (const Row& row : kPodman) Compare(row, "podman", engine::Engine::kPodman);
}

}  // namespace
}  // namespace runclad::draft::corpus_test
