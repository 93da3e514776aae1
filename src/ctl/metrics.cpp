#include "metrics.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include <nlohmann/json.hpp>

#include "runclad/base/time.hpp"
#include "runclad/base/version.hpp"
#include "runclad/doctor/doctor.hpp"
#include "runclad/enforce/host_policy.hpp"
#include "runclad/json/reader.hpp"
#include "runclad/store/break_glass.hpp"
#include "runclad/sys/file.hpp"

#include "decision_counts.hpp"
#include "exposition.hpp"
#include "installed_program.hpp"
#include "log_files.hpp"
#include "policy_status.hpp"

namespace runclad::ctl {
namespace {

using json::Document;

// "images/docker.io/library/nginx.json" → "docker.io/library/nginx"
std::string ImageOf(std::string_view path) {
  constexpr std::string_view kImages = "images/";
  constexpr std::string_view kSuffix = ".json";
  constexpr std::string_view kDefault = "_default";
  if (path.starts_with("digests/")) return "digests";
  if (!path.starts_with(kImages) && !path.starts_with("pods/")) return {};
  if (path.ends_with(kSuffix)) path.remove_suffix(kSuffix.size());
  if (path.starts_with(kImages)) path.remove_prefix(kImages.size());
  if (!path.ends_with(kDefault)) return std::string(path);
  path.remove_suffix(kDefault.size());
  return std::string(path) + "*";
}

void AddExpiries(const Document& object, const std::string& image, WaiverExpiries& expiries) {
  const auto waivers = object.find("waivers");
  if (waivers == object.end() || !waivers->is_array()) return;
  for (const Document& waiver : *waivers) {
    const auto text = [&](const char* member) {
      const auto found = waiver.is_object() ? waiver.find(member) : waiver.end();
      return found != waiver.end() && found->is_string() ? found->get<std::string>()
                                                         : std::string();
    };
    const auto last_day = ParseDay(text("expires"));
    if (!last_day) continue;
    const std::int64_t end = (*last_day + 1) * kSecondsPerDay;
    const auto [at, is_new] = expiries.emplace(std::pair(text("rule"), image), end);
    if (!is_new) at->second = std::min(at->second, end);
  }
}

class Measuring {
 public:
  explicit Measuring(const MetricsRequest& request) : request_(request) {}

  void Run() {
    AddVersion();
    AddPolicy();
    AddDecisions();
    AddLowerRuntime();
    AddRoads();
  }
  [[nodiscard]] std::string text() const { return text_.text() + comments_; }
  // What could not be measured.
  [[nodiscard]] const std::string& comments() const { return comments_; }

 private:
  void Complain(const std::string& sentence) { comments_ += "# " + Printable(sentence) + "\n"; }

  void AddVersion() {
    text_.Family("runclad_build_info", "gauge", "The version of runcladctl.");
    text_.Sample({{"version", Version()}}, 1);
  }

  void AddPolicy() {
    const std::string directory =
        request_.config_directory.value_or(std::string(policy::kDefaultConfigDirectory));
    const auto policy = enforce::LoadPolicy(request_.config_directory);
    const PolicyStatus status = StatusOf(PolicyPlace{directory, request_.state});
    text_.Family("runclad_policy_usable", "gauge",
                 "Whether the policy in force can be used; if it cannot, new containers are "
                 "refused.");
    text_.Sample({}, policy && policy->fell_back_because.empty() ? 1 : 0);
    if (policy) {
      log_ = ReadableLog(policy->log);
      level_ = policy::Name(policy->log.level);
      text_.Family("runclad_policy_info", "gauge",
                   "The digest of the policy, as the log has it, and the revision of its bundle.");
      const bool has_revision = status.revision && status.revision->revision > 0;
      const std::string revision =
          has_revision ? std::to_string(status.revision->revision) : std::string();
      text_.Sample({{"digest", policy->digest},
                    {"revision", revision},
                    {"mode", policy::Name(policy->mode)}},
                   1);
    } else {
      Complain(policy.error().message);
    }
    AddWaivers(policy && !policy->directory.empty() ? policy->directory : directory);
    AddBreakGlass();
  }

  void AddWaivers(const std::string& directory) {
    const auto tree = ReadPolicyTree(directory);
    if (!tree) return Complain(tree.error().message);
    text_.Family("runclad_waiver_expiry_timestamp_seconds", "gauge",
                 "When the first waiver of a rule expires, by image; empty: the host's.");
    for (const auto& [what, end] : ExpiriesOf(*tree)) {
      text_.Sample({{"rule", what.first}, {"image", what.second}}, end);
    }
  }

  void AddBreakGlass() {
    const auto glass = store::FindBreakGlass();
    if (!glass) Complain(glass.error().message);
    text_.Family("runclad_break_glass_until_timestamp_seconds", "gauge",
                 "Until when nothing is enforced; 0 if the switch is off.");
    const bool is_on = glass && glass->has_value();
    text_.Sample({}, is_on ? ParseTime((*glass)->until).value_or(0) : std::int64_t{0});
  }

