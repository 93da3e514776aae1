// podman reads its files on every call: there is nothing to restart.
#include <algorithm>
#include <filesystem>
#include <utility>

#include "runclad/sys/command.hpp"
#include "runclad/sys/lower_runtime.hpp"

#include "layered.hpp"
#include "plan.hpp"
#include "report.hpp"
#include "surveys.hpp"

namespace runclad::configure {
namespace {

namespace fs = std::filesystem;

// As podman reads them, each over those before it (containers.conf(5)).
constexpr const char* kFiles[] = {"/usr/share/containers/containers.conf",
                                  "/etc/containers/containers.conf"};
constexpr const char* kDropIns = "/etc/containers/containers.conf.d";

struct Podman {
  File file;
  Owned owned;
  Document effective;  // of all files but ours
  sys::CommandOptions options;
};

Result<std::string> Ask(const Podman& podman, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "podman");
  const auto output = sys::RunCommand(arguments, podman.options);
  if (!output) return output.error();
  if (output->status != 0) {
    std::string command;
    for (const std::string& argument : arguments) command += argument + " ";
    return Error{command + "failed: " + output->err};
  }
  return output->out;
}

Result<Podman> FindPodman(const Request& request) {
  if (sys::FindInPath("podman").empty()) return Error{"podman is not installed"};
  Podman podman;
  podman.owned = {
      Format::kToml, request.name,
      [name = request.name](const Document& tree, const Document* original, const Document&) {
        return PodmanRestores(name, tree, original);
      },
      !request.config};
  const std::string own = std::string(kDropIns) + "/50-" + request.name + ".conf";
  auto file = ReadFile(request.config.value_or(own));
  if (!file) return file.error();
  podman.file = std::move(*file);
  std::vector<std::string> files;
  if (request.config) {
    // podman reads this file and no other then.
    podman.options.environment.emplace_back("CONTAINERS_CONF", podman.file.path);
    files.push_back(podman.file.path);
  } else {
    files.assign(std::begin(kFiles), std::end(kFiles));
    for (std::string& path : FilesIn(kDropIns, ".conf")) {
      if (path != podman.file.path) files.push_back(std::move(path));
    }
  }
  auto effective = Merged(files);
  if (!effective) return effective.error();
  podman.effective = std::move(*effective);
  return podman;
}

// By podman itself: the name leads to `program` and, if it is the default, is what podman takes.
Status Verify(const Podman& podman, const Registration& registration) {
  const auto path = Ask(
      podman, {"--runtime", registration.name, "info", "--format", "{{.Host.OCIRuntime.Path}}"});
  if (!path) return path.error();
  if (*path != registration.program + "\n") {
    return Error{"podman takes another program for the runtime " + registration.name + ": " +
                 *path};
  }
  if (!registration.is_default) return {};
  const auto name = Ask(podman, {"info", "--format", "{{.Host.OCIRuntime.Name}}"});
  if (!name) return name.error();
  if (*name == registration.name + "\n") return {};
  return Error{"podman's default runtime is still " + name->substr(0, name->find('\n')) +
               ": a file that is read later sets `runtime` in [engine] (" + kDropIns +
               "), or an environment variable does"};
}

Result<std::vector<Use>> Containers(const Podman& podman, const std::string& name, bool of_name) {
  const auto ids = Ask(podman, {"ps", "--all", "--quiet", "--no-trunc"});
  if (!ids) return ids.error();
  std::vector<std::string> command = {
      "podman",
      "inspect",
      "--type",
      "container",
      "--format",
      "{{.Name}}\t{{.OCIRuntime}}\t{{.State.Running}}\t"
      "{{with index .Config.Labels \"PODMAN_SYSTEMD_UNIT\"}}{{.}}{{end}}"};
  const std::vector<std::string> lines = LinesOf(*ids);
  if (lines.empty()) return std::vector<Use>();
  command.insert(command.end(), lines.begin(), lines.end());
  // Its status is not zero if a container was removed since.
  const auto output = sys::RunCommand(command, podman.options);
  if (!output) return output.error();
  auto uses = UsesIn(output->out, [](const std::string& unit) {
    return unit.empty() ? "podman rm, and podman run again" : "systemctl restart " + unit;
  });
  std::erase_if(uses, [&](const Use& use) { return (use.runtime == name) != of_name; });
  return uses;
}

Result<std::vector<Setting>> SettingsOf(const Podman& podman, const Registration& registration,
                                        const Request& request) {
  const auto lower = LowerRuntime(request);
  if (!lower) return lower.error();
  return PodmanSettings(registration, podman.effective, sys::IsCrun(*lower));
}

// In any of its files. An entry is a list of places where the program may be.
Status CheckPodmanEntry(const Podman& podman, const Request& request, const Originals& originals) {
  const auto known = originals.Read(podman.file.path);
  if (!known) return known.error();
  if (*known) return {};
  const auto own = ParseToml(podman.file.text());
  if (!own) return own.error().In(podman.file.path);
  const Path path = {"engine", "runtimes", request.name};
  for (const Document* tree : {&podman.effective, &own->tree}) {
    const Document* entry = Find(*tree, path);
    if (entry == nullptr || entry->empty()) continue;
    const bool is_one = entry->is_array() && entry->size() == 1 && entry->front().is_string();
    auto status = CheckEntry(tree == &own->tree ? podman.file.path : "one of podman's files",
                             PathText(path) + " is " + entry->dump(),
                             is_one ? entry->front().get<std::string>() : "", request);
    if (!status) return status;
  }
  return {};
}

}  // namespace

