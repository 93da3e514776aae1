// runcladctl why: what runclad changed for a container, and the policy lines that would allow it.
// The application failed with EROFS or EPERM, and nothing that it wrote mentions runclad.
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
#include "runclad/store/identity_json.hpp"

#include "commands.hpp"
#include "findings.hpp"
#include "remedies.hpp"

namespace runclad::ctl {
namespace {

using json::Document;

// The decision for one container.
struct Story {
  std::string container;
  std::string bundle;
  std::string source;   // "its record"
  std::string time;     // empty: unknown
  std::string outcome;  // from the log; empty: unknown
  std::string profile;
  std::string mode;
  std::string error;
  std::vector<Finding> findings;
  engine::Identity image;
};

// Where the lines can go instead of policy.json.
struct ImageFile {
  std::string path;    // "images/docker.io/library/nginx.json"; empty: the image has no known name
  std::string digest;  // of the image; empty: unknown
};

ImageFile FileOf(const engine::Identity& image) {
  ImageFile file{{}, image.config_digest};
  std::string repository;
  if (image.asked_for) {
    repository = image.asked_for->repository;
  } else if (!image.names.empty()) {
    repository = image.names.front().reference.repository;
  }
  if (!repository.empty()) file.path = "images/" + repository + ".json";
  return file;
}

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
                       FindingsFrom(record.findings.document()), record.identity});
  }
  return stories;
}

// The last log line of each container whose id begins with `prefix`. Lines for exec are skipped:
// they do not say how the container was created.
Result<std::vector<Story>> FromLog(const std::string& path, const std::string& prefix) {
  std::ifstream log(path);
  if (!log) return Error{"the log " + path + " cannot be read"};
  std::map<std::string, Story> stories;
  std::string line;
  while (std::getline(log, line)) {
    // Most lines are about other containers, and parsing is slow.
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
                {},
                {}};
    const auto image = entry->find("image");
    if (image != entry->end() && image->is_object()) {
      if (auto identity = store::IdentityFrom(*image)) story.image = *std::move(identity);
    }
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
  if (!policy) return policy.error().In("the policy, which names the log, cannot be read");
  constexpr std::string_view kFile = "file:";
  const std::string& target = policy->log.target;
  if (!target.starts_with(kFile)) {
    return Error{"container " + Quoted(request.container) +
                 " has no record, and runcladctl cannot search " + target +
                 ", which the log is written to; search it with " +
                 (target == "journald" ? "journalctl -t runclad" : "grep runclad")};
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
    return Error{"several runtimes have a container " + Quoted(wanted) + ", with the bundles " +
                 Some(stories, &Story::bundle) + "; choose one with --root"};
  }
  return Error{"the ids of " + std::to_string(stories.size()) + " containers begin with " +
               Quoted(wanted) + ": " + Some(stories, &Story::container)};
}

// On one line, in ASCII, with spaces as people write policies.
std::string OneLine(const Document& value) {
  if (!value.is_structured() || value.empty()) return value.dump(-1, ' ', /*ensure_ascii=*/true);
  std::vector<std::string> parts;
  for (const auto& [key, element] : value.items()) {
    parts.push_back((value.is_object() ? OneLine(key) + ": " : "") + OneLine(element));
  }
  const std::string joined = Joined(parts);
  return value.is_object() ? "{ " + joined + " }" : "[" + joined + "]";
}

// The lines for policy.json, and those for the image's file, on top of what each contains.
struct Advice {
  PolicyLines of_host;
  PolicyLines of_image;
  ImageFile image;
};

std::string TextOfRules(const std::vector<Hints>& all, const Advice& advice, const Style& style) {
  const Document& rules = advice.of_host.rules.document();
  std::string text;
  for (const Hints& hints : all) {
    if (!hints.has_rules && !hints.is_general) continue;
    const rules::Rule& rule = *rules::FindRule(hints.rule);
    text += Wrapped(style.Bold(hints.rule) + ": " + std::string(rule.way_out), 2);
    const auto setting = rules.find(hints.rule);
    if (setting != rules.end()) {
      text += "    " + OneLine(hints.rule) + ": " + OneLine(*setting) + '\n';
    }
  }
  if (text.empty()) return text;
  text = "\nTo allow it on this host, add to \"rules\" in policy.json:\n" + text;
  if (rules.empty() || advice.image.path.empty()) return text;
  return text +
         Wrapped(
             "To allow it for this image only, write image/content of the output of --json to " +
                 Printable(advice.image.path) +
                 ". It contains the digest of this image. Without a digest, an image is known by "
                 "its tag only, and gets no more than the policy's trust/tag allows.",
             0);
}

