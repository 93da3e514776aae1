#include "story.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

#include "runclad/base/spelling.hpp"
#include "runclad/enforce/record_search.hpp"
#include "runclad/engine/reference.hpp"
#include "runclad/json/reader.hpp"
#include "runclad/store/identity_json.hpp"
#include "runclad/store/probes.hpp"
#include "runclad/sys/process.hpp"

#include "document_text.hpp"
#include "log_files.hpp"

namespace runclad::ctl {
namespace {

using json::Document;

Story FromRecord(const enforce::Record& record) {
  Story story{record.id,
              record.identity.container_name,
              record.bundle,
              "its record",
              "",
              "",
              record.process_policy.profile,
              std::string(policy::Name(record.process_policy.mode)),
              "",
              FindingsFrom(record.findings.document()),
              record.identity};
  if (record.pid != 0 && sys::StartTime(record.pid) == record.start_time) story.pid = record.pid;
  return story;
}

Result<std::vector<Story>> FromRecords(const WhyRequest& request) {
  std::vector<Story> stories;
  if (request.container.empty()) return stories;
  const auto records = enforce::FindRecords(request.container, request.runtime_root);
  if (!records) return records.error();
  for (const enforce::Record& record : *records) stories.push_back(FromRecord(record));
  if (!stories.empty()) return stories;
  // By its name. What is wrong with another container's record is not asked for here.
  const auto all = enforce::FindRecords("", request.runtime_root);
  if (!all) return stories;
  for (const enforce::Record& record : *all) {
    if (record.identity.container_name == request.container) stories.push_back(FromRecord(record));
  }
  return stories;
}

// Lines of runclad 0.1 have the outcomes of mode enforce in mode audit, too.
std::string OutcomeOf(const Document& entry) {
  std::string outcome = Text(entry, "outcome");
  if (Text(entry, "mode") != "audit") return outcome;
  if (outcome == "refused") return "would-refuse";
  if (outcome == "rewritten") return "would-rewrite";
  return outcome;
}

Story FromEntry(const Document& entry, const std::string& log) {
  Story story{Text(entry, "container"),
              Text(entry, "name"),
              Text(entry, "bundle"),
              "the log " + log,
              Text(entry, "time"),
              OutcomeOf(entry),
              Text(entry, "profile"),
              Text(entry, "mode"),
              Text(entry, "error"),
              {},
              {}};
  const auto image = entry.find("image");
  if (image != entry.end() && image->is_object()) {
    if (auto identity = store::IdentityFrom(*image)) story.image = *std::move(identity);
  }
  const auto findings = entry.find("findings");
  if (findings != entry.end()) story.findings = FindingsFrom(*findings);
  return story;
}

// What a log has about the container that is asked for; of each container the last line counts.
// exec has lines of its own, which say nothing of how the container was made. The last one at all
// is never one that doctor made.
class Search {
 public:
  Search(const std::string& wanted, const store::Probes& probes)
      : wanted_(wanted), probes_(probes) {}

  void Take(const std::string& line, const std::string& log) {
    // Most lines are about other containers, and parsing is slow.
    if (!wanted_.empty() && line.find("\"container\":\"" + wanted_) == std::string::npos &&
        line.find("\"name\":\"" + wanted_ + '"') == std::string::npos) {
      return;
    }
    const auto entry = json::Read(line, {.keeps_numbers = true});
    if (!entry || !entry->is_object()) return;
    const std::string verb = Text(*entry, "verb");
    if (verb == "exec" || Text(*entry, "container").empty()) return;
    if (wanted_.empty()) {
      const bool is_create = verb == "create" || verb == "run";
      if (is_create && !probes_.Contains(verb, Text(*entry, "container"))) {
        last_ = FromEntry(*entry, log);
      }
    } else if (Text(*entry, "container").starts_with(wanted_)) {
      Story story = FromEntry(*entry, log);
      by_id_.insert_or_assign(story.container, std::move(story));
    } else if (Text(*entry, "name") == wanted_) {
      last_ = FromEntry(*entry, log);
    }
  }

  // An id or the beginning of one goes before a name, of which only the last container counts:
  // earlier ones are gone.
  [[nodiscard]] std::vector<Story> Found() && {
    std::vector<Story> stories;
    for (auto& [container, story] : by_id_) stories.push_back(std::move(story));
    if (stories.empty() && last_) stories.push_back(*std::move(last_));
    return stories;
  }