Result<Report> RegisterPodman(const Request& request) {
  const auto podman = FindPodman(request);
  if (!podman) return podman.error();
  const Registration registration = {request.name, request.program, request.is_default};
  const auto settings = SettingsOf(*podman, registration, request);
  if (!settings) return settings.error();
  const Originals originals(request.state_directory, request.engine, request.name);
  if (auto status = CheckPodmanEntry(*podman, request, originals); !status) return status.error();
  const auto plan = PlanToSet(podman->file, podman->owned, *settings, originals);
  if (!plan) return plan.error();
  if (request.is_dry_run) return Report{DiffOf({*plan})};
  std::string text = podman->file.path;
  if (IsNeeded({*plan})) {
    const auto committed = Commit(
        {*plan}, originals, [&] { return Verify(*podman, registration); }, [] {});
    if (!committed) return committed.error();
    text += ": " + Sentence(registration);
  } else {
    text += " has it already\n";
  }
  if (!request.is_default) return Report{text};
  const auto older = Containers(*podman, request.name, false);
  if (!older) return older.error();
  return Report{text + OlderText(*older)};
}

Result<Report> UnregisterPodman(const Request& request) {
  const auto podman = FindPodman(request);
  if (!podman) return podman.error();
  const auto uses = Containers(*podman, request.name, true);
  if (!uses) return uses.error();
  if (request.is_final && !uses->empty()) return RefusedText(request.name, *uses);
  std::vector<Setting> kept;
  Registration lower = {request.name, "", false};
  if (!uses->empty()) {
    const auto program = LowerRuntime(request);
    if (!program) return program.error();
    lower.program = *program;
    kept = PodmanSettings(lower, podman->effective, sys::IsCrun(*program));
  }
  const Originals originals(request.state_directory, request.engine, request.name);
  const auto plan = PlanToUnset(podman->file, podman->owned, kept, originals);
  if (!plan) return plan.error();
  if (request.is_dry_run) return Report{DiffOf({*plan})};
  if (!IsNeeded({*plan})) return Report{NothingText(podman->file.path, lower, *uses)};
  const auto verify = [&]() -> Status {
    if (!kept.empty()) return Verify(*podman, lower);
    const auto info = Ask(*podman, {"info", "--format", "{{.Host.OCIRuntime.Name}}"});
    return info ? Status() : Status(info.error());
  };
  const auto committed = Commit({*plan}, originals, verify, [] {});
  if (!committed) return committed.error();
  return Report{BackText(podman->file.path, lower, *uses)};
}

Survey SurveyPodman(std::chrono::seconds limit) {
  Survey survey;
  survey.engine = "podman";
  survey.place = sys::FindInPath("podman");
  Podman podman;
  podman.options.limit = limit;
  const auto info = Ask(podman, {"info", "--format",
                                 "{{.Host.OCIRuntime.Name}}\t{{.Host.OCIRuntime.Path}}\t"
                                 "{{.Version.Version}}"});
  if (!info) {
    survey.fault = info.error().message;
    return survey;
  }
  const std::string line = info->substr(0, info->find('\n'));
  const std::size_t first = line.find('\t');
  const std::size_t second = line.find('\t', first + 1);
  if (first == std::string::npos || second == std::string::npos) {
    survey.fault = "podman info does not name its runtime";
    return survey;
  }
  survey.default_runtime = line.substr(0, first);
  survey.version = line.substr(second + 1);
  survey.runtimes = {{survey.default_runtime, line.substr(first + 1, second - first - 1), ""}};
  AddContainers(Containers(podman, "", false), survey);
  return survey;
}

}  // namespace runclad::configure
