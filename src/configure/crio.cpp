// CRI-O reads crio.conf and then the files of crio.conf.d in the order of their names, when it
// starts.
#include "crio.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "runclad/configure/survey.hpp"
#include "runclad/json/scanner.hpp"
#include "runclad/sys/command.hpp"
#include "runclad/sys/directory.hpp"

#include "daemons.hpp"
#include "layered.hpp"
#include "plan.hpp"
#include "report.hpp"
#include "surveys.hpp"

namespace runclad::configure {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCrioConfig = "/etc/crio/crio.conf";
constexpr const char* kDefaultDropIns = "/etc/crio/crio.conf.d";
constexpr const char* kStorage = "/var/lib/containers/storage";

struct Crio {
  std::optional<Daemon> daemon;
  std::string config;
  std::string drop_ins;
  File file;
  Owned owned;
  Document effective;  // of all files but ours
};

Result<Crio> FindCrio(const Request& request) {
  auto daemon = ChooseCrio(FindDaemons("crio"), request.config);
  if (!daemon) return daemon.error();
  Crio crio{std::move(*daemon), kCrioConfig, kDefaultDropIns, {}, {}, {}};
  if (crio.daemon) {
    crio.config = crio.daemon->Value({"--config", "-c"}).value_or(crio.config);
    crio.drop_ins = crio.daemon->Value({"--config-dir", "-d"}).value_or(crio.drop_ins);
  }
  std::error_code fault;
  if (!request.config && !crio.daemon && !fs::exists(fs::path(crio.config).parent_path(), fault)) {
    return Error{"CRI-O does not run and has no " + crio.config + "; name its file with --config"};
  }
  auto file = ReadFile(request.config.value_or(crio.drop_ins + "/10-" + request.name + ".conf"));
  if (!file) return file.error();
  crio.file = std::move(*file);
  crio.owned = {
      Format::kToml, request.name,
      [name = request.name](const Document& tree, const Document* original, const Document&) {
        return CrioRestores(name, tree, original);
      },
      !request.config};
  std::vector<std::string> files = {crio.config};
  for (std::string& path : FilesIn(crio.drop_ins, "")) {
    if (request.config || path != crio.file.path) files.push_back(std::move(path));
  }
  if (request.config) files.push_back(crio.file.path);
  auto effective = Merged(files);
  if (!effective) return effective.error();
  crio.effective = std::move(*effective);
  return crio;
}

// `crio config` prints what CRI-O makes of its files, defaults as comments.
Status Verify(const Crio& crio, const Registration& registration) {
  const std::string program = crio.daemon ? crio.daemon->program : sys::FindInPath("crio");
  if (program.empty()) return {};
  if (crio.daemon) {
    if (auto checked = CheckDaemon(program); !checked) return checked;
  }
  const auto output =
      sys::RunCommand({program, "--config", crio.config, "--config-dir", crio.drop_ins, "config"});
  if (!output) return output.error();
  if (output->status != 0) return Error{"crio config does not accept its files: " + output->err};
  const auto parsed = ParseToml(output->out);
  if (!parsed) return parsed.error().In("crio config");
  const Path runtime = {"crio", "runtime"};
  const auto path =
      TextAt(parsed->tree, {"crio", "runtime", "runtimes", registration.name, "runtime_path"});
  if (path.value_or("") != registration.program) {
    return Error{"crio config shows another program for the runtime " + registration.name +
                 "; a file that is read later sets it"};
  }
  const auto by_default = TextAt(parsed->tree, {"crio", "runtime", "default_runtime"});
  if (registration.is_default && by_default != registration.name) {
    return Error{"crio config shows the default runtime " + by_default.value_or("(none)") +
                 "; a file that is read later sets it"};
  }
  return {};
}

// Pods and containers by the files that CRI-O keeps of them.
std::vector<Use> Containers(const Crio& crio, const std::string& name) {
  const std::string storage = TextAt(crio.effective, {"crio", "root"}).value_or(kStorage);
  std::vector<Use> uses;
  const std::string containers = storage + "/overlay-containers";
  for (const std::string& id : sys::NamesIn(containers)) {
    const auto config = ReadFile(containers + "/" + id + "/userdata/config.json");
    if (!config || !config->bytes) continue;
    std::string handler;
    std::string shown = id;
    json::Scanner scanner(*config->bytes);
    scanner.Object({"annotations"}, [&](std::size_t) {
      scanner.Object({"io.kubernetes.cri-o.RuntimeHandler", "io.kubernetes.cri-o.Name"},
                     [&](std::size_t index) { (index == 0 ? handler : shown) = scanner.String(); });
    });
    if (scanner.Finish() && handler == name) uses.push_back({shown, handler, kPodRemedy});
  }
  return uses;
}

// In any of its files.
Status CheckCriosEntry(const Crio& crio, const Request& request, const Originals& originals) {
  const auto known = originals.Read(crio.file.path);
  if (!known) return known.error();
  if (*known) return {};
  const auto own = ParseToml(crio.file.text());
  if (!own) return own.error().In(crio.file.path);
  const Path path = {"crio", "runtime", "runtimes", request.name};
  for (const Document* tree : {&crio.effective, &own->tree}) {
    const Document* entry = Find(*tree, path);
    if (entry == nullptr) continue;
    const std::string program = TextAt(*entry, {"runtime_path"}).value_or("");
    auto status = CheckEntry(tree == &own->tree ? crio.file.path : crio.config + " or a drop-in",
                             PathText(path) + " is " + entry->dump(), program, request);
    if (!status) return status;
  }
  return {};
}

}  // namespace

