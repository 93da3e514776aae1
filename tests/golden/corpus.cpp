#include "corpus.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "runclad/enforce/process_policy.hpp"
#include "runclad/enforce/record.hpp"
#include "runclad/sys/process.hpp"

#include "test_paths.hpp"

namespace runclad::golden {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCorpus = RUNCLAD_TEST_DATA "/data/corpus/";
constexpr const char* kRuntimeRoot = "/run/ident/docker2/runtime-runclad/moby";

// The bounding set of the machine that the corpus was made on: everything but SYS_RESOURCE.
constexpr std::uint64_t kCapabilitiesOfCorpus = 0x1fffeffffff;

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// The cells of each line of a table that is not a comment.
std::vector<std::vector<std::string>> ReadCells(const std::string& name) {
  std::vector<std::vector<std::string>> rows;
  std::ifstream file(RUNCLAD_TEST_DATA "/golden/" + name);
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.starts_with("#")) continue;
    std::stringstream columns(line);
    std::vector<std::string>& cells = rows.emplace_back();
    for (std::string cell; std::getline(columns, cell, '\t');) cells.push_back(cell);
  }
  return rows;
}

struct Place {
  std::string engine;  // as the first folders of the corpus name it
  std::string tasks;   // where it has its bundles: <tasks>/<id>, podman's <tasks>/<id>/userdata
  std::string root = "/var/lib/containerd";  // of containerd
};

const Place& PlaceOf(const std::string& document) {
  static const std::string task = "/io.containerd.runtime.v2.task/";
  static const std::map<std::string, Place> places = {
      {"docker", {"docker", "/run/containerd" + task + "moby"}},
      {"docker28", {"docker", "/run/containerd" + task + "moby"}},
      {"ctr", {"ctr", "/run/containerd" + task + "default"}},
      {"containerd-cri", {"containerd-cri", "/run/ident/cri" + task + "k8s.io"}},
      {"containerd21", {"containerd-cri", "/run/containerd" + task + "k8s.io"}},
      {"podman", {"podman", "/var/lib/containers/storage/vfs-containers"}},
      {"podman58", {"podman", "/var/lib/containers/storage/overlay-containers"}},
      // Made by hand, by what these engines document: tests/data/corpus/README.md.
      {"nerdctl", {"ctr", "/run/containerd" + task + "default"}},
      {"nerdctl/namespace", {"ctr", "/run/containerd" + task + "shop"}},
      {"k3s",
       {"containerd-cri", "/run/k3s/containerd" + task + "k8s.io",
        "/var/lib/rancher/k3s/agent/containerd"}},
  };
  const auto own = places.find(document);
  return own != places.end() ? own->second : places.at(FolderOf(document));
}

// Where the engine has the bundle.
std::string BundleOf(const std::string& document, const std::string& id) {
  const Place& place = PlaceOf(document);
  return place.tasks + '/' + id + (place.engine == "podman" ? "/userdata" : "");
}

std::string IdOf(const nlohmann::json& spec) {
  std::string path = spec.at("linux").at("cgroupsPath");
  path.erase(0, path.rfind('/') + 1);
  return path.starts_with("libpod-") ? path.substr(std::string("libpod-").size()) : path;
}

// What containerd's own state would say of the pod; its metadata is not in the corpus.
void AddPodTo(enforce::Subject& subject, const nlohmann::json& spec) {
  subject.pod.sandbox = spec.at("annotations").at("io.kubernetes.cri.sandbox-id");
  subject.pod.uid = "5d1e0cbf-9c4e-4a55-8d43-c3a5cf4ab3a2";
  for (const nlohmann::json& entry : spec.at("linux").at("namespaces")) {
    const std::string path = entry.value("path", "");
    if (path.starts_with("/var/run/netns/")) subject.pod.network_namespace = path;
  }
  subject.identity.config_digest = "sha256:" + std::string(64, 'a');
  subject.identity.pod_namespace = "default";
  subject.identity.is_sandbox = spec.at("process").at("args") == nlohmann::json{"/pause"};
}

}  // namespace

