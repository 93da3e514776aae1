// Long: one loop over the corpus asks all questions. Every document of the corpus against the
// verdict that a person gave it: verdicts.tsv, case by case. The documents are real engines', and
// so is everything that decides: the facts are gathered from the host that they were made on, built
// again (host.hpp).
#include <sys/mount.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "runclad/enforce/decision.hpp"
#include "runclad/enforce/record.hpp"
#include "runclad/enforce/subject.hpp"
#include "runclad/sys/process.hpp"

#include "ctl/remedies.hpp"
#include "host.hpp"
#include "mount_namespace.hpp"
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

// A row of verdicts.tsv. A verdict is "refused by RULE", or which rules rewrite, given as what is
// more (+), less (-) or only warned of (?) than what the engine's default document gets.
struct Row {
  std::string document;  // "docker/default"
  std::string restricted;
  std::string baseline;
};

// A row of changed.tsv: a document of the corpus with something else asked for.
struct ChangedRow {
  std::string name;
  std::string document;
  std::string patch;  // JSON Patch
  std::string rules;  // of the policy, over the profile's
  std::string restricted;
  std::string baseline;
  bool has_apparmor = false;  // the host, with Docker's profile loaded
};

struct Table {
  std::vector<Row> rows;
  std::vector<std::string> open;  // documents without a verdict: runclad is wrong about them
  std::map<std::string, std::set<std::string>> usual;  // by "docker restricted"
};

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

std::string Told(const enforce::Decision& decision, const std::set<std::string>& usual) {
  std::set<std::string> fixed;
  std::set<std::string> warned;
  for (const enforce::Applied& applied : decision.findings) {
    const std::string id(applied.rule->id());
    if (applied.disposition == enforce::Disposition::kRefused) return "refused by " + id;
    (applied.disposition == enforce::Disposition::kFixed ? fixed : warned).insert(id);
  }
  std::string told = "usual";
  for (const std::string& id : fixed) {
    if (!usual.contains(id)) told += " +" + id;
  }
  for (const std::string& id : usual) {
    if (!id.starts_with('?') && !fixed.contains(id)) told += " -" + id;
  }
  for (const std::string& id : warned) {
    if (!usual.contains("?" + id)) told += " ?" + id;
  }
  for (const std::string& id : usual) {
    if (id.starts_with('?') && !warned.contains(id.substr(1))) told += " -" + id;
  }
  return told;
}

// `rules`: what the policy says beyond the profile, as its member "rules".
policy::Effective PolicyOf(const std::string& profile, const std::string& rules = "{}") {
  auto policy = policy::Parse(R"({"extends":")" + profile + R"(","rules":)" + rules + "}",
                              "policy.json", rules::Schemas());
  EXPECT_TRUE(policy) << policy.error().message;
  return *std::move(policy);
}

// "docker28/init": a folder is an engine, some with its version.
std::string FolderOf(const std::string& document) { return document.substr(0, document.find('/')); }

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

class Corpus {
 public:
  Corpus() : records_(MakeRecords()) {
    for (const auto& [pid, process] : host_.stand_ins()) {
      enforce::Record record;
      record.id = process.container;
      record.bundle = "/run/bundle/" + process.container;
      record.pid = pid;
      record.start_time = sys::StartTime(pid).value_or(0);
      EXPECT_TRUE(enforce::WriteRecord(records_, record));
    }
  }

  // `patch`: a JSON Patch of the document; empty: none.
  enforce::Decision Judge(const std::string& name, const policy::Effective& policy,
                          const std::string& patch = {}, bool has_apparmor = false) {
    std::string text = host_.Moved(ReadFile(kCorpus + name + ".json"));
    if (!patch.empty()) {
      text = nlohmann::json::parse(text).patch(nlohmann::json::parse(patch)).dump();
    }
    if (name.ends_with(".process")) {
      auto process = oci::Spec::ParseProcess(text);
      EXPECT_TRUE(process) << name;
      return enforce::Decide(*std::move(process), policy, {}, rules::Scope::kProcess);
    }
    auto spec = oci::Spec::Parse(text);
    EXPECT_TRUE(spec) << name;
    rules::Facts facts = FactsOf(*spec, policy, Prepare(name, text, *spec));
    if (has_apparmor) {
      facts.Get<rules::LsmFacts>().apparmor = true;
      facts.Get<rules::LsmFacts>().apparmor_default = "docker-default";
    }
    return enforce::Decide(*std::move(spec), policy, facts, rules::Scope::kContainer);
  }

