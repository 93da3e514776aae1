#include "status.hpp"

#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "runclad/base/time.hpp"
#include "runclad/doctor/doctor.hpp"
#include "runclad/doctor/log.hpp"
#include "runclad/enforce/host_policy.hpp"
#include "runclad/json/reader.hpp"
#include "runclad/look/container.hpp"

#include "document_text.hpp"
#include "installed_program.hpp"
#include "lint_report.hpp"
#include "log_files.hpp"
#include "policy_status.hpp"

namespace runclad::ctl {
namespace {

namespace fs = std::filesystem;
using json::Document;

constexpr std::size_t kShownRefusals = 5;

struct HostStatus {
  doctor::RoadFacts roads;
  std::map<std::string, std::uint64_t> containers;  // by "restricted, enforce"
  PolicyStatus policy;
  std::string policy_mode;
  std::string break_glass;
  std::vector<LintFinding> waivers;  // that expire soon or have expired
  DayOfLog today;
  std::string log_fault;
  std::vector<std::string>
      log_faults;  // why decisions are not logged or counted, or soon will not be
};

// The living containers that have a record, by their profile and mode.
std::map<std::string, std::uint64_t> CountContainers() {
  std::map<std::string, std::uint64_t> counts;
  const auto found = look::FindContainers({{}, look::LookOptions::Filters::kNone, {}});
  if (!found) return counts;
  for (const look::Container& container : *found) {
    if (!container.mode.empty()) ++counts[container.profile + ", " + container.mode];
  }
  return counts;
}

// The files that may have lines of today: others were last written before.
void ReadLog(const policy::LogSettings& log, std::int64_t now, const std::string& state,
             HostStatus& status) {
  const auto path = ReadableLog(log);
  if (!path) {
    status.log_fault = "the log goes to " + log.target;
    return;
  }
  if (log.level != policy::LogLevel::kInfo) {
    status.log_fault =
        "only decisions from the level " + std::string(policy::Name(log.level)) + " on are logged";
  }
  const std::string day = FormatDay(now);
  const store::Probes probes = store::Probes::Open(state);
  std::vector<std::string> files = LogFiles(*path);
  // A bound on the time that this takes.
  std::uint64_t bytes_left = std::uint64_t{800} << 20;
  // Read the oldest first, so that the last refusals are shown.
  std::vector<std::pair<std::string, std::uint64_t>> parts;
  for (std::string& file : files) {
    std::error_code fault;
    const auto written = fs::last_write_time(file, fault);
    if (fault || fs::file_time_type::clock::now() - written > std::chrono::hours(24)) continue;
    const std::uint64_t bytes = fs::file_size(file, fault);
    if (fault) continue;
    parts.emplace_back(std::move(file), bytes_left);
    bytes_left -= std::min(bytes, bytes_left);
  }
  std::ranges::reverse(parts);
  bool is_whole = true;
  for (const auto& [file, bytes] : parts) {
    const auto read = VisitLastLines(
        file, bytes, [&](const std::string& line) { CountLine(line, day, probes, status.today); });
    is_whole = is_whole && (!read || *read);
    if (!read) status.log_fault = read.error().message;
  }
  if (!is_whole) {
    status.log_faults.emplace_back("only a part of the log was read: it is larger than 800 MiB");
  }
}

// "runclad by default; 2 other runtimes"
std::string LineOf(const doctor::EngineFacts& engine) {
  if (!engine.fault.empty()) return "does not answer: " + engine.fault;
  std::string line;
  if (engine.is_covered()) {
    line = engine.default_runtime + " (runclad) by default";
  } else if (!engine.default_runtime.empty()) {
    line = engine.default_runtime + " by default, without runclad";
  } else if (engine.builder) {
    line = engine.builder->is_runclad ? "builds run by runclad" : "builds run without runclad";
  } else {
    line = "no runtimes of its own";
  }
  std::string others;
  for (const doctor::RuntimeFact& runtime : engine.runtimes) {
    if (runtime.is_runclad || runtime.name == engine.default_runtime) continue;
    others += (others.empty() ? "" : ", ") + runtime.name;
  }
  if (!others.empty()) line += "; also " + others;
  const auto older =
      std::ranges::count_if(engine.containers, [&](const doctor::ContainerFact& container) {
        const doctor::RuntimeFact* runtime = engine.runtime(container.runtime);
        return runtime == nullptr || !runtime->is_runclad;
      });
  if (older > 0) line += "; " + std::to_string(older) + " containers of other runtimes";
  return line;
}

std::string CountsText(const std::map<std::string, std::uint64_t>& counts) {
  std::string text;
  for (const auto& [name, count] : counts) {
    text += (text.empty() ? "" : "; ") + std::to_string(count) + " " + name;
  }
  return text;
}

std::string TodayText(const HostStatus& status) {
  const DayOfLog& today = status.today;
  std::string text = CountsText(today.outcomes);
  if (today.warned > 0) {
    text += (text.empty() ? "" : "; ") + std::to_string(today.warned) + " let pass with a warning";
  }
  if (text.empty()) text = "nothing was decided";
  if (today.probes > 0)
    text += "; not counted: " + std::to_string(today.probes) + " of doctor's probes";
  return status.log_fault.empty() ? text : text + " (" + status.log_fault + ")";
}

std::string PolicyText(const HostStatus& status, const std::string& directory) {
  std::string text = status.policy.revision
                         ? TitleOf(*status.policy.revision) + " since " +
                               status.policy.revision->since + " by " + status.policy.revision->by
                         : "the files in " + directory;
  text += ", mode " + status.policy_mode;
  if (!status.policy.policy_digest.empty()) text += ", " + status.policy.policy_digest;
  return text;
}

std::string UnrecordedText(const std::vector<doctor::UnrecordedFact>& unrecorded,
                           const Style& style) {
  constexpr std::size_t kShown = 5;
  std::string names;
  std::vector<std::string> remedies;
  for (std::size_t i = 0; i < unrecorded.size(); ++i) {
    const doctor::UnrecordedFact& container = unrecorded[i];
    if (i < kShown) {
      names += (i == 0 ? "" : ", ") + container.engine + (container.engine.empty() ? "" : " ") +
               container.name;
    }
    if (std::ranges::find(remedies, container.remedy) == remedies.end()) {
      remedies.push_back(container.remedy);
    }
  }
  if (unrecorded.size() > kShown) {
    names += " and " + std::to_string(unrecorded.size() - kShown) + " more";
  }
  std::string text = Wrapped(style.Red("not through runclad: ") + Printable(names), 2);
  for (const std::string& remedy : remedies) text += Wrapped(Printable(remedy), 4, "> ");
  return text;
}

std::string AsText(const HostStatus& status, const std::string& directory, const Style& style) {
  std::vector<std::vector<std::string>> rows;
  for (const doctor::EngineFacts& engine : status.roads.engines) {
    rows.push_back({engine.engine, Printable(engine.place), Printable(LineOf(engine))});
  }
  std::string text = style.Bold("engines") + "\n";
  text += rows.empty() ? "  none runs on this host\n" : Table(rows);
  const auto section = [&](const char* title, const std::string& line) {
    text += style.Bold(title) + "\n" + Wrapped(Printable(line), 2);
  };
  const std::string counts = CountsText(status.containers);
  section("containers", counts.empty() ? "none runs through runclad" : counts);
  if (!status.roads.unrecorded.empty()) text += UnrecordedText(status.roads.unrecorded, style);
  section("policy", PolicyText(status, directory));
  for (const std::string& fault :
       {status.policy.error, status.policy.fell_back_because, status.break_glass}) {
    if (!fault.empty()) text += Wrapped(style.Red("! ") + Printable(fault), 2);
  }
  for (const LintFinding& waiver : status.waivers) {
    text += Wrapped(
        Printable(waiver.file + ":" + std::to_string(waiver.line) + ": " + waiver.message), 2);
  }
  section("today", TodayText(status));
  for (const std::string& refusal : status.today.refusals) {
    text += Wrapped("refused: " + Printable(refusal), 2);
  }
  for (const std::string& fault : status.log_faults) {
    text += Wrapped(style.Red("! ") + Printable(fault), 2);
  }
  return text;
}

Document ToDocument(const doctor::EngineFacts& engine) {
  Document runtimes = Document::array();
  for (const doctor::RuntimeFact& runtime : engine.runtimes) {
    runtimes.push_back(
        {{"name", runtime.name}, {"program", runtime.program}, {"runclad", runtime.is_runclad}});
  }
  return {{"engine", engine.engine},
          {"place", engine.place},
          {"fault", engine.fault.empty() ? Document() : Document(engine.fault)},
          {"default", engine.default_runtime},
          {"covered", engine.is_covered()},
          {"runtimes", std::move(runtimes)}};
}

Document AsJson(const HostStatus& status, const std::string& directory) {
  Document engines = Document::array();
  for (const doctor::EngineFacts& engine : status.roads.engines) {
    engines.push_back(ToDocument(engine));
  }
  Document waivers = Document::array();
  for (const LintFinding& waiver : status.waivers) {
    waivers.push_back({{"file", waiver.file}, {"line", waiver.line}, {"message", waiver.message}});
  }
  Document unrecorded = Document::array();
  for (const doctor::UnrecordedFact& container : status.roads.unrecorded) {
    unrecorded.push_back({{"name", container.name},
                          {"engine", container.engine},
                          {"program", container.program},
                          {"remedy", container.remedy}});
  }
  Document policy = {
      {"directory", directory},
      {"digest", status.policy.policy_digest},
      {"mode", status.policy_mode},
      {"error", status.policy.error.empty() ? Document() : Document(status.policy.error)},
      {"breakGlass", status.break_glass.empty() ? Document() : Document(status.break_glass)}};
  if (status.policy.revision) {
    policy["revision"] = TitleOf(*status.policy.revision);
    policy["since"] = status.policy.revision->since;
    policy["by"] = status.policy.revision->by;
  }
  return {{"version", 1},
          {"engines", std::move(engines)},
          {"containers", status.containers},
          {"unrecorded", std::move(unrecorded)},
          {"policy", std::move(policy)},
          {"waivers", std::move(waivers)},
          {"log", {{"faults", status.log_faults}}},
          {"today",
           {{"outcomes", status.today.outcomes},
            {"warned", status.today.warned},
            {"probes", status.today.probes},
            {"refusals", status.today.refusals}}}};
}

}  // namespace

void CountLine(const std::string& line, const std::string& day, const store::Probes& probes,
               DayOfLog& counts) {
  const auto entry = json::Read(line);
  if (!entry || !entry->is_object() || !Text(*entry, "time").starts_with(day)) return;
  const std::string outcome = Text(*entry, "outcome");
  if (outcome.empty()) return;
  // A line may stand for decisions that repeated an earlier one.
  const Document repeats = entry->value("repeats", Document::object());
  const std::uint64_t count =
      repeats.is_object() ? repeats.value("count", std::uint64_t{1}) : std::uint64_t{1};
  if (probes.Contains(Text(*entry, "verb"), Text(*entry, "container"))) {
    counts.probes += count;
    return;
  }
  counts.outcomes[outcome] += count;
  std::vector<std::string> refused_by;
  bool is_warned = false;
  for (const Document& finding : entry->value("findings", Document::array())) {
    if (!finding.is_object()) continue;
    const std::string action = Text(finding, "action");
    is_warned |= action == "warned";
    const std::string rule = Text(finding, "rule");
    if (action == "refused" && std::ranges::find(refused_by, rule) == refused_by.end()) {
      refused_by.push_back(rule);
    }
  }
  const bool is_refused = outcome == "refused" || outcome == "error";
  if (is_warned && !is_refused) counts.warned += count;
  if (!is_refused) return;
  const std::string name = Text(*entry, "name");
  constexpr std::size_t kShownOfId = 12;
  counts.refusals.push_back(
      (name.empty() ? Text(*entry, "container").substr(0, kShownOfId) : name) + ": " +
      (refused_by.empty() ? Text(*entry, "error") : Joined(refused_by)));
  if (counts.refusals.size() > kShownRefusals) counts.refusals.erase(counts.refusals.begin());
}

Result<Output> ShowStatus(const StatusRequest& request, const Style& style) {
  if (::geteuid() != 0) return Error{"only root can see what status looks at"};
  HostStatus status;
  const std::string program = request.program.empty() ? InstalledProgram() : request.program;
  status.roads = doctor::GatherRoads(program, std::chrono::seconds(request.limit));
  status.containers = CountContainers();
  const std::string directory =
      request.config_directory.value_or(std::string(policy::kDefaultConfigDirectory));
  status.policy = StatusOf(PolicyPlace{directory, request.state});
  policy::LogSettings log;
  const auto policy = enforce::LoadPolicy(request.config_directory);
  if (policy) {
    status.policy_mode = policy::Name(policy->mode);
    log = policy->log;
  } else {
    status.policy.error = policy.error().message;
    status.policy_mode = "unknown";
  }
  status.break_glass = status.policy.break_glass;
  std::error_code fault;
  const std::string linted = policy && !policy->directory.empty() ? policy->directory : directory;
  if (fs::is_directory(linted, fault)) {
    for (LintFinding& finding : LintDirectory(linted)) {
      if (finding.kind == "waiver-expires" || finding.kind == "waiver-expired") {
        status.waivers.push_back(std::move(finding));
      }
    }
  }
  ReadLog(log, ::time(nullptr), request.state, status);
  for (const doctor::Finding& finding : doctor::LogFindings(request.config_directory)) {
    status.log_faults.push_back("the log " + finding.subject + ": " + finding.sentence);
  }
  Output output{AsText(status, directory, style)};
  if (request.json) {
    output.text = Dump(AsJson(status, directory));
  }
  return output;
}

}  // namespace runclad::ctl
