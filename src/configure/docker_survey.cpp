#include <charconv>

#include "runclad/json/reader.hpp"

#include "containerd_place.hpp"
#include "docker_daemon.hpp"
#include "surveys.hpp"

namespace runclad::configure {
namespace {

constexpr const char* kContainerdAddress = "/run/containerd/containerd.sock";

// Whether dockerd reads the variable that names what BuildKit runs.
bool TakesBuilderVariable(const std::string& version) {
  int major = 0;
  int minor = 0;
  const char* end = version.data() + version.size();
  const auto read = std::from_chars(version.data(), end, major);
  if (read.ptr != end && *read.ptr == '.') std::from_chars(read.ptr + 1, end, minor);
  constexpr int kMajor = 26;
  return major > kMajor || (major == kMajor && minor >= 1);
}

std::string AddressOf(const Daemon& containerd) {
  if (const auto address = containerd.Value({"--address", "-a"})) return *address;
  const auto file = ReadFile(containerd.Value({"--config", "-c"}).value_or(kContainerdConfig));
  const auto parsed = file ? ParseToml(file->text()) : Result<Parsed>(file.error());
  if (!parsed) return kContainerdAddress;
  return TextAt(parsed->tree, {"grpc", "address"}).value_or(kContainerdAddress);
}

// Shims are started by dockerd's containerd, with its environment.
std::string ShimPathOf(const Daemon& dockerd) {
  const std::string address = dockerd.Value({"--containerd"}).value_or(kContainerdAddress);
  std::string own;
  for (const Daemon& containerd : FindDaemons("containerd")) {
    const std::string served = AddressOf(containerd);
    if (served == address) return VariableOf(containerd, "PATH");
    if (served.starts_with("/run/docker/") || served.starts_with("/var/run/docker/")) {
      own = VariableOf(containerd, "PATH");
    }
  }
  return own;
}

void ReadFlagsAndFile(const Docker& docker, Survey& survey) {
  const auto parsed = ParseJson(docker.file.text());
  const Document tree = parsed ? parsed->tree : Document::object();
  survey.cgroup_parent = docker.daemon->Value({"--cgroup-parent"})
                             .value_or(TextAt(tree, {"cgroup-parent"}).value_or(""));
  const Document* verified = Find(tree, {"tlsverify"});
  bool is_verified = verified != nullptr && *verified == Document(true);
  for (const std::string& argument : docker.daemon->argv) {
    is_verified |= argument == "--tlsverify" || argument == "--tlsverify=true";
  }
  if (is_verified) return;
  for (const std::string& host : docker.hosts) {
    if (host.starts_with("tcp://")) survey.open_addresses.push_back(host);
  }
}

}  // namespace

Survey SurveyDocker(const Daemon& daemon, std::chrono::seconds limit) {
  Survey survey = SurveyOf("docker", daemon);
  auto docker = DescribeDocker(daemon, std::nullopt);
  if (!docker) {
    survey.fault = docker.error().message;
    return survey;
  }
  docker->options.limit = limit;
  survey.place = docker->host;
  survey.address = docker->host;
  survey.shim_path = ShimPathOf(daemon);
  ReadFlagsAndFile(*docker, survey);
  const auto answer = AskDocker(*docker, {"info", "--format", "{{json .}}"});
  if (!answer) {
    survey.fault = answer.error().message;
    return survey;
  }
  const auto info = json::Read(*answer);
  if (!info) {
    survey.fault = info.error().In("docker info").message;
    return survey;
  }
  ReadDockerInfo(*info, survey);
  if (!survey.fault.empty()) return survey;
  if (TakesBuilderVariable(survey.version)) {
    survey.builder = VariableOf(daemon, "DOCKER_BUILDKIT_RUNC_COMMAND");
  }
  if (survey.builder.empty()) survey.builder = "runc";
  AddContainers(DockerContainers(*docker, "", false), survey);
  return survey;
}

}  // namespace runclad::configure