std::string TextOfWaivers(const Advice& advice) {
  const Document& waivers = advice.of_host.waivers.document();
  if (waivers.empty()) return {};
  std::string text = "\nThis needs a waiver, in \"waivers\" of ";
  text += advice.image.path.empty() ? "the image's file" : Printable(advice.image.path);
  text += advice.image.digest.empty()
              ? ", together with the image's digest in \"digests\":\n"
              : ", together with \"digests\": [" + OneLine(advice.image.digest) + "]:\n";
  for (const Document& waiver : waivers) text += "    " + OneLine(waiver) + '\n';
  return text;
}

std::string TextOfTheRest(const std::vector<Hints>& all, const Style& style) {
  std::string text;
  for (const Hints& hints : all) {
    for (const std::string& clause : hints.no_line) {
      text += Wrapped(style.Bold(hints.rule) + ": " + Printable(clause), 2);
    }
  }
  return text.empty() ? text : "\nNo setting of the policy allows this:\n" + text;
}

std::string AsText(const Story& story, const Advice& advice, const Style& style) {
  std::string text = "container " + style.Bold(Printable(story.container)) + " (" +
                     (story.profile.empty() ? "" : "profile " + Printable(story.profile) + ", ") +
                     (story.time.empty() ? "" : Printable(story.time) + ", ") + "from " +
                     Printable(story.source) + ")";
  text += story.outcome.empty() ? "\n" : ": " + Printable(story.outcome) + '\n';
  if (!story.error.empty()) text += Wrapped(Printable(story.error), 2);
  if (story.mode == "audit") {
    text += "The policy's mode was audit: this was logged, and nothing was changed.\n";
  }
  text += Render(story.findings, style) + '\n' + Summary(story.findings) + '\n';
  const std::vector<Hints> hints = HintsFor(story.findings);
  text += TextOfRules(hints, advice, style) + TextOfWaivers(advice) + TextOfTheRest(hints, style);
  const std::size_t old = CountWithoutRemedies(story.findings);
  if (old > 0) {
    text +=
        Wrapped(std::to_string(old) + (old == 1 ? " finding was" : " findings were") +
                    " recorded by a version of runclad that did not record what would allow it; "
                    "see runcladctl explain RULE",
                0);
  }
  return text;
}

Document ToDocument(const PolicyLines& lines) {
  Document document = {{"rules", lines.rules.document()}};
  if (!lines.waivers.document().empty()) document["waivers"] = lines.waivers.document();
  return document;
}

std::string AsJson(const Story& story, const Advice& advice) {
  Document document = {{"container", story.container},  {"from", story.source},
                       {"profile", story.profile},      {"mode", story.mode},
                       {"findings", Document::array()}, {"allow", ToDocument(advice.of_host)}};
  if (!advice.image.path.empty() && !advice.image.digest.empty()) {
    Document content = ToDocument(advice.of_image);
    content["digests"] = {advice.image.digest};
    document["image"] = {{"file", advice.image.path}, {"content", std::move(content)}};
  }
  if (!story.outcome.empty()) document["outcome"] = story.outcome;
  if (!story.time.empty()) document["time"] = story.time;
  if (!story.error.empty()) document["error"] = story.error;
  for (const Finding& finding : story.findings) {
    document["findings"].push_back(ToDocument(finding));
  }
  return document.dump(2, ' ', /*ensure_ascii=*/true, Document::error_handler_t::replace) + '\n';
}

// The policy whose lists the lines would replace: the host's, or, if that cannot be read, the
// profile that the container was created under.
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
  const policy::Effective host = CurrentPolicy(policy, story->profile);
  const auto of_image = enforce::LoadPolicy(request.config_directory, story->image);
  const std::int64_t today = enforce::Today();
  const Advice advice{LinesFor(story->findings, host, today),
                      LinesFor(story->findings, of_image ? *of_image : host, today),
                      FileOf(story->image)};
  return Output{request.json ? AsJson(*story, advice) : AsText(*story, advice, style)};
}

}  // namespace runclad::ctl
