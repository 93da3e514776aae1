#include "decision_counts.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <ctime>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "runclad/base/sha256.hpp"
#include "runclad/base/unique_fd.hpp"
#include "runclad/engine/identity.hpp"
#include "runclad/json/reader.hpp"
#include "runclad/json/scanner.hpp"
#include "runclad/json/writer.hpp"
#include "runclad/rules/rule.hpp"
#include "runclad/store/kept_directory.hpp"
#include "runclad/sys/file.hpp"

#include "log_files.hpp"

namespace runclad::ctl {
namespace {

using json::Document;

constexpr const char* kDirectory = "metrics";
constexpr const char* kFile = "counts.json";
constexpr std::uint64_t kCountsVersion = 1;

template <std::size_t kCount>
std::string OneOf(const std::string_view (&known)[kCount], std::string_view value) {
  if (value.empty() || std::ranges::find(known, value) != std::end(known)) {
    return std::string(value);
  }
  return "other";
}

std::string Decision(std::string_view outcome, std::string_view mode) {
  // Lines of runclad 0.1 have the outcomes of mode enforce in mode audit, too.
  if (mode == "audit" && outcome == "refused") return "would-refuse";
  if (mode == "audit" && outcome == "rewritten") return "would-rewrite";
  constexpr std::string_view kOutcomes[] = {"unchanged",    "rewritten",     "refused",
                                            "would-refuse", "would-rewrite", "error"};
  return OneOf(kOutcomes, outcome);
}

std::string Engine(std::string_view engine) {
  using engine::Engine;
  static const std::string_view kEngines[] = {
      engine::Name(Engine::kDocker),   engine::Name(Engine::kContainerd),
      engine::Name(Engine::kPodman),   engine::Name(Engine::kCrio),
      engine::Name(Engine::kBuildkit), engine::Name(Engine::kUnknown)};
  return OneOf(kEngines, engine);
}

std::string CommandOf(std::string_view verb) {
  constexpr std::string_view kVerbs[] = {"create", "run", "exec", "start", "update", "restore"};
  return OneOf(kVerbs, verb);
}

std::string Rule(std::string_view id) {
  const auto schemas = rules::Schemas();
  const bool is_known = std::ranges::any_of(
      schemas, [&](const policy::RuleSchema& schema) { return schema.id == id; });
  return is_known ? std::string(id) : "other";
}

std::string Action(std::string_view action) {
  constexpr std::string_view kActions[] = {"fixed", "refused", "warned"};
  return OneOf(kActions, action);
}

// The action that leads to a decision.
std::string_view ActionOfDecision(std::string_view decision) {
  if (decision.ends_with("refused") || decision.ends_with("refuse")) return "refused";
  if (decision == "rewritten" || decision == "would-rewrite") return "fixed";
  return {};
}

struct FoundFinding {
  std::string rule;
  std::string action;
};

std::vector<FoundFinding> TakeFindings(json::Scanner& scanner) {
  std::vector<FoundFinding> findings;
  scanner.Elements([&] {
    constexpr std::string_view kWanted[] = {"rule", "action"};
    FoundFinding finding;
    scanner.Object(kWanted, [&](std::size_t index) {
      (index == 0 ? finding.rule : finding.action) = scanner.String();
    });
    findings.push_back(std::move(finding));
  });
  return findings;
}

// How many decisions a line stands for.
std::uint64_t TakeRepeats(json::Scanner& scanner) {
  std::uint64_t count = 1;
  constexpr std::string_view kWanted[] = {"count"};
  scanner.Object(kWanted, [&](std::size_t) {
    const std::string_view number = scanner.Skip();
    std::from_chars(number.data(), number.data() + number.size(), count);
  });
  return count;
}

// How far a file was read. It is recognised by its first line, whatever its current name and inode.
struct Progress {
  std::uint64_t position = 0;
  std::string status;  // device, inode, size and time when it was read: unchanged files are skipped
  bool is_done = false;  // it was rotated, and read to its end
};

struct Kept {
  DecisionCounts counts;
  std::map<std::string, Progress> files;
};

Document CountsDocument(const Kept& kept) {
  Document document = {
      {"version", kCountsVersion},           {"unreadable", kept.counts.unreadable},
      {"lostFiles", kept.counts.lost_files}, {"probes", kept.counts.probes},
      {"decisions", Document::array()},      {"findings", Document::array()},
      {"files", Document::object()}};
  for (const auto& [kind, count] : kept.counts.decisions) {
    document["decisions"].push_back(
        {kind.decision, kind.rule, kind.mode, kind.engine, kind.command, count});
  }
  for (const auto& [kind, count] : kept.counts.findings) {
    document["findings"].push_back({kind.rule, kind.action, kind.mode, count});
  }
  for (const auto& [first_line, progress] : kept.files) {
    document["files"][first_line] = {
        {"position", progress.position}, {"status", progress.status}, {"done", progress.is_done}};
  }
  return document;
}

Kept KeptFrom(const Document& document) {
  Kept kept;
  kept.counts.unreadable = document.at("unreadable");
  kept.counts.lost_files = document.at("lostFiles");
  kept.counts.probes = document.value("probes", std::uint64_t{0});
  for (const Document& entry : document.at("decisions")) {
    kept.counts.decisions[{entry.at(0), entry.at(1), entry.at(2), entry.at(3), entry.at(4)}] =
        entry.at(5);
  }
  for (const Document& entry : document.at("findings")) {
    kept.counts.findings[{entry.at(0), entry.at(1), entry.at(2)}] = entry.at(3);
  }
  for (const auto& [first_line, progress] : document.at("files").items()) {
    kept.files[first_line] = {progress.at("position"), progress.at("status"), progress.at("done")};
  }
  return kept;
}

// Without a file, or with one of another version, counters start again from zero: Prometheus allows
// that at any time.
Result<Kept> ReadKept(int directory, const std::string& path) {
  constexpr std::size_t kMaxBytes = std::size_t{16} << 20;
  struct stat status {};
  const bool is_there = ::fstatat(directory, kFile, &status, AT_SYMLINK_NOFOLLOW) == 0;
  if (is_there ? S_ISDIR(status.st_mode) : errno == ENOENT) return Kept();
  const auto text = sys::ReadTrustedFile(directory, kFile, kMaxBytes);
  if (!text) return text.error().In(path + "/" + kFile);
  const auto document = json::Read(*text);
  try {
    if (document && document->at("version") == kCountsVersion) return KeptFrom(*document);
  } catch (const nlohmann::json::exception&) {  // a member is missing, or another type
  }
  return Kept();
}

// Only one process counts at a time.
Result<UniqueFd> OpenAndLock(const std::string& state) {
  auto directory = store::OpenKeptDirectory(state, kDirectory, /*create=*/true);
  if (!directory) return directory;
  constexpr timespec kPause = {.tv_sec = 0, .tv_nsec = 50'000'000};
  constexpr int kTries = 200;  // ten seconds
  for (int tries_left = kTries; ::flock(directory->get(), LOCK_EX | LOCK_NB) != 0; --tries_left) {
    if (tries_left == 0) return Error{"another process has been counting the log for ten seconds"};
    ::nanosleep(&kPause, nullptr);
  }
  return directory;
}

std::string StatusText(int file) {
  struct stat status {};
  if (::fstat(file, &status) != 0) return {};
  std::string text;
  for (const std::uint64_t part : {std::uint64_t{status.st_dev}, std::uint64_t{status.st_ino},
                                   static_cast<std::uint64_t>(status.st_size),
                                   static_cast<std::uint64_t>(status.st_mtim.tv_sec),
                                   static_cast<std::uint64_t>(status.st_mtim.tv_nsec)}) {
    text += (text.empty() ? "" : ":") + std::to_string(part);
  }
  return text;
}

class Counting {
 public:
  Counting(Kept& kept, const std::string& log, const store::Probes& probes, std::uint64_t max_bytes)
      : kept_(kept), log_(log), probes_(probes), left_(max_bytes) {}