Result<std::optional<Daemon>> ChooseCrio(const std::vector<Daemon>& daemons,
                                         const std::optional<std::string>& config) {
  if (config) {
    for (const Daemon& daemon : daemons) {
      const fs::path main = daemon.Value({"--config", "-c"}).value_or(kCrioConfig);
      const fs::path drop_ins = daemon.Value({"--config-dir", "-d"}).value_or(kDefaultDropIns);
      std::error_code fault;
      if (fs::weakly_canonical(*config, fault) == fs::weakly_canonical(main, fault) ||
          fs::weakly_canonical(fs::path(*config).parent_path(), fault) ==
              fs::weakly_canonical(drop_ins, fault)) {
        return std::optional(daemon);
      }
    }
  }
  return ChooseDaemon(daemons, {"--config", "-c"}, kCrioConfig, std::nullopt);
}

std::string CrioPodOf(std::string_view name) {
  std::vector<std::string> parts(1);
  for (const char c : name) {
    if (c == '_') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  constexpr std::size_t kParts = 6;
  if (parts.size() != kParts || parts[0] != "k8s") return {};
  return parts[3] + "/" + parts[2];
}

std::vector<Use> CrioPodsOf(const std::vector<Daemon>& monitors, const std::string& program) {
  std::vector<Use> uses;
  for (const Daemon& conmon : monitors) {
    const std::string runtime = conmon.Value({"-r"}).value_or("");
    const std::string pod = CrioPodOf(conmon.Value({"-n"}).value_or(""));
    if (pod.empty() || runtime == program) continue;
    uses.push_back({pod, runtime, kPodRemedy, true});
  }
  std::ranges::sort(uses, {}, &Use::name);
  const auto same = [](const Use& left, const Use& right) { return left.name == right.name; };
  uses.erase(std::unique(uses.begin(), uses.end(), same), uses.end());
  return uses;
}

Result<Report> RegisterCrio(const Request& request) {
  const auto crio = FindCrio(request);
  if (!crio) return crio.error();
  const Registration registration = {request.name, request.program, request.is_default};
  const Originals originals(request.state_directory, request.engine, request.name);
  if (auto status = CheckCriosEntry(*crio, request, originals); !status) return status.error();
  const auto plan =
      PlanToSet(crio->file, crio->owned, CrioSettings(registration, crio->effective), originals);
  if (!plan) return plan.error();
  if (request.is_dry_run) return Report{DiffOf({*plan})};
  const std::string older =
      request.is_default ? OlderText(CrioPodsOf(FindDaemons("conmon"), request.program)) : "";
  if (!IsNeeded({*plan})) return Report{crio->file.path + " has it already\n" + older};
  const auto committed = Commit(
      {*plan}, originals, [&] { return Verify(*crio, registration); }, [] {});
  if (!committed) return committed.error();
  return WithRestart(crio->daemon, "crio", request,
                     crio->file.path + ": " + Sentence(registration) + older);
}

Result<Report> UnregisterCrio(const Request& request) {
  const auto crio = FindCrio(request);
  if (!crio) return crio.error();
  const std::vector<Use> uses = Containers(*crio, request.name);
  if (request.is_final && !uses.empty()) return RefusedText(request.name, uses);
  std::vector<Setting> kept;
  Registration lower = {request.name, "", false};
  if (!uses.empty()) {
    const auto program = LowerRuntime(request);
    if (!program) return program.error();
    lower.program = *program;
    kept = CrioSettings(lower, crio->effective);
  }
  const Originals originals(request.state_directory, request.engine, request.name);
  const auto plan = PlanToUnset(crio->file, crio->owned, kept, originals);
  if (!plan) return plan.error();
  if (request.is_dry_run) return Report{DiffOf({*plan})};
  if (!IsNeeded({*plan})) return Report{NothingText(crio->file.path, lower, uses)};
  const auto verify = [&] { return kept.empty() ? Status() : Verify(*crio, lower); };
  const auto committed = Commit({*plan}, originals, verify, [] {});
  if (!committed) return committed.error();
  return WithRestart(crio->daemon, "crio", request, BackText(crio->file.path, lower, uses));
}

Survey SurveyCrio(const Daemon& daemon) {
  Survey survey = SurveyOf("crio", daemon);
  survey.place = daemon.Value({"--config", "-c"}).value_or(kCrioConfig);
  std::vector<std::string> files = {survey.place};
  for (std::string& path :
       FilesIn(daemon.Value({"--config-dir", "-d"}).value_or(kDefaultDropIns), "")) {
    files.push_back(std::move(path));
  }
  const auto effective = Merged(files);
  if (!effective) {
    survey.fault = effective.error().message;
    return survey;
  }
  survey.is_stale = std::ranges::any_of(
      files, [&](const std::string& file) { return IsNewerThan(file, daemon); });
  ReadCrioConfig(*effective, survey);
  return survey;
}

}  // namespace runclad::configure