 private:
  const std::string& wanted_;
  const store::Probes& probes_;
  std::map<std::string, Story> by_id_;
  std::optional<Story> last_;  // of that name, or at all
};

Result<std::vector<Story>> FromLogs(const std::string& path, const std::string& wanted) {
  const std::vector<std::string> files = LogFiles(path);
  if (files.empty()) return Error{"the log " + path + " cannot be read"};
  const store::Probes probes = store::Probes::Open();
  for (const std::string& file : files) {
    Search search(wanted, probes);
    const Status read = VisitLines(file, [&](const std::string& line) { search.Take(line, file); });
    if (!read) return read.error();
    std::vector<Story> stories = std::move(search).Found();
    if (!stories.empty()) return stories;
  }
  return std::vector<Story>();
}

Result<std::string> LogFile(const WhyRequest& request, const Result<policy::Effective>& policy) {
  if (request.log_file) return *request.log_file;
  // runclad logs in the default file that it could not read the policy.
  const std::string usual = ReadableLog({}).value_or("");
  if (!policy && !usual.empty() && !LogFiles(usual).empty()) return usual;
  if (!policy) return policy.error().In("the policy, which names the log, cannot be read");
  auto file = ReadableLog(policy->log);
  if (!file) {
    const std::string& target = policy->log.target;
    const std::string whose = request.container.empty()
                                  ? "the last container is in the log"
                                  : "container " + Quoted(request.container) + " has no record";
    return Error{whose + ", and runcladctl cannot search " + target +
                 ", which the log is written to; save what " +
                 (target == "journald" ? "journalctl -t runclad" : "grep runclad") +
                 " finds, and name the file with --log"};
  }
  return *std::move(file);
}

// What the log leaves out; empty: nothing.
std::string LevelNote(const Result<policy::Effective>& policy) {
  if (!policy || policy->log.level == policy::LogLevel::kInfo) return {};
  return ", which has decisions from the level " + std::string(policy::Name(policy->log.level)) +
         " on only (log/level)";
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
  const bool is_name = !stories.front().container.starts_with(wanted);
  const std::string count = std::to_string(stories.size()) + " containers ";
  return Error{(is_name ? count + "have the name " : "the ids of " + count + "begin with ") +
               Quoted(wanted) + ": " + Some(stories, &Story::container)};
}

bool IsOf(const engine::Identity& identity, const std::string& image) {
  if (identity.config_digest == image) return true;
  const auto wanted = engine::ParseReference(image);
  if (!wanted) return false;
  if (identity.asked_for) return identity.asked_for->repository == wanted->repository;
  return std::ranges::any_of(identity.names, [&](const engine::ImageName& name) {
    return name.reference.repository == wanted->repository;
  });
}

// Equal for equal findings, whatever they say as the reason.
std::string KeyOf(const Finding& finding) {
  return Document{finding.rule,
                  finding.code,
                  finding.path,
                  finding.action,
                  finding.before.document(),
                  finding.after.document()}
      .dump(-1, ' ', /*ensure_ascii=*/true, Document::error_handler_t::replace);
}

}  // namespace

Result<ImageStory> FindImageStory(const std::string& image,
                                  const std::optional<std::string>& log_file,
                                  const Result<policy::Effective>& policy) {
  WhyRequest request;
  request.log_file = log_file;
  const auto log = LogFile(request, policy);
  if (!log) return log.error();
  const std::vector<std::string> files = LogFiles(*log);
  if (files.empty()) return Error{"the log " + *log + " cannot be read"};
  ImageStory all;
  std::string newest;
  std::set<std::string> known;
  const auto take = [&](const std::string& line, const std::string& file) {
    if (line.find("\"image\"") == std::string::npos) return;
    const auto entry = json::Read(line, {.keeps_numbers = true});
    if (!entry || !entry->is_object()) return;
    const std::string verb = Text(*entry, "verb");
    if (verb != "create" && verb != "run") return;
    Story one = FromEntry(*entry, file);
    if (!IsOf(one.image, image)) return;
    ++all.containers;
    ++all.outcomes[one.outcome];
    all.digests.insert(one.image.config_digest);
    std::vector<Finding> findings = std::move(all.story.findings);
    for (Finding& finding : one.findings) {
      std::string key = KeyOf(finding);
      if (known.contains(key)) continue;
      all.has_more = all.has_more || known.size() == kMaxFindings;
      if (all.has_more) break;
      known.insert(std::move(key));
      findings.push_back(std::move(finding));
    }
    if (one.time >= newest) {
      newest = one.time;
      all.story = std::move(one);
    }
    all.story.findings = std::move(findings);
  };
  for (const std::string& file : files) {
    const Status read = VisitLines(file, [&](const std::string& line) { take(line, file); });
    if (!read) return read.error();
  }
  if (all.containers > 0) return all;
  return Error{"no container of the image " + Quoted(image) + " is in the log " + *log};
}

Result<Story> FindStory(const WhyRequest& request, const Result<policy::Effective>& policy) {
  auto stories = FromRecords(request);
  if (!stories) return stories.error();
  if (stories->empty()) {
    const auto log = LogFile(request, policy);
    if (!log) return log.error();
    stories = FromLogs(*log, request.container);
    if (!stories) return stories.error();
    if (stories->empty() && request.container.empty()) {
      return Error{"the log " + *log + " has no container"};
    }
    if (stories->empty()) {
      return Error{"no container whose id begins with " + Quoted(request.container) +
                   ", or whose name it is, has a record or is in the log " + *log +
                   LevelNote(policy)};
    }
  }
  return Choose(*std::move(stories), request.container);
}

}  // namespace runclad::ctl
