#include "docker_daemon.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "runclad/json/reader.hpp"
#include "runclad/json/scanner.hpp"
#include "runclad/sys/directory.hpp"

namespace runclad::configure {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDockerConfig = "/etc/docker/daemon.json";
constexpr const char* kDefaultData = "/var/lib/docker";
constexpr const char* kDefaultHost = "unix:///var/run/docker.sock";

// "name<TAB>runtime<TAB>running<TAB>compose project" of every container, stopped ones too.
Result<std::vector<Use>> AskForContainers(const Docker& docker) {
  const auto ids = AskDocker(docker, {"ps", "--all", "--quiet", "--no-trunc"});
  if (!ids) return ids.error();
  std::vector<std::string> command = {
      "docker",
      "-H",
      docker.host,
      "inspect",
      "--type",
      "container",
      "--format",
      "{{.Name}}\t{{.HostConfig.Runtime}}\t{{.State.Running}}\t"
      "{{with index .Config.Labels \"com.docker.compose.project\"}}{{.}}{{end}}"};
  const std::vector<std::string> lines = LinesOf(*ids);
  if (lines.empty()) return std::vector<Use>();
  command.insert(command.end(), lines.begin(), lines.end());
  // Its status is not zero if a container was removed since.
  const auto output = sys::RunCommand(command, docker.options);
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
  const fs::path containers = fs::path(docker.data) / "containers";
  for (const std::string& id : sys::NamesIn(containers)) {
    std::string name = MemberOf(containers / id / "config.v2.json", "Name");
    if (name.starts_with('/')) name.erase(0, 1);
    uses.push_back({name.empty() ? id : name,
                    MemberOf(containers / id / "hostconfig.json", "Runtime"),
                    "docker rm, and docker run again"});
  }
  return uses;
}

}  // namespace

Result<Docker> FindDocker(const Request& request) {
  auto daemon =
      ChooseDaemon(FindDaemons("dockerd"), {"--config-file"}, kDockerConfig, request.config);
  if (!daemon) return daemon.error();
  return DescribeDocker(*std::move(daemon), request.config);
}

Result<Docker> DescribeDocker(std::optional<Daemon> daemon,
                              const std::optional<std::string>& named) {
  Docker docker;
  docker.daemon = std::move(daemon);
  docker.host = kDefaultHost;
  docker.data = kDefaultData;
  std::string config = kDockerConfig;
  if (docker.daemon) config = docker.daemon->Value({"--config-file"}).value_or(config);
  auto file = ReadFile(named.value_or(config));
  if (!file) return file.error();
  docker.file = std::move(*file);
  const auto parsed = ParseJson(docker.file.text());
  if (parsed) {
    docker.data = TextAt(parsed->tree, {"data-root"}).value_or(docker.data);
    if (const Document* listed = Find(parsed->tree, {"hosts"}); listed != nullptr) {
      for (const Document& host : *listed) {
        if (host.is_string()) docker.hosts.push_back(host.get<std::string>());
      }
    }
  }
  if (docker.daemon) {
    docker.data = docker.daemon->Value({"--data-root", "-g", "--graph"}).value_or(docker.data);
    for (std::string& host : docker.daemon->Values({"--host", "-H"})) {
      docker.hosts.push_back(std::move(host));
    }
  }
  const auto socket = std::ranges::find_if(
      docker.hosts, [](const std::string& host) { return host.starts_with("unix://"); });
  if (socket != docker.hosts.end()) docker.host = *socket;
  return docker;
}

Result<std::string> AskDocker(const Docker& docker, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"docker", "-H", docker.host});
  const auto output = sys::RunCommand(arguments, docker.options);
  if (!output) return output.error();
  if (output->status != 0) {
    return Error{"docker " + arguments[3] + " at " + docker.host + " failed: " + output->err};
  }
  return output->out;
}

Result<DockerInfo> InfoOf(const Docker& docker) {
  const auto text =
      AskDocker(docker, {"info", "--format", "{{.DefaultRuntime}}\n{{json .Runtimes}}"});
  if (!text) return text.error();
  const std::size_t newline = text->find('\n');
  auto runtimes = json::Read(
      std::string_view(*text).substr(newline == std::string::npos ? text->size() : newline));
  if (!runtimes) return runtimes.error().In("docker info");
  return DockerInfo{text->substr(0, newline), std::move(*runtimes)};
}

Result<std::vector<Use>> DockerContainers(const Docker& docker, const std::string& name,
                                          bool of_name) {
  auto uses =
      docker.daemon ? AskForContainers(docker) : Result<std::vector<Use>>(ContainersOnDisk(docker));
  if (!uses) return uses;
  std::erase_if(*uses, [&](const Use& use) { return (use.runtime == name) != of_name; });
  std::ranges::sort(*uses, {}, &Use::name);
  return uses;
}

}  // namespace runclad::configure