  void AddDecisions() {
    std::optional<CountedLog> log;
    if (log_) {
      auto counted = CountLog(*log_, request_.state);
      if (counted) {
        log = *std::move(counted);
      } else {
        Complain("the decisions are not counted: " + counted.error().message);
      }
    }
    text_.Family("runclad_log_counted", "gauge",
                 "Whether every decision in the log is counted; 0: the log is not a file, or too "
                 "much was written since the last time.");
    text_.Sample({}, log && log->is_complete ? 1 : 0);
    if (!level_.empty()) {
      text_.Family(
          "runclad_log_level_info", "gauge",
          "The policy's log/level: decisions below it are not logged, and so not counted.");
      text_.Sample({{"level", level_}}, 1);
    }
    if (!log) return;
    text_.Family("runclad_decisions_total", "counter",
                 "Decisions, each under the first rule that led to it.");
    for (const auto& [kind, count] : log->counts.decisions) {
      text_.Sample({{"decision", kind.decision},
                    {"rule", kind.rule},
                    {"mode", kind.mode},
                    {"engine", kind.engine},
                    {"command", kind.command}},
                   count);
    }
    text_.Family("runclad_findings_total", "counter",
                 "Decisions in which a rule found something, under each of these rules.");
    for (const auto& [kind, count] : log->counts.findings) {
      text_.Sample({{"rule", kind.rule}, {"action", kind.action}, {"mode", kind.mode}}, count);
    }
    text_.Family("runclad_probe_decisions_total", "counter",
                 "Decisions about the probe containers of runcladctl doctor, which the families "
                 "above leave out.");
    text_.Sample({}, log->counts.probes);
    text_.Family("runclad_log_unreadable_lines_total", "counter",
                 "Lines of the log that were not written by runclad.");
    text_.Sample({}, log->counts.unreadable);
    text_.Family("runclad_log_lost_files_total", "counter",
                 "Files of the log that were removed before every line had been counted.");
    text_.Sample({}, log->counts.lost_files);
  }

  void AddLowerRuntime() {
    doctor::Options options;
    options.program = Program();
    options.limit = std::chrono::seconds(request_.limit);
    const doctor::LowerRuntimeFacts runtime = doctor::GatherRuntime(options);
    if (!runtime.fault.empty()) Complain(runtime.fault);
    text_.Family("runclad_lower_runtime_info", "gauge", "The runtime that runclad executes.");
    if (runtime.path.empty()) return;
    text_.Sample({{"path", runtime.path}, {"kind", runtime.kind}, {"version", runtime.version}}, 1);
  }

  void AddRoads() {
    const doctor::RoadCount roads =
        doctor::CountOpenRoads(Program(), std::chrono::seconds(request_.limit));
    text_.Family("runclad_roads_open", "gauge",
                 "Ways to a container that runclad does not see, as doctor counts them.");
    text_.Sample({}, roads.open);
    text_.Family("runclad_roads_counted", "gauge", "Whether every engine could be asked for them.");
    text_.Sample({}, roads.is_complete ? 1 : 0);
  }

  [[nodiscard]] std::string Program() const {
    return request_.program.empty() ? InstalledProgram() : request_.program;
  }

  const MetricsRequest& request_;
  Exposition text_;
  std::string comments_;
  std::optional<std::string> log_;  // the file; none: it is another target, or unknown
  std::string_view level_;          // the policy's; empty: unknown
};

// Others may own the directory (Debian's node-exporter does): nothing in it is trusted or followed.
Status WriteTextfile(const std::string& path, const std::string& text) {
  const std::size_t slash = path.rfind('/');
  const std::string name = path.substr(slash + 1);
  if (slash == std::string::npos || !name.ends_with(".prom")) {
    return Error{"--textfile " + path +
                 " must be an absolute path that ends in .prom: node-exporter reads no others"};
  }
  const std::string where = slash == 0 ? "/" : path.substr(0, slash);
  const auto directory = sys::OpenDirectory(where);
  if (!directory) {
    return directory.error().In("--textfile " + path + " needs a directory that exists");
  }
  constexpr mode_t kMode = 0644;
  auto written = sys::ReplaceFile(directory->get(), name, text, kMode, ::geteuid(), ::getegid());
  return written ? written : Status(written.error().In(path));
}

}  // namespace

WaiverExpiries ExpiriesOf(const PolicyTree& tree) {
  WaiverExpiries expiries;
  for (const auto& [path, text] : tree) {
    if (text.find("\"waivers\"") == std::string::npos) continue;
    const auto document = json::Read(text, {.comments = true});
    if (!document || !document->is_object()) continue;
    const std::string image = ImageOf(path);
    AddExpiries(*document, image, expiries);
    const auto tags = document->find("tags");
    if (tags == document->end() || !tags->is_object()) continue;
    for (const auto& [tag, part] : tags->items()) {
      if (part.is_object()) AddExpiries(part, image + ":" + tag, expiries);
    }
  }
  return expiries;
}

Result<Output> ShowMetrics(const MetricsRequest& request) {
  if (::geteuid() != 0) return Error{"only root can see what metrics counts"};
  Measuring measuring(request);
  measuring.Run();
  const int status = measuring.comments().empty() ? kUnchanged : kChanged;
  if (request.textfile.empty()) return Output{measuring.text(), status};
  const auto written = WriteTextfile(request.textfile, measuring.text());
  if (!written) return written.error();
  return Output{measuring.comments(), status};
}

}  // namespace runclad::ctl
