#include "report.hpp"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <functional>
#include <tuple>
#include <utility>

#include <nlohmann/json.hpp>

#include "runclad/base/spelling.hpp"
#include "runclad/base/time.hpp"
#include "runclad/enforce/host_policy.hpp"
#include "runclad/json/reader.hpp"
#include "runclad/sys/directory.hpp"
#include "runclad/sys/file.hpp"
#include "runclad/sys/named_file.hpp"

#include "document_text.hpp"
#include "log_files.hpp"
#include "look_commands.hpp"

namespace runclad::ctl {
namespace {

namespace fs = std::filesystem;
using json::Document;

constexpr int kDays = 30;  // of refusals
constexpr std::size_t kMaxInputBytes = std::size_t{64} << 20;

// A directory of changes can be as large as a disk: after this, drift is left out.
constexpr std::chrono::seconds kPatienceForDrift(2);

void ReadDrift(Report& report) {
  const auto deadline = std::chrono::steady_clock::now() + kPatienceForDrift;
  for (ReportedContainer& entry : report.containers) {
    if (std::chrono::steady_clock::now() > deadline) {
      entry.no_drift_because =
          "not compared, because other containers took too long; use runcladctl drift";
      continue;
    }
    auto drift = look::DriftOf(entry.container);
    if (drift) {
      entry.drift = *std::move(drift);
    } else {
      entry.no_drift_because = drift.error().message;
    }
  }
}

void ReadWaivers(const std::string& directory, std::int64_t today, Report& report) {
  constexpr std::size_t kMostFiles = 20'000;
  std::size_t count = 0;
  std::error_code fault;
  for (fs::recursive_directory_iterator at(directory, fault), end; !fault && at != end;
       at.increment(fault)) {
    std::error_code unknown;
    if (at->path().extension() != ".json" || !at->is_regular_file(unknown)) continue;
    if (++count > kMostFiles) break;
    const auto text = sys::ReadFile(at->path(), kMaxInputBytes);
    if (!text) continue;
    std::ranges::move(WaiversIn(fs::path(at->path()).lexically_relative(directory), *text, today),
                      std::back_inserter(report.waivers));
  }
  std::ranges::sort(report.waivers, {}, [](const ReportedWaiver& waiver) {
    return std::tuple(!waiver.days_left, waiver.days_left.value_or(0), waiver.file, waiver.rule);
  });
}

void ReadRefusals(const policy::LogSettings& log, Report& report) {
  for (int ago = kDays - 1; ago >= 0; --ago) {
    report.days.push_back({FormatDay(report.time - ago * kSecondsPerDay), 0, 0});
  }
  const auto path = ReadableLog(log);
  if (!path) {
    report.log_fault = "the log goes to " + log.target + ", which is not read";
    return;
  }
  // Rotation keeps ten files of 100 MB or more, and reading them all would take too long.
  constexpr std::uint64_t kMostBytes = std::uint64_t{256} << 20;
  std::uint64_t bytes = 0;
  for (const std::string& file : LogFiles(*path)) {
    std::error_code fault;
    const auto written = fs::last_write_time(file, fault);
    const auto age = fs::file_time_type::clock::now() - written;
    if (fault || age > std::chrono::hours(24) * kDays) continue;
    bytes += fs::file_size(file, fault);
    if (bytes > kMostBytes) {
      report.log_fault = "only the newest 256 MB of the log are counted";
      return;
    }
    const auto read =
        VisitLines(file, [&](const std::string& line) { CountRefusal(line, report.days); });
    if (!read) report.log_fault = read.error().message;
  }
}

Result<Report> Gather(const ReportRequest& request) {
  auto containers = look::FindContainers({request.runtime_roots, request.filters, {}});
  if (!containers) return containers.error();
  Report report;
  report.time = ::time(nullptr);
  struct utsname kernel {};
  if (::uname(&kernel) == 0) {
    report.host = static_cast<const char*>(kernel.nodename);
    report.kernel = static_cast<const char*>(kernel.release);
  }
  for (look::Container& container : *containers) {
    ReportedContainer entry;
    entry.container = std::move(container);
    entry.score = look::ScoreOf(entry.container);
    for (const look::Control& control : look::Controls()) {
      entry.assessments.push_back(look::Assess(control, entry.container));
    }
    entry.pod_security = look::PodSecurityLevel(entry.container);
    report.containers.push_back(std::move(entry));
  }
  std::ranges::stable_sort(report.containers, std::ranges::greater{},
                           [](const ReportedContainer& entry) { return entry.score.exposure; });
  ReadDrift(report);
  std::string directory =
      request.config_directory.value_or(std::string(policy::kDefaultConfigDirectory));
  policy::LogSettings log;
  if (const auto policy = enforce::LoadPolicy(request.config_directory)) {
    report.policy = std::string(policy::Name(policy->mode)) + ", " + policy->digest;
    report.break_glass = policy->break_glass;
    log = policy->log;
    if (!policy->directory.empty()) directory = policy->directory;
  } else {
    report.policy = policy.error().message;
  }
  ReadWaivers(directory, enforce::Today(), report);
  ReadRefusals(log, report);
  if (!request.compare.empty()) {
    const auto text = sys::ReadFile(request.compare, kMaxInputBytes);
    if (!text) return text.error();
    auto compared = ParseDockerBench(*text);
    if (!compared) return compared.error().In(request.compare);
    report.compared = *std::move(compared);
  }
  return report;
}

std::string InFormat(const Report& report, ReportFormat format) {
  switch (format) {
    case ReportFormat::kJson:
      return ReportAsJson(report);
    case ReportFormat::kSarif:
      return ReportAsSarif(report);
    case ReportFormat::kJunit:
      return ReportAsJunit(report);
    case ReportFormat::kHtml:
      break;
  }
  return AsHtml(report);
}

// The report shows how the host can be attacked, so only its owner may read it.
Status Write(const std::string& path, const std::string& text) {
  const fs::path absolute = fs::absolute(path);
  const auto directory = sys::OpenDirectory(absolute.parent_path());
  if (!directory) return directory.error().In("the report " + path);
  constexpr mode_t kForOwner = 0600;
  auto written = sys::ReplaceFile(directory->get(), absolute.filename(), text, kForOwner,
                                  ::geteuid(), ::getegid());
  if (!written) return written.error().In("the report " + path);
  return {};
}

}  // namespace

std::string ReportedContainer::title() const {
  constexpr std::size_t kShownOfId = 12;
  return container.name.empty() ? container.id.substr(0, kShownOfId) : container.name;
}

Result<std::map<std::string, std::string, std::less<>>> ParseDockerBench(std::string_view text) {
  const Document document = Document::parse(text, nullptr, /*allow_exceptions=*/false);
  const Error fault{"it is not the JSON that docker-bench-security writes (log/*.json)"};
  if (!document.is_object() || !document.contains("dockerbenchsecurity")) return fault;
  const Document sections = document.value("tests", Document());
  if (!sections.is_array()) return fault;
  std::map<std::string, std::string, std::less<>> found;
  for (const Document& section : sections) {
    if (!section.is_object()) return fault;
    const Document results = section.value("results", Document::array());
    for (const Document& result : results) {
      if (!result.is_object()) return fault;
      const std::string id = Text(result, "id");
      if (id.starts_with("5.")) found[id] = Text(result, "result");
    }
  }
  if (found.empty()) return Error{"it has no results for section 5 (containers)"};
  return found;
}

std::vector<ReportedWaiver> WaiversIn(const std::string& file, std::string_view text,
                                      std::int64_t today) {
  std::vector<ReportedWaiver> found;
  const auto document = json::Read(text, {.comments = true});
  if (!document || !document->is_object()) return found;
  const auto take = [&](const Document& part) {
    const auto waivers = part.is_object() ? part.find("waivers") : part.end();
    if (!part.is_object() || waivers == part.end() || !waivers->is_array()) return;
    for (const Document& waiver : *waivers) {
      if (!waiver.is_object()) continue;
      ReportedWaiver entry{file, Text(waiver, "rule"), Text(waiver, "reason"),
                           Text(waiver, "expires"), std::nullopt};
      if (const auto day = ParseDay(entry.expires)) entry.days_left = *day - today;
      found.push_back(std::move(entry));
    }
  };
  take(*document);
  const auto tags = document->find("tags");
  if (tags != document->end() && tags->is_object()) {
    for (const auto& [tag, part] : tags->items()) take(part);
  }
  return found;
}

void CountRefusal(const std::string& line, std::vector<DayOfRefusals>& days) {
  // Most lines are not refusals, and parsing one takes long.
  if (line.find("refuse") == std::string::npos) return;
  const auto entry = json::Read(line);
  if (!entry || !entry->is_object()) return;
  const std::string outcome = Text(*entry, "outcome");
  if (outcome != "refused" && outcome != "would-refuse") return;
  constexpr std::size_t kDayLength = 10;
  const std::string day = Text(*entry, "time").substr(0, kDayLength);
  const auto found = std::ranges::find(days, day, &DayOfRefusals::day);
  if (found == days.end()) return;
  const Document repeats = entry->value("repeats", Document::object());
  const std::uint64_t count =
      repeats.is_object() ? repeats.value("count", std::uint64_t{1}) : std::uint64_t{1};
  (outcome == "refused" ? found->refused : found->would_refuse) += count;
}

ControlCounts CountsOf(const Report& report, std::size_t control) {
  ControlCounts counts;
  for (const ReportedContainer& entry : report.containers) {
    switch (entry.assessments[control].ruling) {
      case look::Ruling::kPass:
        ++counts.passed;
        break;
      case look::Ruling::kFail:
        ++counts.failed;
        counts.failing.push_back(&entry);
        break;
      case look::Ruling::kUnknown:
        ++counts.unknown;
        break;
    }
  }
  return counts;
}

Result<Output> WriteReport(const ReportRequest& request) {
  const auto report = Gather(request);
  if (!report) return report.error();
  std::string text = InFormat(*report, request.format);
  if (request.output.empty()) return Output{std::move(text)};
  if (auto written = Write(request.output, text); !written) return written.error();
  return Output{"the report of " + std::to_string(report->containers.size()) +
                " containers is in " + Printable(request.output) + "\n"};
}

}  // namespace runclad::ctl
