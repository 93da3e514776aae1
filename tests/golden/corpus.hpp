// The documents of the corpus, what people expect of them, and the decision about each of them on
// the host that they were made on.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "runclad/enforce/decision.hpp"
#include "runclad/enforce/facts.hpp"
#include "runclad/enforce/subject.hpp"

#include "host.hpp"

namespace runclad::golden {

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

Table ReadTable();
std::vector<ChangedRow> ReadChanged();

// The name of every document: "docker/default".
std::set<std::string> Documents();
// "docker28/init": a folder is an engine, some with its version.
std::string FolderOf(const std::string& document);

// `rules`: what the policy says beyond the profile, as its member "rules".
policy::Effective PolicyOf(const std::string& profile, const std::string& rules = "{}");

// What is asked of the engine, and what the host answers.
struct Request {
  std::string document;    // of the corpus
  std::string patch = {};  // JSON Patch; empty: none
  // Changes what the host of the corpus answers.
  std::function<void(rules::Facts&)> facts = {};
  // The process.json of the container that an exec is in; empty: the exec is judged as a create is.
  std::string container = {};
  bool is_update = false;  // `patch` is the /linux/resources of an update of limits
};

// Docker's profile of AppArmor is loaded.
void AddAppArmor(rules::Facts& facts);

class Corpus {
 public:
  // Inside testing::InPrivateMounts, as root.
  Corpus();

  enforce::Decision Judge(const Request& request, const policy::Effective& policy);
  // What the engine hands to the runtime, as a config.json.
  [[nodiscard]] nlohmann::json Document(const Request& request) const;
  // Each rule finds in the document with all others off what it finds with them on.
  void ExpectNoRuleNeedsAnother(const std::string& name, const policy::Effective& policy);

 private:
  struct Prepared {
    enforce::Request request;
    enforce::Subject subject;
  };

  [[nodiscard]] oci::Spec Parse(const Request& request) const;
  // With what belongs to the document on this host.
  Prepared Prepare(const std::string& name, const oci::Spec& spec);
  static rules::Facts FactsOf(const oci::Spec& spec, const policy::Effective& policy,
                              const Prepared& prepared);
  // "path code why", of the document as it is.
  static std::vector<std::string> FoundBy(const rules::Rule& rule, const oci::Spec& spec,
                                          const policy::Effective& policy,
                                          const rules::Facts& facts);
  static store::Records MakeRecords();

  Host host_;  // first: it mounts what everything else is made in
  store::Records records_;
};

}  // namespace runclad::golden