  // A file that is renamed while the directory is read may be missed: it is looked for again,
  // before it counts as lost.
  Result<bool> Run() {
    constexpr int kTries = 3;
    for (int tries_left = kTries; tries_left > 0; --tries_left) {
      CountAll();
      if (HasAll()) break;
    }
    if (!fault_.empty()) return Error{fault_};
    ForgetOthers();
    return left_ > 0;
  }

 private:
  // The oldest file first, so that what may be removed next is counted first.
  void CountAll() {
    std::vector<std::string> files = LogFiles(log_);
    std::ranges::reverse(files);
    for (const std::string& file : files) {
      const auto opened = Open(file);
      if (!opened) continue;  // removed or renamed
      // It may be in the course of being compressed. The others are counted, and none is forgotten.
      if (auto counted = Count(*opened); !counted) fault_ = counted.error().message;
    }
  }

  Status Count(const OpenLog& file) {
    const std::string status = StatusText(file.file.get());
    const bool is_rotated = file.path != log_;
    for (auto& [first_line, progress] : kept_.files) {
      if (progress.status != status) continue;
      present_.insert(first_line);
      progress.is_done = is_rotated;
      return {};
    }
    const auto first_line = FirstLine(file);
    if (!first_line) return first_line.error();
    if (first_line->empty()) return {};
    const std::string name = Sha256(*first_line);
    present_.insert(name);
    Progress& progress = kept_.files[name];
    if (left_ == 0) return {};
    const auto end = VisitLinesFrom(file, progress.position, left_, [&](const std::string& line) {
      CountDecision(line, probes_, kept_.counts);
    });
    if (!end) return end.error();
    left_ -= std::min(left_, *end - progress.position);
    progress.position = *end;
    if (left_ == 0) return {};
    progress.status = status;
    progress.is_done = is_rotated;
    return {};
  }