  // Each rule finds in the document with all others off what it finds with them on.
  void ExpectNoRuleNeedsAnother(const std::string& name, const policy::Effective& policy) {
    const std::string text = host_.Moved(ReadFile(kCorpus + name + ".json"));
    const auto spec = oci::Spec::Parse(text);
    ASSERT_TRUE(spec) << name;
    const Prepared prepared = Prepare(name, text, *spec);
    rules::Facts all = FactsOf(*spec, policy, prepared);
    for (const rules::Rule* rule : rules::Catalog()) {
      if (rule->check.questions == 0) continue;
      policy::Effective alone = policy;
      for (auto& [id, setting] : alone.rules) {
        if (id != rule->id()) setting.action = policy::Action::kOff;
      }
      std::vector<std::string> found =
          FoundBy(*rule, *spec, alone, FactsOf(*spec, alone, prepared));
      std::vector<std::string> expected = FoundBy(*rule, *spec, policy, all);
      // Engines at work on this machine may have mounted something between the two.
      constexpr int kMoreTries = 3;
      for (int i = 0; i < kMoreTries && found != expected; ++i) {
        all = FactsOf(*spec, policy, prepared);
        expected = FoundBy(*rule, *spec, policy, all);
        found = FoundBy(*rule, *spec, alone, FactsOf(*spec, alone, prepared));
      }
      EXPECT_EQ(found, expected) << rule->id() << " in " << name;
    }
  }

 private:
  struct Prepared {
    enforce::Request request;
    enforce::Subject subject;
  };
  // With what belongs to the document on this host.
  Prepared Prepare(const std::string& name, const std::string& text, const oci::Spec& spec) {
    const auto json = nlohmann::json::parse(text);
    const std::string& engine = PlaceOf(name).engine;
    const std::string id = IdOf(json);
    const std::string bundle = BundleOf(name, id);
    fs::create_directories(bundle + "/rootfs");
    host_.MakeFilesOf(engine, name.substr(name.find('/') + 1), id, text);
    if (engine == "containerd-cri" || engine == "ctr") {
      const std::string work = PlaceOf(name).root + bundle.substr(bundle.find("/io.containerd"));
      fs::create_directories(work);
      if (!fs::exists(bundle + "/work")) fs::create_symlink(work, bundle + "/work");
    }
    const enforce::Request request{id, bundle, engine == "podman" ? "" : kRuntimeRoot, &records_};
    enforce::Subject subject = enforce::FindSubject(spec, request);
    if (engine == "containerd-cri") AddPodTo(subject, json);
    // The engines' records of these containers are not here; in them it is the container's layer.
    const std::string root = spec.root_path();
    for (const char* place :
         {"/merged", "/vfs/dir/", "/rootfs/overlayfs/", "/var/tmp/intermediate-mountpoint-"}) {
      if (root.find(place) != std::string::npos) subject.identity.own_layer = root;
    }
    return {request, std::move(subject)};
  }

  static rules::Facts FactsOf(const oci::Spec& spec, const policy::Effective& policy,
                              const Prepared& prepared) {
    rules::Facts facts = *enforce::GatherFacts(spec, policy, prepared.request, prepared.subject);
    auto& capabilities = facts.Get<rules::KernelFacts>().capabilities;
    if (capabilities != 0) capabilities = kCapabilitiesOfCorpus;
    return facts;
  }

