// runcladctl policy test: a policy repository's own table of cases, for its CI.
//
//   { "cases": [ { "name": "nginx keeps its capabilities",
//                  "request": { "process": { "capabilities": { "bounding": ["CAP_CHOWN"] } } },
//                  "image": "nginx:1.27", "digest": "sha256:…",
//                  "expect": { "outcome": "rewritten",
//                              "config": { "/process/capabilities/bounding": ["CAP_CHOWN"] } } } ]
//                              }
//
// A case names a "spec" (a config.json, relative to the file) or a "request": what is asked for
// beyond an ordinary container, as a JSON merge patch (RFC 7396). "outcome" is unchanged, rewritten
// or refused; "rules" are those with a finding; "config" holds values of the document that comes
// out, by JSON pointer, null for what must not be there. "date" is the day of the tests, and "host"
// what they are for: { "kernel": "6.1", "architecture": "amd64", "lsm": "apparmor" }.
#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "runclad/base/spelling.hpp"
#include "runclad/base/time.hpp"
#include "runclad/enforce/decision.hpp"
#include "runclad/enforce/host_policy.hpp"
#include "runclad/enforce/paper_facts.hpp"
#include "runclad/json/pointer.hpp"
#include "runclad/json/reader.hpp"
#include "runclad/json/writer.hpp"
#include "runclad/rules/rule.hpp"

#include "case_report.hpp"
#include "checkout.hpp"
#include "commands.hpp"

namespace runclad::ctl {
namespace {

namespace fs = std::filesystem;
using json::Document;

// What an engine requests by default: a minimal container.
constexpr std::string_view kOrdinary = R"({
  "ociVersion": "1.0.2",
  "process": {
    "user": {"uid": 0, "gid": 0}, "args": ["sh"], "env": ["PATH=/usr/bin:/bin"], "cwd": "/",
    "capabilities": {"bounding": [], "effective": [], "permitted": []},
    "noNewPrivileges": true
  },
  "root": {"path": "rootfs", "readonly": true},
  "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}],
  "linux": {
    "namespaces": [{"type": "pid"}, {"type": "network"}, {"type": "ipc"}, {"type": "uts"},
                   {"type": "mount"}]
  }
})";

struct Case {
  std::string name;
  oci::Spec spec;
  ImageRequest image;
  Document expect;
};

Error Fault(const std::string& name, const std::string& what) {
  return Error{"case " + Quoted(name) + ": " + what};
}

Status CheckMembers(const Document& object, std::span<const std::string_view> known,
                    const std::string& name) {
  for (const auto& [key, value] : object.items()) {
    if (std::ranges::find(known, key) == known.end()) {
      return Fault(name, "unknown key " + Quoted(key) + Suggestion(key, known));
    }
  }
  return {};
}

Result<std::string> TextMember(const Document& object, const char* key, const std::string& name) {
  const auto member = object.find(key);
  if (member == object.end()) return std::string();
  if (!member->is_string()) return Fault(name, Quoted(key) + " must be a string");
  return member->get<std::string>();
}

Status CheckExpectation(const Document& expect, const std::string& name) {
  constexpr std::string_view kMembers[] = {"outcome", "rules", "config"};
  constexpr std::string_view kOutcomes[] = {"unchanged", "rewritten", "refused"};
  if (!expect.is_object()) return Fault(name, "needs an \"expect\"");
  if (auto checked = CheckMembers(expect, kMembers, name); !checked) return checked;
  const auto outcome = TextMember(expect, "outcome", name);
  if (!outcome) return outcome.error();
  if (std::ranges::find(kOutcomes, *outcome) == std::end(kOutcomes)) {
    return Fault(name, "\"outcome\" is " + Alternatives(kOutcomes) + ", not " + Quoted(*outcome));
  }
  for (const Document& rule : expect.value("rules", Document::array())) {
    if (!rule.is_string() || rules::FindRule(rule.get<std::string>()) == nullptr) {
      return Fault(name, "there is no rule " + rule.dump());
    }
  }
  const Document config = expect.value("config", Document::object());
  if (!config.is_object()) return Fault(name, "\"config\" must be an object of JSON pointers");
  for (const auto& [pointer, value] : config.items()) {
    if (!pointer.empty() && !pointer.starts_with('/')) {
      return Fault(name,
                   Quoted(pointer) + " in \"config\" is not a JSON pointer: it begins with /");
    }
  }
  return {};
}

