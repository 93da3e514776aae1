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
// out, by JSON pointer, null for what must not be there.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "runclad/base/spelling.hpp"
#include "runclad/enforce/decision.hpp"
#include "runclad/enforce/host_policy.hpp"
#include "runclad/enforce/subject.hpp"
#include "runclad/json/pointer.hpp"
#include "runclad/json/reader.hpp"
#include "runclad/json/writer.hpp"
#include "runclad/rules/rule.hpp"

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
  std::string bundle;
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
  if (!expect.value("config", Document::object()).is_object()) {
    return Fault(name, "\"config\" must be an object of JSON pointers");
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
  std::string bundle = folder;
  if (!spec_path->empty()) {
    const fs::path path = folder / *spec_path;
    std::ifstream file(path, std::ios::binary);
    if (!file) return Fault(name, path.string() + " cannot be read");
    text.assign(std::istreambuf_iterator<char>(file), {});
    bundle = path.parent_path();
  } else {
    Document ordinary = Document::parse(kOrdinary);
    ordinary.merge_patch(entry.at("request"));
    text = json::Write(ordinary);
  }
  auto spec = oci::Spec::Parse(text);
  if (!spec) return Fault(name, spec.error().message);
  return Case{name, *std::move(spec), bundle, {*image, *digest}, expect};
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

Result<std::vector<std::string>> Run(Case test,
                                     const std::optional<std::string>& config_directory) {
  enforce::Subject subject;
  auto identity = IdentityOf(test.image);
  if (!identity) return Fault(test.name, identity.error().message);
  subject.identity = *std::move(identity);
  const auto policy = enforce::LoadPolicy(config_directory, subject.identity);
  if (!policy) return policy.error();
  const auto facts = enforce::GatherFacts(
      test.spec, *policy, {.id = {}, .bundle = test.bundle, .runtime_root = {}, .records = nullptr},
      subject);
  if (!facts) return Fault(test.name, facts.error().message);
  return Differences(test.expect, enforce::Decide(std::move(test.spec), *policy, *facts,
                                                  rules::Scope::kContainer));
}

}  // namespace

Result<Output> TestPolicy(const TestRequest& request, const Style& style) {
  std::ifstream file(request.file, std::ios::binary);
  if (!file) return Error{request.file + " cannot be read"};
  const std::string text(std::istreambuf_iterator<char>(file), {});
  const auto document = json::Read(text, {.comments = true});
  if (!document) return document.error().In(request.file);
  if (!document->is_object() || !document->contains("cases") || !document->at("cases").is_array() ||
      document->at("cases").empty()) {
    return Error{request.file + ": needs \"cases\", a list of at least one"};
  }
  const fs::path folder = fs::absolute(request.file).parent_path();
  Output output;
  Document results = Document::array();
  std::size_t failed = 0;
  const Document& cases = document->at("cases");
  for (std::size_t i = 0; i < cases.size(); ++i) {
    auto test = ReadCase(cases[i], i, folder);
    if (!test) return test.error().In(request.file);
    const std::string name = test->name;
    const auto differences = Run(*std::move(test), request.config_directory);
    if (!differences) return differences.error();
    failed += differences->empty() ? 0 : 1;
    results.push_back({{"name", name}, {"differences", *differences}});
    output.text += differences->empty() ? style.Green("ok") : style.Red("not ok");
    output.text += " - " + Printable(name) + "\n";
    for (const std::string& difference : *differences) {
      output.text += Wrapped(Printable(difference), 4);
    }
  }
  output.text +=
      std::to_string(cases.size() - failed) + " passed, " + std::to_string(failed) + " failed\n";
  if (request.json) {
    output.text = Document{{"cases", std::move(results)}, {"failed", failed}}.dump(2) + "\n";
  }
  output.status = failed == 0 ? kUnchanged : kChanged;
  return output;
}

}  // namespace runclad::ctl
