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
#include "plan.hpp"
#include "report.hpp"

namespace runclad::configure {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDefaultConfig = "/etc/docker/daemon.json";
constexpr const char* kDefaultData = "/var/lib/docker";
constexpr const char* kDefaultHost = "unix:///var/run/docker.sock";
constexpr std::chrono::seconds kReloadLimit(10);

struct Docker {
  std::optional<Daemon> daemon;  // no value: it does not run
  File file;
  std::string host;
  std::string data;  // the data directory
};

// What the running daemon says.
struct Info {
  std::string default_runtime;
  Document runtimes;

  [[nodiscard]] std::string PathOf(const std::string& name) const {
    return TextAt(runtimes, {name, "path"}).value_or("");
  }
};

Result<Docker> FindDocker(const Request& request) {
  auto daemon =
      ChooseDaemon(FindDaemons("dockerd"), {"--config-file"}, kDefaultConfig, request.config);
  if (!daemon) return daemon.error();
  Docker docker{std::move(*daemon), {}, kDefaultHost, kDefaultData};
  std::string config = kDefaultConfig;
  if (docker.daemon) config = docker.daemon->Value({"--config-file"}).value_or(config);
  auto file = ReadFile(request.config.value_or(config));
  if (!file) return file.error();
  docker.file = std::move(*file);
  std::vector<std::string> hosts;
  const auto parsed = ParseJson(docker.file.text());
  if (parsed) {
    docker.data = TextAt(parsed->tree, {"data-root"}).value_or(docker.data);
    if (const Document* listed = Find(parsed->tree, {"hosts"}); listed != nullptr) {
      for (const Document& host : *listed) {
        if (host.is_string()) hosts.push_back(host.get<std::string>());
      }
    }
  }
  if (docker.daemon) {
    docker.data = docker.daemon->Value({"--data-root", "-g", "--graph"}).value_or(docker.data);
    for (std::string& host : docker.daemon->Values({"--host", "-H"})) {
      hosts.push_back(std::move(host));
    }
  }
  const auto socket = std::ranges::find_if(
      hosts, [](const std::string& host) { return host.starts_with("unix://"); });
  if (socket != hosts.end()) docker.host = *socket;
  return docker;
}

Result<std::string> Ask(const Docker& docker, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"docker", "-H", docker.host});
  const auto output = sys::RunCommand(arguments);
  if (!output) return output.error();
  if (output->status != 0) {
    return Error{"docker " + arguments[3] + " at " + docker.host + " failed: " + output->err};
  }
  return output->out;
}

Result<Info> InfoOf(const Docker& docker) {
  const auto text = Ask(docker, {"info", "--format", "{{.DefaultRuntime}}\n{{json .Runtimes}}"});
  if (!text) return text.error();
  const std::size_t newline = text->find('\n');
  auto runtimes = json::Read(
      std::string_view(*text).substr(newline == std::string::npos ? text->size() : newline));
  if (!runtimes) return runtimes.error().In("docker info");
  return Info{text->substr(0, newline), std::move(*runtimes)};
}

// Lets the daemon read its file again, and waits until it says what `is_done` expects.
Status Reload(const Docker& docker, const std::function<bool(const Info&)>& is_done) {
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
    const bool is_runtimes = argument.starts_with("--add-runtime");
    if (!is_runtimes && !(is_default && argument.starts_with("--default-runtime"))) continue;
    return Error{"dockerd (pid " + std::to_string(docker.daemon->pid) + ") is started with " +
                 Quoted(argument) + ", and accepts a setting either there or in " +
                 docker.file.path + ": move it to the file first"};
  }
  return {};
}