Result<Case> ReadCase(const Document& entry, std::size_t number, const fs::path& folder) {
  std::string name = "number " + std::to_string(number + 1);
  if (!entry.is_object()) return Fault(name, "must be an object");
  if (auto named = TextMember(entry, "name", name); named && !named->empty()) name = *named;
  constexpr std::string_view kMembers[] = {"name", "spec", "request", "image", "digest", "expect"};
  if (auto checked = CheckMembers(entry, kMembers, name); !checked) return checked.error();
  const auto spec_path = TextMember(entry, "spec", name);
  const auto image = TextMember(entry, "image", name);
  const auto digest = TextMember(entry, "digest", name);
  for (const auto* text : {&spec_path, &image, &digest}) {
    if (!*text) return text->error();
  }
  const Document expect = entry.value("expect", Document());
  if (auto checked = CheckExpectation(expect, name); !checked) return checked.error();
  if (spec_path->empty() != entry.contains("request")) {
    return Fault(name, "needs either a \"spec\" or a \"request\"");
  }
  std::string text;
  if (!spec_path->empty()) {
    const fs::path path = folder / *spec_path;
    std::ifstream file(path, std::ios::binary);
    if (!file) return Fault(name, path.string() + " cannot be read");
    text.assign(std::istreambuf_iterator<char>(file), {});
  } else {
    Document ordinary = Document::parse(kOrdinary);
    ordinary.merge_patch(entry.at("request"));
    text = json::Write(ordinary);
  }
  auto spec = oci::Spec::Parse(text);
  if (!spec) return Fault(name, spec.error().message);
  return Case{name, *std::move(spec), {*image, *digest}, expect};
}

std::string Listed(const std::set<std::string>& texts) {
  return texts.empty() ? "none" : Joined(texts);
}

// What is not as expected, a sentence each.
std::vector<std::string> Differences(const Document& expect, const enforce::Decision& decision) {
  std::vector<std::string> differences;
  const std::string wanted = expect.value("outcome", "");
  const std::string outcome(enforce::Name(decision.outcome));
  if (outcome != wanted) {
    const std::string refusal = enforce::RefusalSentence(decision);
    differences.push_back("is " + outcome + ", expected " + wanted +
                          (refusal.empty() ? "" : ": " + refusal));
  }
  if (expect.contains("rules")) {
    std::set<std::string> found;
    for (const enforce::Applied& applied : decision.findings) found.emplace(applied.rule->id());
    const auto rules = expect.at("rules").get<std::set<std::string>>();
    if (found != rules) {
      differences.push_back("has findings of " + Listed(found) + ", expected " + Listed(rules));
    }
  }
  const Document config = expect.value("config", Document::object());
  for (const auto& [pointer, value] : config.items()) {
    const json::Value there = json::Get(decision.spec.document(), pointer);
    if (there.document() != value) {
      differences.push_back(pointer + " is " + there.Dump() + ", expected " + value.dump());
    }
  }
  return differences;
}

// What the cases of one file are judged for.
struct Setting {
  enforce::PaperHost host;
  std::int64_t today = enforce::Today();
};

Result<enforce::PaperHost> ReadHost(const Document& entry, const std::string& file) {
  enforce::PaperHost host;
  const std::string name = "host";
  if (!entry.is_object()) return Error{file + ": \"host\" must be an object"};
  constexpr std::string_view kMembers[] = {"kernel", "architecture", "lsm"};
  if (auto checked = CheckMembers(entry, kMembers, name); !checked) return checked.error();
  const auto kernel = TextMember(entry, "kernel", name);
  const auto architecture = TextMember(entry, "architecture", name);
  const auto lsm = TextMember(entry, "lsm", name);
  for (const auto* text : {&kernel, &architecture, &lsm}) {
    if (!*text) return text->error();
  }
  if (!kernel->empty()) {
    const char* const end = kernel->data() + kernel->size();
    const auto major = std::from_chars(kernel->data(), end, host.kernel_major);
    const bool has_minor = major.ptr != end && *major.ptr == '.' &&
                           std::from_chars(major.ptr + 1, end, host.kernel_minor).ptr == end;
    if (!has_minor) {
      return Error{file + ": the host's \"kernel\" is a version such as 6.1, not " +
                   Quoted(*kernel)};
    }
  }
  constexpr std::string_view kArchitectures[] = {"amd64", "arm64", "ppc64le", "s390x", "riscv64"};
  if (!architecture->empty()) {
    if (std::ranges::find(kArchitectures, *architecture) == std::end(kArchitectures)) {
      return Error{file + ": the host's \"architecture\" is " + Alternatives(kArchitectures) +
                   ", not " + Quoted(*architecture)};
    }
    host.architecture = *architecture;
  }
  constexpr std::string_view kModules[] = {"apparmor", "selinux"};
  if (!lsm->empty() && std::ranges::find(kModules, *lsm) == std::end(kModules)) {
    return Error{file + ": the host's \"lsm\" is " + Alternatives(kModules) + ", not " +
                 Quoted(*lsm)};
  }
  host.has_apparmor = *lsm == "apparmor";
  host.has_selinux = *lsm == "selinux";
  return host;
}