std::vector<ChangedRow> ReadChanged() {
  std::vector<ChangedRow> rows;
  for (const auto& cells : ReadCells("changed.tsv")) {
    rows.push_back({cells.at(0), cells.at(1), cells.at(2), cells.at(3), cells.at(4), cells.at(5),
                    cells.size() > 6 && cells[6] == "apparmor"});
  }
  return rows;
}

Table ReadTable() {
  Table table;
  for (const auto& cells : ReadCells("verdicts.tsv")) {
    if (cells[0].starts_with("@")) {
      std::stringstream words(cells.at(1));
      for (std::string word; words >> word;) table.usual[cells[0].substr(1)].insert(word);
    } else if (cells.at(1) == "open") {
      table.open.push_back(cells[0]);
    } else {
      table.rows.push_back({cells.at(0), cells.at(1), cells.at(2)});
    }
  }
  return table;
}

std::set<std::string> Documents() {
  std::set<std::string> documents;
  for (const auto& entry : fs::recursive_directory_iterator(kCorpus)) {
    if (entry.path().extension() != ".json") continue;
    documents.insert(fs::relative(entry.path(), kCorpus).replace_extension().string());
  }
  return documents;
}

std::string FolderOf(const std::string& document) { return document.substr(0, document.find('/')); }

policy::Effective PolicyOf(const std::string& profile, const std::string& rules) {
  auto policy = policy::Parse(R"({"extends":")" + profile + R"(","rules":)" + rules + "}",
                              "policy.json", rules::Schemas());
  EXPECT_TRUE(policy) << policy.error().message;
  return *std::move(policy);
}

void AddAppArmor(rules::Facts& facts) {
  facts.Get<rules::LsmFacts>().apparmor = true;
  facts.Get<rules::LsmFacts>().apparmor_default = "docker-default";
}

Corpus::Corpus() : records_(MakeRecords()) {
  for (const auto& [pid, process] : host_.stand_ins()) {
    enforce::Record record;
    record.id = process.container;
    record.bundle = "/run/bundle/" + process.container;
    record.pid = pid;
    record.start_time = sys::StartTime(pid).value_or(0);
    EXPECT_TRUE(enforce::WriteRecord(records_, record));
  }
}

oci::Spec Corpus::Parse(const Request& request) const {
  const auto parsed = [&](Result<oci::Spec> spec) {
    EXPECT_TRUE(spec) << request.document << ' ' << request.patch << ": " << spec.error().message;
    return *std::move(spec);
  };
  if (request.is_update) return parsed(oci::Spec::ParseResources(request.patch));
  std::string text = host_.Moved(ReadFile(kCorpus + request.document + ".json"));
  if (!request.patch.empty()) {
    text = nlohmann::json::parse(text).patch(nlohmann::json::parse(request.patch)).dump();
  }
  const bool is_exec = request.document.ends_with(".process");
  return parsed(is_exec ? oci::Spec::ParseProcess(text) : oci::Spec::Parse(text));
}

nlohmann::json Corpus::Document(const Request& request) const { return Parse(request).document(); }

enforce::Decision Corpus::Judge(const Request& request, const policy::Effective& policy) {
  oci::Spec spec = Parse(request);
  if (request.is_update) {
    return enforce::Decide(std::move(spec), policy, {}, rules::Scope::kUpdate);
  }
  rules::Facts facts;
  if (!request.document.ends_with(".process")) {
    facts = FactsOf(spec, policy, Prepare(request.document, spec));
    if (request.facts) request.facts(facts);
    return enforce::Decide(std::move(spec), policy, facts, rules::Scope::kContainer);
  }
  if (request.facts) request.facts(facts);
  if (request.container.empty()) {
    return enforce::Decide(std::move(spec), policy, facts, rules::Scope::kProcess);
  }
  const auto container = oci::Spec::ParseProcess(request.container);
  EXPECT_TRUE(container) << request.container;
  return enforce::Decide(std::move(spec), enforce::ProcessPolicy(policy, *container, facts), facts,
                         rules::Scope::kProcess);
}

