// Docker takes `runtimes` and `default-runtime` of daemon.json on SIGHUP, without a restart.
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <thread>
#include <utility>

#include "runclad/base/spelling.hpp"
#include "runclad/json/reader.hpp"
#include "runclad/json/scanner.hpp"
#include "runclad/sys/command.hpp"

#include "daemons.hpp"
#include "docker_daemon.hpp"
#include "plan.hpp"
#include "report.hpp"

namespace runclad::configure {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kReloadLimit(10);

// Lets the daemon read its file again, and waits until it says what `is_done` expects.
Status Reload(const Docker& docker, const std::function<bool(const DockerInfo&)>& is_done) {
  if (::kill(docker.daemon->pid, SIGHUP) != 0) {
    return SystemError(
        "dockerd (pid " + std::to_string(docker.daemon->pid) + ") cannot be sent SIGHUP", errno);
  }
  const auto deadline = std::chrono::steady_clock::now() + kReloadLimit;
  while (std::chrono::steady_clock::now() < deadline) {
    const auto info = InfoOf(docker);
    if (!info) return info.error();
    if (is_done(*info)) return {};
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return Error{"dockerd does not show the change in `docker info` after SIGHUP; its log says why"};
}

void ReloadQuietly(const Docker& docker) {
  if (docker.daemon) ::kill(docker.daemon->pid, SIGHUP);
}

std::string ProgramOf(const Docker& docker) {
  return docker.daemon ? docker.daemon->program : sys::FindInPath("dockerd");
}

// By dockerd's own checker, which 23 and later have.
Status Validate(const Docker& docker, const std::string& text) {
  const std::string dockerd = ProgramOf(docker);
  if (dockerd.empty()) return {};
  if (docker.daemon) {
    if (auto checked = CheckDaemon(dockerd); !checked) return checked;
  }
  const auto help = sys::RunCommand({dockerd, "--help"});
  if (!help || help->out.find("--validate") == std::string::npos) return {};
  return WithCandidate(docker.file.path, text, [&](const std::string& path) -> Status {
    const auto output = sys::RunCommand({dockerd, "--validate", "--config-file", path});
    if (!output) return output.error();
    if (output->status == 0) return {};
    return Error{"dockerd --validate does not accept the changed file: " + output->err};
  });
}

// dockerd does not start where a setting is both a flag and in the file.
Status CheckFlags(const Docker& docker, bool is_default) {
  if (!docker.daemon) return {};
  for (const auto& argument : docker.daemon->argv) {
    const bool adds_runtime = argument.starts_with("--add-runtime");
    if (!adds_runtime && !(is_default && argument.starts_with("--default-runtime"))) continue;
    return Error{"dockerd (pid " + std::to_string(docker.daemon->pid) + ") is started with " +
                 Quoted(argument) + ", and accepts a setting either there or in " +
                 docker.file.path + ": move it to the file first"};
  }
  return {};
}

Status CheckDockersEntry(const Docker& docker, const Request& request, const Originals& originals) {
  const auto known = originals.Read(docker.file.path);
  if (!known) return known.error();
  const auto parsed = ParseJson(docker.file.text());
  if (!parsed || *known) return {};
  const Document* entry = Find(parsed->tree, {"runtimes", request.name});
  if (entry == nullptr) return {};
  // With arguments it is not our entry, whatever it calls.
  const std::string path = entry->size() == 1 ? TextAt(*entry, {"path"}).value_or("") : "";
  return CheckEntry(docker.file.path, "/runtimes/" + request.name + " is " + entry->dump(), path,
                    request);
}

Owned OwnedBy(const Request& request) {
  return {Format::kJson, request.name,
          [name = request.name](const Document& tree, const Document* original, const Document&) {
            return DockerRestores(name, tree, original);
          }};
}

std::string NotRunning(const Docker& docker) {
  return docker.daemon ? "" : "dockerd does not run: it will read the file when it starts\n";
}

Result<std::string> OlderContainers(const Docker& docker, const Request& request) {
  if (!request.is_default) return std::string();
  const auto older = DockerContainers(docker, request.name, false);
  if (!older) return older.error();
  return OlderText(*older) +
         "docker build runs what is named runc in dockerd's PATH: README says how builds get "
         "runclad\n";
}

}  // namespace

Result<Report> RegisterDocker(const Request& request) {
  const auto docker = FindDocker(request);
  if (!docker) return docker.error();
  if (auto status = CheckFlags(*docker, request.is_default); !status) return status.error();
  const Originals originals(request.state_directory, request.engine, request.name);
  if (auto status = CheckDockersEntry(*docker, request, originals); !status) return status.error();
  const auto plan =
      PlanToSet(docker->file, OwnedBy(request),
                DockerSettings({request.name, request.program, request.is_default}), originals);
  if (!plan) return plan.error();
  const std::vector<Planned> plans = {*plan};
  if (auto valid = Validate(*docker, *plan->change.after); !valid) return valid.error();
  if (request.is_dry_run) return Report{DiffOf(plans)};

  const auto is_done = [&](const DockerInfo& info) {
    return info.PathOf(request.name) == request.program &&
           (!request.is_default || info.default_runtime == request.name);
  };
  std::string text;
  bool is_known = false;  // by the running daemon already
  if (docker->daemon) {
    const auto info = InfoOf(*docker);
    if (!info) return info.error();
    is_known = is_done(*info);
  }
  if (!IsNeeded(plans) && (is_known || !docker->daemon)) {
    text = docker->file.path + " has it already\n";
  } else {
    const auto committed = Commit(
        plans, originals,
        [&]() -> Status { return docker->daemon ? Reload(*docker, is_done) : Status(); },
        [&] { ReloadQuietly(*docker); });
    if (!committed) return committed.error();
    text = docker->file.path + ": " + Sentence({request.name, request.program, request.is_default});
    if (docker->daemon) text += "dockerd has read it: no restart is necessary\n";
  }
  text += NotRunning(*docker);
  const auto older = OlderContainers(*docker, request);
  if (!older) return older.error();
  return Report{text + *older};
}

Result<Report> UnregisterDocker(const Request& request) {
  const auto docker = FindDocker(request);
  if (!docker) return docker.error();
  const auto uses = DockerContainers(*docker, request.name, true);
  if (!uses) return uses.error();
  if (request.is_final && !uses->empty()) {
    return RefusedText(request.name, *uses);
  }
  std::vector<Setting> kept;
  if (!uses->empty()) {
    const auto lower = LowerRuntime(request);
    if (!lower) return lower.error();
    kept = DockerSettings({request.name, *lower, false});
  }
  const Originals originals(request.state_directory, request.engine, request.name);
  const auto plan = PlanToUnset(docker->file, OwnedBy(request), kept, originals);
  if (!plan) return plan.error();
  if (plan->change.after) {
    if (auto valid = Validate(*docker, *plan->change.after); !valid) return valid.error();
  }
  if (request.is_dry_run) return Report{DiffOf({*plan})};

  const std::string lower = kept.empty() ? "" : kept.front().value.get<std::string>();
  const auto is_done = [&](const DockerInfo& info) {
    return info.PathOf(request.name) == lower && info.default_runtime != request.name;
  };
  const auto reload = [&]() -> Status {
    return docker->daemon ? Reload(*docker, is_done) : Status();
  };
  const auto undone = [&] { ReloadQuietly(*docker); };
  bool is_known = true;
  if (docker->daemon) {
    const auto info = InfoOf(*docker);
    if (!info) return info.error();
    is_known = is_done(*info);
  }
  if (!plan->change.is_needed() && is_known) {
    return Report{NothingText(docker->file.path, {request.name, lower, false}, *uses)};
  }
  // A member that is missing leaves the running daemon's value as it is: it first reads a file that
  // has all of them.
  File explicit_file = docker->file;
  if (docker->daemon) {
    const std::string text = plan->change.after.value_or("");
    const auto parsed = ParseJson(text);
    if (!parsed) return parsed.error();
    std::vector<Setting> explicit_settings;
    if (Find(parsed->tree, {"runtimes"}) == nullptr) {
      explicit_settings.push_back({{"runtimes"}, Document::object()});
    }
    if (Find(parsed->tree, {"default-runtime"}) == nullptr) {
      explicit_settings.push_back({{"default-runtime"}, "runc"});
    }
    auto explicit_text = Set(Format::kJson, text, request.name, explicit_settings);
    if (!explicit_text) return explicit_text.error().In(docker->file.path);
    const auto applied = Apply({{docker->file, *explicit_text}}, reload, undone);
    if (!applied) return applied.error();
    explicit_file.bytes = *std::move(explicit_text);
  }
  const auto committed =
      Commit({{{explicit_file, plan->change.after}, plan->base}}, originals, reload, undone);
  if (!committed) return committed.error();
  return Report{BackText(docker->file.path, {request.name, lower, false}, *uses) +
                NotRunning(*docker)};
}

}  // namespace runclad::configure
