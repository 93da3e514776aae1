// runcladctl why: what was done to a container, and which policy lines would allow it. The
// application died with EROFS or EPERM, and nothing that it wrote says runclad.
#include <algorithm>
#include <fstream>
#include <map>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "runclad/base/spelling.hpp"
#include "runclad/enforce/host_policy.hpp"
#include "runclad/enforce/record_search.hpp"
#include "runclad/json/reader.hpp"
#include "runclad/rules/rule.hpp"

#include "commands.hpp"
#include "findings.hpp"
#include "way_out.hpp"

namespace runclad::ctl {
namespace {

using json::Document;

// What was decided for one container.
struct Story {
  std::string container;
  std::string bundle;
  std::string told_by;  // "its record"
  std::string time;     // empty: not told
  std::string outcome;  // of the log; empty: not told
  std::string profile;
  std::string mode;
  std::string error;
  std::vector<Finding> findings;
};

std::string Text(const Document& object, const char* member) {
  const auto found = object.find(member);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

Result<std::vector<Story>> FromRecords(const WhyRequest& request) {
  const auto records = enforce::FindRecords(request.container, request.runtime_root);
  if (!records) return records.error();
  std::vector<Story> stories;
  stories.reserve(records->size());
  for (const enforce::Record& record : *records) {
    stories.push_back({record.id, record.bundle, "its record", "", "",
                       record.process_policy.profile,
                       std::string(policy::Name(record.process_policy.mode)), "",
                       FindingsFrom(record.findings.document())});
  }
  return stories;
}

// The last line of the log about each container whose id begins with `prefix`; exec has lines of
// its own, which say nothing of how the container was made.
Result<std::vector<Story>> FromLog(const std::string& path, const std::string& prefix) {
  std::ifstream log(path);
  if (!log) return Error{"the log " + path + " cannot be read"};
  std::map<std::string, Story> stories;
  std::string line;
  while (std::getline(log, line)) {
    // Most lines are about others, and parsing is slow.
    if (line.find("\"container\":\"" + prefix) == std::string::npos) continue;
    const auto entry = json::Read(line);
    if (!entry || !entry->is_object()) continue;
    const std::string container = Text(*entry, "container");
    if (!container.starts_with(prefix) || Text(*entry, "verb") == "exec") continue;
    Story story{container,
                Text(*entry, "bundle"),
                "the log " + path,
                Text(*entry, "time"),
                Text(*entry, "outcome"),
                Text(*entry, "profile"),
                Text(*entry, "mode"),
                Text(*entry, "error"),
                {}};
    const auto findings = entry->find("findings");
    if (findings != entry->end()) story.findings = FindingsFrom(*findings);
    stories.insert_or_assign(container, std::move(story));
  }
  std::vector<Story> all;
  all.reserve(stories.size());
  for (auto& [container, story] : stories) all.push_back(std::move(story));
  return all;
}

Result<std::string> LogFile(const WhyRequest& request, const Result<policy::Effective>& policy) {
  if (request.log_file) return *request.log_file;
  if (!policy) return policy.error().In("the log cannot be found without the policy");
  constexpr std::string_view kFile = "file:";
  const std::string& target = policy->log.target;
  if (!target.starts_with(kFile)) {
    return Error{"no record of container " + Quoted(request.container) + ", and the log goes to " +
                 target + ", which is searched by other means (" +
                 (target == "journald" ? "journalctl -t runclad" : "grep runclad") + ")"};
  }
  return target.substr(kFile.size());
}

// "one, two, …"
std::string Some(const std::vector<Story>& stories, std::string Story::*member) {
  constexpr std::size_t kMaxShown = 5;
  std::vector<std::string> texts;
  for (const Story& story : stories) {
    if (texts.size() == kMaxShown) {
      texts.emplace_back("…");
      break;
    }
    texts.push_back(Printable(story.*member));
  }
  return Joined(texts);
}

Result<Story> Choose(std::vector<Story> stories, const std::string& wanted) {
  const auto is_other = [&](const Story& story) { return story.container != wanted; };
  if (!std::ranges::all_of(stories, is_other)) std::erase_if(stories, is_other);
  if (stories.size() == 1) return std::move(stories.front());
  if (stories.front().container == wanted) {
    return Error{"containers " + Quoted(wanted) +
                 " of several runtimes have records, with the "
                 "bundles " +
                 Some(stories, &Story::bundle) + "; choose one with --root"};
  }
  return Error{Quoted(wanted) + " is the beginning of " + std::to_string(stories.size()) +
               " containers' ids: " + Some(stories, &Story::container)};
}

// On one line, spaced as people write policies, in ASCII.
std::string OneLine(const Document& value) {
  if (!value.is_structured() || value.empty()) return value.dump(-1, ' ', /*ensure_ascii=*/true);
  std::vector<std::string> parts;
  for (const auto& [key, element] : value.items()) {
    parts.push_back((value.is_object() ? OneLine(key) + ": " : "") + OneLine(element));
  }
  const std::string joined = Joined(parts);
  return value.is_object() ? "{ " + joined + " }" : "[" + joined + "]";
}

std::string AsText(const Story& story, const Document& ways_out, const Style& style) {
  std::string text = "container " + style.Bold(Printable(story.container)) + " (" +
                     (story.profile.empty() ? "" : "profile " + Printable(story.profile) + ", ") +
                     (story.time.empty() ? "" : Printable(story.time) + ", ") + "from " +
                     Printable(story.told_by) + ")";
  text += story.outcome.empty() ? "\n" : ": " + Printable(story.outcome) + '\n';
  if (!story.error.empty()) text += Wrapped(Printable(story.error), 2);
  if (story.mode == "audit") {
    text += "The policy's mode was audit: this was recorded and nothing was done.\n";
  }
  text += Render(story.findings, style) + '\n' + Summary(story.findings) + '\n';

  std::string hints;
  for (const rules::Rule* rule : rules::Catalog()) {
    const auto is_its = [&](const Finding& finding) { return IsLiftedBy(*rule, finding); };
    if (std::ranges::none_of(story.findings, is_its)) continue;
    const auto setting = ways_out.find(rule->id());
    hints += Wrapped(style.Bold(rule->id()) + ": " + std::string(rule->way_out), 2);
    if (setting != ways_out.end()) {
      hints += "    " + OneLine(rule->id()) + ": " + OneLine(*setting) + '\n';
    }
  }
  if (!hints.empty()) {
    text += "\nTo allow it on this host, in the \"rules\" of policy.json:\n" + hints;
  }
  return text;
}

std::string AsJson(const Story& story, const Document& ways_out) {
  Document document = {{"container", story.container},  {"from", story.told_by},
                       {"profile", story.profile},      {"mode", story.mode},
                       {"findings", Document::array()}, {"allow", {{"rules", ways_out}}}};
  if (!story.outcome.empty()) document["outcome"] = story.outcome;
  if (!story.time.empty()) document["time"] = story.time;
  if (!story.error.empty()) document["error"] = story.error;
  for (const Finding& finding : story.findings) {
    document["findings"].push_back(ToDocument(finding));
  }
  return document.dump(2, ' ', /*ensure_ascii=*/true, Document::error_handler_t::replace) + '\n';
}

// The policy whose lists the lines would replace: the host's, or, while that is broken, the profile
// that the container was made under.
policy::Effective CurrentPolicy(const Result<policy::Effective>& policy,
                                const std::string& profile_name) {
  if (policy) return *policy;
  const auto profile = LoadProfile(profile_name);
  return profile ? *profile : policy::Effective();
}

}  // namespace

Result<Output> Why(const WhyRequest& request, const Style& style) {
  const auto policy = enforce::LoadPolicy(request.config_directory);
  if (!policy && request.config_directory) return policy.error();
  auto stories = FromRecords(request);
  if (!stories) return stories.error();
  if (stories->empty()) {
    const auto log = LogFile(request, policy);
    if (!log) return log.error();
    stories = FromLog(*log, request.container);
    if (!stories) return stories.error();
    if (stories->empty()) {
      return Error{"no container whose id begins with " + Quoted(request.container) +
                   " has a record or is in the log " + *log};
    }
  }
  const auto story = Choose(*std::move(stories), request.container);
  if (!story) return story.error();
  const json::Value ways_out = WaysOut(story->findings, CurrentPolicy(policy, story->profile));
  return Output{request.json ? AsJson(*story, ways_out.document())
                             : AsText(*story, ways_out.document(), style)};
}

}  // namespace runclad::ctl
