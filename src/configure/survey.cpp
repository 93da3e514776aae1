#include "runclad/configure/survey.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <utility>

#include "runclad/sys/command.hpp"
#include "runclad/sys/directory.hpp"
#include "runclad/sys/process.hpp"

#include "containerd_place.hpp"
#include "engines.hpp"
#include "surveys.hpp"

namespace runclad::configure {
namespace {

namespace fs = std::filesystem;

// The programs in `directory`, by their paths.
std::vector<std::string> ProgramsIn(const std::string& directory) {
  std::vector<std::string> programs;
  for (const std::string& name : sys::NamesIn(directory)) {
    std::string path = directory + "/" + name;
    std::error_code unknown;
    if (fs::is_regular_file(path, unknown) && ::access(path.c_str(), X_OK) == 0) {
      programs.push_back(std::move(path));
    }
  }
  return programs;
}

bool IsTrue(const Document& tree, const Path& path) {
  const Document* value = Find(tree, path);
  return value != nullptr && *value == Document(true);
}

// What is run for an entry of a CRI plugin: a program of runc's shim, or another shim.
std::string ProgramOf(const Document& entry) {
  const std::string shim = TextAt(entry, {"runtime_type"}).value_or(kRuncShim);
  const std::string path = TextAt(entry, {"runtime_path"}).value_or("");
  if (!path.empty()) return path;
  if (shim != kRuncShim && !shim.empty()) return shim;
  const std::string program = TextAt(entry, {"options", "BinaryName"}).value_or("");
  return program.empty() ? "runc" : program;
}

}  // namespace

Survey SurveyOf(const std::string& engine, const Daemon& daemon) {
  Survey survey;
  survey.engine = engine;
  survey.place = daemon.program + " (pid " + std::to_string(daemon.pid) + ")";
  survey.pid = daemon.pid;
  survey.search_path = VariableOf(daemon, "PATH");
  return survey;
}

std::string VariableOf(const Daemon& daemon, const std::string& name) {
  std::ifstream file("/proc/" + std::to_string(daemon.pid) + "/environ", std::ios::binary);
  const std::string wanted = name + "=";
  for (std::string variable; std::getline(file, variable, '\0');) {
    if (variable.starts_with(wanted)) return variable.substr(wanted.size());
  }
  return {};
}

bool IsNewerThan(const std::string& file, const Daemon& daemon) {
  struct stat changed {};
  const auto ticks = sys::StartTime(daemon.pid);
  const long per_second = ::sysconf(_SC_CLK_TCK);
  if (!ticks || per_second <= 0 || ::stat(file.c_str(), &changed) != 0) return false;
  std::ifstream statistics("/proc/stat");
  for (std::string line; std::getline(statistics, line);) {
    constexpr std::string_view kBoot = "btime ";
    if (!line.starts_with(kBoot)) continue;
    std::int64_t boot = 0;
    std::from_chars(line.data() + kBoot.size(), line.data() + line.size(), boot);
    return changed.st_mtim.tv_sec > boot + static_cast<std::int64_t>(*ticks) / per_second + 1;
  }
  return false;
}

void ReadDockerInfo(const Document& info, Survey& survey) {
  survey.default_runtime = TextAt(info, {"DefaultRuntime"}).value_or("");
  survey.version = TextAt(info, {"ServerVersion"}).value_or("");
  const Document* runtimes = Find(info, {"Runtimes"});
  if (runtimes == nullptr || !runtimes->is_object() || runtimes->empty()) {
    survey.fault = "docker info does not list its runtimes";
    return;
  }
  for (const auto& [name, runtime] : runtimes->items()) {
    KnownRuntime known{name, TextAt(runtime, {"path"}).value_or(""), ""};
    if (known.program.empty()) known.program = TextAt(runtime, {"runtimeType"}).value_or(name);
    const Document* arguments = Find(runtime, {"runtimeArgs"});
    if (arguments != nullptr && arguments->is_array()) {
      for (const Document& argument : *arguments) {
        if (!argument.is_string()) continue;
        known.arguments += (known.arguments.empty() ? "" : " ") + argument.get<std::string>();
      }
    }
    survey.runtimes.push_back(std::move(known));
  }
}

void ReadContainerdDump(const Document& effective, Survey& survey) {
  const Document* disabled = Find(effective, {"disabled_plugins"});
  const auto is_disabled = [&](const char* plugin) {
    return disabled != nullptr && disabled->is_array() &&
           std::ranges::find(*disabled, Document(plugin)) != disabled->end();
  };
  if (is_disabled("cri") || is_disabled("io.containerd.grpc.v1.cri")) return;
  survey.default_runtime = ContainerdDefault(effective);
  const Document runtimes = ContainerdRuntimes(effective);
  for (const auto& [name, entry] : runtimes.items()) {
    survey.runtimes.push_back({name, ProgramOf(entry), ""});
  }
  const Path nri = {"plugins", "io.containerd.nri.v1.nri"};
  const Document* settings = Find(effective, nri);
  if (settings == nullptr || IsTrue(*settings, {"disable"})) return;
  survey.nri_plugins = ProgramsIn(TextAt(*settings, {"plugin_path"}).value_or("/opt/nri/plugins"));
}

void ReadCrioConfig(const Document& effective, Survey& survey) {
  survey.default_runtime =
      TextAt(effective, {"crio", "runtime", "default_runtime"}).value_or("runc");
  const Document* runtimes = Find(effective, {"crio", "runtime", "runtimes"});
  if (runtimes != nullptr && runtimes->is_object()) {
    for (const auto& [name, entry] : runtimes->items()) {
      const std::string path = TextAt(entry, {"runtime_path"}).value_or("");
      survey.runtimes.push_back({name, path.empty() ? name : path, ""});
    }
  }
  const bool is_known = std::ranges::find(survey.runtimes, survey.default_runtime,
                                          &KnownRuntime::name) != survey.runtimes.end();
  if (!is_known) survey.runtimes.push_back({survey.default_runtime, survey.default_runtime, ""});
  if (!IsTrue(effective, {"crio", "nri", "enable_nri"})) return;
  survey.nri_plugins =
      ProgramsIn(TextAt(effective, {"crio", "nri", "nri_plugin_dir"}).value_or("/opt/nri/plugins"));
}

Survey SurveyContainerd(const Daemon& daemon) {
  Survey survey = SurveyOf("containerd", daemon);
  const auto containerd = DescribeContainerd(daemon, std::nullopt);
  if (!containerd) {
    survey.fault = containerd.error().message;
    return survey;
  }
  survey.place = containerd->main;
  survey.address = daemon.Value({"--address", "-a"})
                       .value_or(TextAt(containerd->effective, {"grpc", "address"})
                                     .value_or("/run/containerd/containerd.sock"));
  survey.is_stale = IsNewerThan(containerd->main, daemon);
  ReadContainerdDump(containerd->effective, survey);
  return survey;
}

void AddContainers(const Result<std::vector<Use>>& uses, Survey& survey) {
  if (!uses) {
    survey.fault = uses.error().message;
    return;
  }
  for (const Use& use : *uses) {
    survey.containers.push_back({use.name, use.runtime, use.remedy, use.is_running});
  }
}

std::vector<Survey> SurveyEngines(std::chrono::seconds limit) {
  std::vector<Survey> surveys;
  for (const Daemon& daemon : FindDaemons("dockerd")) {
    surveys.push_back(SurveyDocker(daemon, limit));
  }
  for (const Daemon& daemon : FindContainerds()) surveys.push_back(SurveyContainerd(daemon));
  for (const Daemon& daemon : FindDaemons("crio")) surveys.push_back(SurveyCrio(daemon));
  for (const Daemon& daemon : FindDaemons("buildkitd")) surveys.push_back(SurveyBuildkit(daemon));
  if (!sys::FindInPath("podman").empty()) surveys.push_back(SurveyPodman(limit));
  return surveys;
}

}  // namespace runclad::configure