Result<Setting> ReadSetting(const Document& document, const std::string& file) {
  constexpr std::string_view kMembers[] = {"$schema", "cases", "host", "date"};
  for (const auto& [key, value] : document.items()) {
    if (std::ranges::find(kMembers, key) == std::end(kMembers)) {
      return Error{file + ": unknown key " + Quoted(key) + Suggestion(key, kMembers)};
    }
  }
  Setting setting;
  if (const auto entry = document.find("host"); entry != document.end()) {
    auto host = ReadHost(*entry, file);
    if (!host) return host.error();
    setting.host = *std::move(host);
  }
  if (const auto date = document.find("date"); date != document.end()) {
    const auto day = date->is_string() ? ParseDay(date->get<std::string>()) : std::nullopt;
    if (!day) {
      return Error{file + ": \"date\" is a day such as 2027-03-31, not " + date->dump()};
    }
    setting.today = *day;
  }
  return setting;
}

class Runner {
 public:
  // `directory` holds the policy.
  Runner(const Checkout& directory, std::string shared)
      : directory_(directory), shared_(std::move(shared)) {}

  Result<std::vector<CaseResult>> RunFile(const std::string& path) const {
    std::ifstream file(path, std::ios::binary);
    if (!file) return Error{path + " cannot be read"};
    const std::string text(std::istreambuf_iterator<char>(file), {});
    const auto document = json::Read(text, {.comments = true});
    if (!document) return document.error().In(path);
    if (!document->is_object() || !document->contains("cases") ||
        !document->at("cases").is_array() || document->at("cases").empty()) {
      return Error{path + ": needs \"cases\", a list of at least one"};
    }
    const auto setting = ReadSetting(*document, path);
    if (!setting) return setting.error();
    const fs::path folder = fs::absolute(path).parent_path();
    const Document& cases = document->at("cases");
    std::vector<CaseResult> results;
    for (std::size_t i = 0; i < cases.size(); ++i) {
      auto test = ReadCase(cases[i], i, folder);
      if (!test) return test.error().In(path);
      const std::string name = test->name;
      auto differences = Run(*std::move(test), *setting);
      if (!differences) return differences.error();
      results.push_back({path, name, *std::move(differences)});
    }
    return results;
  }

 private:
  [[nodiscard]] Result<std::vector<std::string>> Run(Case test, const Setting& setting) const {
    const auto identity = IdentityOf(test.image);
    if (!identity) return Fault(test.name, identity.error().message);
    const auto policy = policy::Load(directory_.path(), rules::Schemas(),
                                     {.identity = &*identity,
                                      .today = setting.today,
                                      .shipped_directory = shared_,
                                      .directory_must_exist = true});
    if (!policy) return Error{directory_.Original(policy.error().message)};
    const rules::Facts facts = enforce::FactsOnPaper(test.spec, *policy, *identity, setting.host);
    return Differences(test.expect, enforce::Decide(std::move(test.spec), *policy, facts,
                                                    rules::Scope::kContainer));
  }

  const Checkout& directory_;
  std::string shared_;
};

}  // namespace

Result<Output> TestPolicy(const TestRequest& request, const Style& style) {
  const std::string directory =
      request.config_directory.value_or(std::string(policy::kDefaultConfigDirectory));
  std::error_code fault;
  if (request.config_directory && !fs::is_directory(directory, fault)) {
    return Error{"policy: " + directory + " is not a directory"};
  }
  const auto checkout = Checkout::Of(directory);
  if (!checkout) return checkout.error();
  const Runner runner(*checkout, request.shared.empty() ? "/nonexistent" : request.shared);
  std::vector<CaseResult> results;
  for (const std::string& file : request.files) {
    auto of_file = runner.RunFile(file);
    if (!of_file) return of_file.error();
    std::ranges::move(*of_file, std::back_inserter(results));
  }
  if (!request.junit.empty()) {
    std::ofstream junit(request.junit, std::ios::binary);
    junit << CasesAsJunit(results);
    if (!junit.flush()) return Error{request.junit + " cannot be written"};
  }
  return ReportCases(results, request.json, style);
}

}  // namespace runclad::ctl