  // "path code why", of the document as it is.
  static std::vector<std::string> FoundBy(const rules::Rule& rule, const oci::Spec& spec,
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

  static store::Records MakeRecords() {
    fs::create_directories(kRuntimeRoot);
    auto records = store::Records::Open(kRuntimeRoot, /*create=*/true);
    EXPECT_TRUE(records) << records.error().message;
    return *std::move(records);
  }

  Host host_;  // first: it mounts what everything else is made in
  store::Records records_;
};

TEST(GoldenTable, CoversTheCorpus) {
  std::set<std::string> documents;
  for (const auto& entry : fs::recursive_directory_iterator(kCorpus)) {
    if (entry.path().extension() != ".json") continue;
    documents.insert(fs::relative(entry.path(), kCorpus).replace_extension().string());
  }
  const Table table = ReadTable();
  std::set<std::string> rows(table.open.begin(), table.open.end());
  for (const Row& row : table.rows) EXPECT_TRUE(rows.insert(row.document).second);
  EXPECT_EQ(rows, documents);
}

class Golden : public ::testing::Test {
 protected:
  static std::string Verdict(const enforce::Decision& decision, const std::string& document,
                             const std::string& profile) {
    static const Table table = ReadTable();
    std::string kind = FolderOf(document);
    if (document.ends_with(".process")) kind = "exec";
    if (document.starts_with("containerd-cri/sandbox_")) kind = "sandbox";
    if (kind == "containerd21" && document.ends_with("-pod")) kind = "sandbox21";
    if (kind == "k3s") kind = document.ends_with("/sandbox") ? "sandbox" : "containerd-cri";
    const auto usual = table.usual.find(kind + " " + profile);
    return Told(decision, usual == table.usual.end() ? std::set<std::string>() : usual->second);
  }
};

TEST_F(Golden, EveryDocumentGetsTheExpectedVerdict) {
  testing::InPrivateMounts([] {
    const std::pair<std::string, policy::Effective> policies[] = {
        {"restricted", PolicyOf("restricted")}, {"baseline", PolicyOf("baseline")}};
    Corpus corpus;
    for (const Row& row : ReadTable().rows) {
      for (const auto& [profile, policy] : policies) {
        const enforce::Decision decision = corpus.Judge(row.document, policy);
        EXPECT_EQ(Verdict(decision, row.document, profile),
                  profile == "restricted" ? row.restricted : row.baseline)
            << row.document << " under " << profile << ": " << enforce::RefusalSentence(decision);
      }
    }
  });
}

// What a rule reads is asked for that rule, whatever the others are set to.
TEST_F(Golden, EveryRuleFindsTheSameWithTheOthersOff) {
  testing::InPrivateMounts([] {
    Corpus corpus;
    const policy::Effective policy = PolicyOf("restricted");
    for (const Row& row : ReadTable().rows) {
      if (row.document.ends_with(".process")) continue;
      corpus.ExpectNoRuleNeedsAnother(row.document, policy);
    }
  });
}

TEST_F(Golden, EveryVariantGetsTheExpectedVerdict) {
  testing::InPrivateMounts([] {
    Corpus corpus;
    for (const ChangedRow& row : ReadChanged()) {
      for (const std::string profile : {"restricted", "baseline"}) {
        const enforce::Decision decision =
            corpus.Judge(row.document, PolicyOf(profile, row.rules), row.patch, row.has_apparmor);
        EXPECT_EQ(Verdict(decision, row.document, profile),
                  profile == "restricted" ? row.restricted : row.baseline)
            << row.name << " under " << profile << ": " << enforce::RefusalSentence(decision);
      }
    }
  });
}

// Codes of which no finding in these documents has a line of its own, each with the reason.
const std::set<std::string> kWithoutLines = {
    // The engine asked for nothing, and runclad's default was added: there is no value to go back
    // to.
    "device-cgroup/no-denial", "lsm-label/no-profile", "masked-paths/unmasked",
    "no-new-privileges/absent", "pids-limit/unlimited", "rlimits/core-missing", "seccomp/absent",
    "sysctls/own-default",
    // A device that no container needs: the host's console comes with a list that allows more, and
    // this memory is all of the host's.
    "device-cgroup/console", "devices/memory",
    // Every device, or every capability, at once: those that are needed have to be asked for.
    "device-cgroup/everything", "privileged/every-device",
    // The policy's own list says that the file is hidden, and the sentence names the entry.
    "hidden-paths/usable",
    // podman's bind of the host's /sys is only had in its hardened form.
    "host-mounts/engine-sys",
    // A file system of such a type is mounted on the host, and a directory of it bound.
    "host-mounts/kind",
    // A CDI device's read-only bind works without what the host mounts below it later.
    "host-mounts/later-mounts",
    // No call is withheld, only some of its arguments.
    "seccomp/conditions",
    // What could not be examined cannot be named in a list either.
    "host-mounts/unknown", "host-namespaces/unreadable", "image/unknown",
    "read-only-mounts/unknown",
    // The kernel's own file systems and devices are the host's: no setting gives them away.
    "kernel-filesystems/mounted-over", "kernel-filesystems/writable-sys",
    "mount-destinations/device", "read-only-mounts/cgroup", "working-directory/proc",
    // Flags that take nothing that a program of the container's needs: nosuid, nodev.
    "mount-options/flags",
    // What the container mounts may never appear on the host; the engine can ask for less.
    "mount-propagation/mount", "mount-propagation/root",
    // Which directories the image writes only its users know: the remedy is a trial, and the root
    // stays read-only.
    "read-only-rootfs/writable-root",
    // No parameter raises the scheduler's class above that of the host's services.
    "realtime/scheduler",
    // These documents ask for no limit at all, which is no number to allow.
    "rlimits/above-maximum",
    // The host's root, and here only directories below which it or an engine's storage lies.
    "rootfs-path/host-root", "rootfs-path/outside"};

// What a remedy leaves at the same place, or brings along, each with the reason.
const std::set<std::string> kBroughtAlong = {
    // The list is no longer replaced as a whole, and is judged entry by entry.
    "device-cgroup/console",
    // The mount that a waiver names comes without those below it, now and later.
    "host-mounts/later-mounts", "host-mounts/named",
    // Where programs may run, nosuid and nodev are still required.
    "mount-options/flags",
    // A directory of the host that is let in can be written, and so holds no programs.
    "mount-options/programs",
    // The directory is still a tmpfs, now one from which programs run.
    "read-only-rootfs/tmpfs",
    // The calls are allowed now, but not with all arguments.
    "seccomp/conditions"};

std::string CodeOf(const enforce::Applied& applied) {
  return std::string(applied.rule->id()) + "/" + applied.finding.code->id;
}

bool HasLine(const enforce::Applied& applied) {
  const rules::Remedy::Kind kind = applied.finding.remedy.kind;
  return applied.disposition != enforce::Disposition::kWarned &&
         (kind == rules::Remedy::Kind::kSetting || kind == rules::Remedy::Kind::kWaiver);
}

// The policy with the lines that runcladctl why would print.
policy::Effective Remedied(const std::string& profile, const nlohmann::json& rules,
                           const enforce::Decision& decision, const policy::Effective& now) {
  const ctl::PolicyLines lines =
      ctl::LinesFor(ctl::FindingsFrom(decision.findings), now, /*today=*/20000);
  nlohmann::json text = {{"extends", profile}, {"rules", rules}};
  for (const auto& [rule, parameters] : lines.rules.document().items()) {
    for (const auto& [parameter, value] : parameters.items())
      text["rules"][rule][parameter] = value;
  }
  text["waivers"] = lines.waivers.document();
  for (const policy::Fault& fault :
       policy::FindFaults(text.dump(), policy::FileKind::kPolicy, rules::Schemas())) {
    ADD_FAILURE() << fault.message << " in " << text.dump();
  }
  auto policy = policy::Parse(text.dump(), "policy.json", rules::Schemas(), {.today = 20000});
  EXPECT_TRUE(policy) << policy.error().message << " in " << text.dump();
  return policy ? *std::move(policy) : now;
}

// Holds what is found under the remedied policy against what was found before.
void ExpectThatTheyHelped(const enforce::Decision& before, const enforce::Decision& after,
                          const std::string& name) {
  std::set<std::string> had;
  std::set<std::string> lifted;
  for (const enforce::Applied& applied : before.findings) {
    const std::string subject = CodeOf(applied) + " at " + applied.finding.path;
    had.insert(subject);
    if (HasLine(applied)) lifted.insert(subject);
  }
  for (const enforce::Applied& applied : after.findings) {
    const std::string subject = CodeOf(applied) + " at " + applied.finding.path;
    const std::string said = name + ": " + subject + ": " + applied.finding.why;
    EXPECT_FALSE(HasLine(applied) && lifted.contains(subject)) << "is not lifted: " << said;
    EXPECT_TRUE(had.contains(subject) || kBroughtAlong.contains(CodeOf(applied)))
        << "is new: " << said;
  }
}

TEST_F(Golden, EveryRemedyLiftsExactlyItsFinding) {
  testing::InPrivateMounts([] {
    Corpus corpus;
    std::map<std::string, bool> has_line;  // by code
    const auto check = [&](const std::string& name, const std::string& profile,
                           const std::string& rules, const auto& judge) {
      const policy::Effective policy = PolicyOf(profile, rules);
      const enforce::Decision before = judge(policy);
      for (const enforce::Applied& applied : before.findings) {
        if (applied.disposition == enforce::Disposition::kWarned) continue;
        has_line[CodeOf(applied)] |= HasLine(applied);
      }
      const auto after = judge(Remedied(profile, nlohmann::json::parse(rules), before, policy));
      ExpectThatTheyHelped(before, after, name + " under " + profile);
    };
    for (const std::string profile : {"restricted", "baseline"}) {
      for (const Row& row : ReadTable().rows) {
        check(row.document, profile, "{}",
              [&](const auto& policy) { return corpus.Judge(row.document, policy); });
      }
      for (const ChangedRow& row : ReadChanged()) {
        check(row.name, profile, row.rules, [&](const auto& policy) {
          return corpus.Judge(row.document, policy, row.patch, row.has_apparmor);
        });
      }
    }
    std::set<std::string> without;
    for (const auto& [code, has] : has_line) {
      if (!has) without.insert(code);
    }
    // Some documents name / as their root: what stands below its /run is this host's.
    without.erase("read-only-rootfs/special-file");
    EXPECT_EQ(without, kWithoutLines);
  });
}

}  // namespace
}  // namespace runclad::golden