void Corpus::ExpectNoRuleNeedsAnother(const std::string& name, const policy::Effective& policy) {
  const oci::Spec spec = Parse({name});
  const Prepared prepared = Prepare(name, spec);
  rules::Facts all = FactsOf(spec, policy, prepared);
  for (const rules::Rule* rule : rules::Catalog()) {
    if (rule->check.questions == 0) continue;
    policy::Effective alone = policy;
    for (auto& [id, setting] : alone.rules) {
      if (id != rule->id()) setting.action = policy::Action::kOff;
    }
    std::vector<std::string> found = FoundBy(*rule, spec, alone, FactsOf(spec, alone, prepared));
    std::vector<std::string> expected = FoundBy(*rule, spec, policy, all);
    // Engines at work on this machine may have mounted something between the two.
    constexpr int kMoreTries = 3;
    for (int i = 0; i < kMoreTries && found != expected; ++i) {
      all = FactsOf(spec, policy, prepared);
      expected = FoundBy(*rule, spec, policy, all);
      found = FoundBy(*rule, spec, alone, FactsOf(spec, alone, prepared));
    }
    EXPECT_EQ(found, expected) << rule->id() << " in " << name;
  }
}

// The container is the one of the document in the corpus, whatever is changed in it.
Corpus::Prepared Corpus::Prepare(const std::string& name, const oci::Spec& spec) {
  const auto json = nlohmann::json::parse(ReadFile(kCorpus + name + ".json"));
  const std::string& engine = PlaceOf(name).engine;
  const std::string id = IdOf(json);
  const std::string bundle = BundleOf(name, id);
  fs::create_directories(bundle + "/rootfs");
  host_.MakeFilesOf(engine, name.substr(name.find('/') + 1), id, spec.Write());
  if (engine == "containerd-cri" || engine == "ctr") {
    const std::string work = PlaceOf(name).root + bundle.substr(bundle.find("/io.containerd"));
    fs::create_directories(work);
    if (!fs::exists(bundle + "/work")) fs::create_symlink(work, bundle + "/work");
  }
  const enforce::Request request{id, bundle, engine == "podman" ? "" : kRuntimeRoot, &records_};
  enforce::Subject subject = enforce::FindSubject(spec, request);
  if (engine == "containerd-cri") AddPodTo(subject, spec.document());
  // The engines' records of these containers are not here; in them it is the container's layer.
  const std::string root = spec.root_path();
  for (const char* place :
       {"/merged", "/vfs/dir/", "/rootfs/overlayfs/", "/var/tmp/intermediate-mountpoint-"}) {
    if (root.find(place) != std::string::npos) subject.identity.own_layer = root;
  }
  return {request, std::move(subject)};
}

rules::Facts Corpus::FactsOf(const oci::Spec& spec, const policy::Effective& policy,
                             const Prepared& prepared) {
  rules::Facts facts = *enforce::GatherFacts(spec, policy, prepared.request, prepared.subject);
  auto& capabilities = facts.Get<rules::KernelFacts>().capabilities;
  if (capabilities != 0) capabilities = kCapabilitiesOfCorpus;
  return facts;
}

std::vector<std::string> Corpus::FoundBy(const rules::Rule& rule, const oci::Spec& spec,
                                         const policy::Effective& policy,
                                         const rules::Facts& facts) {
  std::vector<std::string> found;
  for (const rules::Finding& finding :
       rule.check.run(spec, {policy.rule(rule.id()).parameters}, facts)) {
    found.push_back(finding.path + ' ' + finding.code->id + ' ' + finding.why + ' ' +
                    finding.after.Dump());
  }
  return found;
}

store::Records Corpus::MakeRecords() {
  fs::create_directories(kRuntimeRoot);
  auto records = store::Records::Open(kRuntimeRoot, /*create=*/true);
  EXPECT_TRUE(records) << records.error().message;
  return *std::move(records);
}

}  // namespace runclad::golden