  [[nodiscard]] bool HasAll() const {
    return std::ranges::all_of(kept_.files, [&](const auto& entry) {
      return entry.second.is_done || present_.contains(entry.first);
    });
  }

  void ForgetOthers() {
    std::erase_if(kept_.files, [&](const auto& entry) {
      if (present_.contains(entry.first)) return false;
      if (!entry.second.is_done) ++kept_.counts.lost_files;
      return true;
    });
  }

  Kept& kept_;
  const std::string& log_;
  const store::Probes& probes_;
  std::uint64_t left_;
  std::set<std::string> present_;
  std::string fault_;
};

}  // namespace

void CountDecision(const std::string& line, const store::Probes& probes, DecisionCounts& counts) {
  json::Scanner scanner(line);
  std::string outcome;
  std::string verb;
  std::string container;
  std::vector<FoundFinding> findings;
  std::uint64_t count = 1;
  DecisionKind kind;
  constexpr std::string_view kWanted[] = {"outcome",   "mode",     "engine", "verb",
                                          "container", "findings", "repeats"};
  scanner.Object(kWanted, [&](std::size_t index) {
    constexpr std::size_t kFindings = 5;
    constexpr std::size_t kRepeats = 6;
    std::string* const texts[] = {&outcome, &kind.mode, &kind.engine, &verb, &container};
    if (index == kFindings) {
      findings = TakeFindings(scanner);
    } else if (index == kRepeats) {
      count = TakeRepeats(scanner);
    } else {
      *texts[index] = scanner.String();
    }
  });
  if (!scanner.Finish() || outcome.empty()) {
    ++counts.unreadable;
    return;
  }
  if (probes.Contains(verb, container)) {
    counts.probes += count;
    return;
  }
  constexpr std::string_view kModes[] = {"enforce", "audit"};
  kind.decision = Decision(outcome, kind.mode);
  kind.mode = OneOf(kModes, kind.mode);
  kind.engine = Engine(kind.engine);
  kind.command = CommandOf(verb);
  std::set<std::pair<std::string, std::string>> seen;
  for (const FoundFinding& finding : findings) {
    if (!seen.emplace(finding.rule, finding.action).second) continue;
    const std::string rule = Rule(finding.rule);
    if (kind.rule.empty() && finding.action == ActionOfDecision(kind.decision)) kind.rule = rule;
    counts.findings[{rule, Action(finding.action), kind.mode}] += count;
  }
  counts.decisions[std::move(kind)] += count;
}

Result<CountedLog> CountLog(const std::string& path, const std::string& state,
                            std::uint64_t max_bytes) {
  const std::string place = state + "/" + kDirectory;
  const auto directory = OpenAndLock(state);
  if (!directory) return directory.error();
  auto kept = ReadKept(directory->get(), place);
  if (!kept) return kept.error();
  const store::Probes probes = store::Probes::Open(state);
  Counting counting(*kept, path, probes, max_bytes);
  const auto is_complete = counting.Run();
  // What was counted before something failed is kept: the positions include it.
  const auto written = sys::ReplaceFile(directory->get(), kFile, json::Write(CountsDocument(*kept)),
                                        S_IRUSR | S_IWUSR, ::geteuid(), ::getegid());
  if (!is_complete) return is_complete.error();
  if (!written) return written.error().In(place + "/" + kFile);
  return CountedLog{std::move(kept->counts), *is_complete};
}

}  // namespace runclad::ctl