// An entry that somebody else wrote under this name would be lost, as nothing tells it from ours
// later.
Status CheckEntry(const Docker& docker, const Request& request, const Originals& originals) {
  const auto known = originals.Read(docker.file.path);
  if (!known) return known.error();
  const auto parsed = ParseJson(docker.file.text());
  if (!parsed || *known) return {};
  const Document* entry = Find(parsed->tree, {"runtimes", request.name});
  if (entry == nullptr) return {};
  const std::string path = TextAt(*entry, {"path"}).value_or("");
  const bool is_ours =
      entry->size() == 1 && fs::path(path).filename() == fs::path(request.program).filename();
  const auto lower = LowerRuntime(request);
  if (is_ours || (lower && *lower == path)) return {};
  return Error{docker.file.path + ": /runtimes/" + request.name + " is " + entry->dump() +
               ", which runclad did not write: choose another name with --name, or remove that "
               "entry first"};
}

// "name<TAB>runtime<TAB>compose project" of every container, stopped ones too.
Result<std::vector<Use>> AskForContainers(const Docker& docker) {
  const auto ids = Ask(docker, {"ps", "--all", "--quiet", "--no-trunc"});
  if (!ids) return ids.error();
  std::vector<std::string> command = {
      "docker",
      "-H",
      docker.host,
      "inspect",
      "--type",
      "container",
      "--format",
      "{{.Name}}\t{{.HostConfig.Runtime}}\t"
      "{{with index .Config.Labels \"com.docker.compose.project\"}}{{.}}{{end}}"};
  const std::vector<std::string> lines = LinesOf(*ids);
  if (lines.empty()) return std::vector<Use>();
  command.insert(command.end(), lines.begin(), lines.end());
  // Its status is not zero if a container was removed since.
  const auto output = sys::RunCommand(command);
  if (!output) return output.error();
  return UsesIn(output->out, [](const std::string& project) {
    return project.empty() ? "docker rm, and docker run again"
                           : "docker compose -p " + project + " up -d --force-recreate";
  });
}

std::string MemberOf(const fs::path& path, std::string_view member) {
  const auto file = ReadFile(path);
  std::string value;
  if (!file || !file->bytes) return value;
  json::Scanner scanner(*file->bytes);
  const std::string_view wanted[] = {member};
  scanner.Object(wanted, [&](std::size_t) { value = scanner.String(); });
  return scanner.Finish() ? value : std::string();
}

std::vector<Use> ContainersOnDisk(const Docker& docker) {
  std::vector<Use> uses;
  std::error_code fault;
  for (const auto& entry : fs::directory_iterator(fs::path(docker.data) / "containers", fault)) {
    std::string name = MemberOf(entry.path() / "config.v2.json", "Name");
    if (name.starts_with('/')) name.erase(0, 1);
    uses.push_back({name.empty() ? entry.path().filename().string() : name,
                    MemberOf(entry.path() / "hostconfig.json", "Runtime"),
                    "docker rm, and docker run again"});
  }
  return uses;
}

// Those that name the runtime, or all others.
Result<std::vector<Use>> Containers(const Docker& docker, const std::string& name, bool of_name) {
  auto uses =
      docker.daemon ? AskForContainers(docker) : Result<std::vector<Use>>(ContainersOnDisk(docker));
  if (!uses) return uses;
  std::erase_if(*uses, [&](const Use& use) { return (use.runtime == name) != of_name; });
  std::ranges::sort(*uses, {}, &Use::name);
  return uses;
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
  const auto older = Containers(docker, request.name, false);
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
  if (auto status = CheckEntry(*docker, request, originals); !status) return status.error();
  const auto plan =
      PlanToSet(docker->file, OwnedBy(request),
                DockerSettings({request.name, request.program, request.is_default}), originals);
  if (!plan) return plan.error();
  const std::vector<Planned> plans = {*plan};
  if (auto valid = Validate(*docker, *plan->change.after); !valid) return valid.error();
  if (request.is_dry_run) return Report{DiffOf(plans)};

  const auto is_done = [&](const Info& info) {
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
  const auto uses = Containers(*docker, request.name, true);
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
  const auto is_done = [&](const Info& info) {
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
    return Report{docker->file.path + " does not have the runtime " + request.name +
                  (kept.empty() ? "" : ", other than as " + lower) + "\n"};
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
