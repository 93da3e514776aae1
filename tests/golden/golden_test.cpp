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

// A row of verdicts.tsv. A verdict is "refused by RULE", or which rules rewrite, told as what is
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
  std::map<std::string, std::set<std::string>> usual;  // by "docker restricted"
};

// The cells of each line of a table that is no comment.
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

// Where the engine has the bundle.
std::string BundleOf(const std::string& engine, const std::string& id) {
  const std::string plugin = "/io.containerd.runtime.v2.task/";
  const std::string tasks = "/run/containerd" + plugin;
  if (engine == "docker") return tasks + "moby/" + id;
  if (engine == "ctr") return tasks + "default/" + id;
  if (engine == "containerd-cri") return "/run/ident/cri" + plugin + "k8s.io/" + id;
  return "/var/lib/containers/storage/vfs-containers/" + id + "/userdata";
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
    rules::Facts facts = FactsOf(name, text, *spec, policy);
    if (has_apparmor) {
      facts.lsm.apparmor = true;
      facts.lsm.apparmor_default = "docker-default";
    }
    return enforce::Decide(*std::move(spec), policy, facts, rules::Scope::kContainer);
  }

 private:
  rules::Facts FactsOf(const std::string& name, const std::string& text, const oci::Spec& spec,
                       const policy::Effective& policy) {
    const auto json = nlohmann::json::parse(text);
    const std::string engine = name.substr(0, name.find('/'));
    const std::string id = IdOf(json);
    const std::string bundle = BundleOf(engine, id);
    fs::create_directories(bundle + "/rootfs");
    host_.MakeFilesOf(engine, name.substr(name.find('/') + 1), id, text);
    if (engine == "containerd-cri" || engine == "ctr") {
      const std::string work = "/var/lib/containerd" + bundle.substr(bundle.find("/io.containerd"));
      fs::create_directories(work);
      if (!fs::exists(bundle + "/work")) fs::create_symlink(work, bundle + "/work");
    }
    const enforce::Request request{id, bundle, engine == "podman" ? "" : kRuntimeRoot, &records_};
    enforce::Subject subject = enforce::FindSubject(spec, request);
    if (engine == "containerd-cri") AddPodTo(subject, json);
    // The engines' records of these containers are not here; in them it is the container's layer.
    const std::string root = spec.root_path();
    const bool is_layer = root.ends_with("/merged") || root.find("/vfs/dir/") != std::string::npos;
    if (is_layer) subject.identity.own_layer = root;
    rules::Facts facts = *enforce::GatherFacts(spec, policy, request, subject);
    if (facts.kernel.capabilities != 0) facts.kernel.capabilities = kCapabilitiesOfCorpus;
    return facts;
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

TEST(GoldenTable, HasEveryDocumentOfTheCorpus) {
  std::set<std::string> documents;
  for (const auto& entry : fs::recursive_directory_iterator(kCorpus)) {
    if (entry.path().extension() != ".json") continue;
    documents.insert(fs::relative(entry.path(), kCorpus).replace_extension().string());
  }
  std::set<std::string> rows;
  for (const Row& row : ReadTable().rows) EXPECT_TRUE(rows.insert(row.document).second);
  EXPECT_EQ(rows, documents);
}

class Golden : public ::testing::Test {
 protected:
  static std::string Verdict(const enforce::Decision& decision, const std::string& document,
                             const std::string& profile) {
    static const Table table = ReadTable();
    std::string kind = document.substr(0, document.find('/'));
    if (document.ends_with(".process")) kind = "exec";
    if (document.starts_with("containerd-cri/sandbox_")) kind = "sandbox";
    const auto usual = table.usual.find(kind + " " + profile);
    return Told(decision, usual == table.usual.end() ? std::set<std::string>() : usual->second);
  }
};

TEST_F(Golden, EveryDocumentGetsTheVerdictThatAPersonWouldExpect) {
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

TEST_F(Golden, SoDoDocumentsThatAskForSomethingElse) {
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

TEST_F(Golden, EveryRemedyLetsItsFindingPassAndNothingElse) {
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
