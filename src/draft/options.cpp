// The options of `docker run`. In one file, as one table: it can be compared with
// `docker run --help` from top to bottom.
#include "options.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "runclad/base/spelling.hpp"
#include "runclad/sys/named_file.hpp"

#include "values.hpp"

namespace runclad::draft {
namespace {

using Sort = Option::Sort;
using For = Option::For;

constexpr std::size_t kMaxOptionFileBytes = std::size_t{1} << 20;

bool IsOn(const std::string& value) { return value == "true"; }

template <auto kMember>
Status Set(Request& request, const std::string& value) {
  request.*kMember = value;
  return {};
}

template <auto kMember>
Status Turn(Request& request, const std::string& value) {
  request.*kMember = IsOn(value);
  return {};
}

template <auto kMember>
Status Append(Request& request, const std::string& value) {
  (request.*kMember).push_back(value);
  return {};
}

template <auto kMember>
Status Number(Request& request, const std::string& value) {
  const auto number = ReadNumber(value);
  if (!number) return number.error();
  request.limits.*kMember = *number;
  return {};
}

template <auto kMember>
Status Bytes(Request& request, const std::string& value) {
  const auto bytes = ReadBytes(value);
  if (!bytes) return bytes.error();
  request.limits.*kMember = *bytes;
  return {};
}

Status TakeNamespace(Request& request, const char* type, const std::string& value) {
  if (value.starts_with("container:") && value.size() == std::string_view("container:").size()) {
    return Error{Quoted(value) + " names no container"};
  }
  request.namespaces[type] = value;
  return {};
}

Status TakePid(Request& request, const std::string& value) {
  return TakeNamespace(request, "pid", value);
}
Status TakeIpc(Request& request, const std::string& value) {
  return TakeNamespace(request, "ipc", value);
}
Status TakeUts(Request& request, const std::string& value) {
  return TakeNamespace(request, "uts", value);
}
Status TakeUser(Request& request, const std::string& value) {
  return TakeNamespace(request, "user", value);
}
Status TakeCgroupns(Request& request, const std::string& value) {
  return TakeNamespace(request, "cgroup", value);
}

// "name=web,alias=x" is Docker's long form.
Status TakeNetwork(Request& request, const std::string& value) {
  std::string mode = value;
  if (value.find('=') != std::string::npos) {
    const auto fields = SplitCsv(value);
    if (!fields) return fields.error();
    for (const std::string& field : *fields) {
      if (field.starts_with("name=")) mode = field.substr(5);
    }
  }
  return TakeNamespace(request, "network", mode);
}

// "NAME" takes the caller's value.
void AddVariable(Request& request, const std::string& text) {
  if (text.find('=') != std::string::npos) {
    request.environment.push_back(text);
  } else if (const char* const own = std::getenv(text.c_str()); own != nullptr) {
    request.environment.push_back(text + "=" + own);
  }
}

Status TakeVariable(Request& request, const std::string& value) {
  AddVariable(request, value);
  return {};
}

Status TakeEnvironmentFile(Request& request, const std::string& value) {
  const auto text = sys::ReadFile(value, kMaxOptionFileBytes);
  if (!text) return text.error();
  for (std::string& line : Split(*text, '\n')) {
    const std::size_t begin = line.find_first_not_of(" \t");
    if (begin == std::string::npos || line[begin] == '#') continue;
    if (line.ends_with('\r')) line.pop_back();
    AddVariable(request, line.substr(begin));
  }
  return {};
}

Status TakeEntrypoint(Request& request, const std::string& value) {
  std::vector<std::string> words;
  if (!value.empty()) words.push_back(value);
  request.entrypoint = std::move(words);
  return {};
}

Status TakeUserName(Request& request, const std::string& value) {
  request.user = value;
  return {};
}

Status TakeVolume(Request& request, const std::string& value) {
  auto mount = ReadVolume(value, request);
  if (!mount) return mount.error();
  request.mounts.push_back(*std::move(mount));
  return {};
}

Status TakeMount(Request& request, const std::string& value) {
  auto mount = ReadMount(value, request);
  if (!mount) return mount.error();
  request.mounts.push_back(*std::move(mount));
  return {};
}

Status TakeTmpfs(Request& request, const std::string& value) {
  auto mount = ReadTmpfs(value);
  if (!mount) return mount.error();
  request.mounts.push_back(*std::move(mount));
  return {};
}

Status TakeDevice(Request& request, const std::string& value) {
  auto device = ReadDevice(value);
  if (!device) return device.error();
  request.devices.push_back(*std::move(device));
  return {};
}

Status TakeRlimit(Request& request, const std::string& value) {
  auto limit = ReadRlimit(value);
  if (!limit) return limit.error();
  std::erase_if(request.rlimits, [&](const Rlimit& each) { return each.name == limit->name; });
  request.rlimits.push_back(*std::move(limit));
  return {};
}

Status TakeSysctl(Request& request, const std::string& value) {
  const std::size_t equals = value.find('=');
  if (equals == std::string::npos) return Error{Quoted(value) + " is not like name=value"};
  request.sysctls[value.substr(0, equals)] = value.substr(equals + 1);
  return {};
}

Status TakeAnnotation(Request& request, const std::string& value) {
  const std::size_t equals = value.find('=');
  if (equals == std::string::npos) return Error{Quoted(value) + " is not like name=value"};
  request.annotations[value.substr(0, equals)] = value.substr(equals + 1);
  return {};
}

Status TakeCpus(Request& request, const std::string& value) {
  const auto quota = ReadCpuQuota(value);
  if (!quota) return quota.error();
  if (*quota == 0) return {};
  request.limits.cpu_quota = *quota;
  request.limits.cpu_period = kCpuPeriod;
  return {};
}

Status TakeShm(Request& request, const std::string& value) {
  const auto bytes = ReadBytes(value);
  if (!bytes) return bytes.error();
  request.shm_bytes = *bytes;
  return {};
}

Status TakeOomScore(Request& request, const std::string& value) {
  const auto number = ReadNumber(value);
  if (!number) return number.error();
  request.oom_score_adjustment = *number;
  return {};
}

Status TakeOomKill(Request& request, const std::string& value) {
  request.limits.disables_oom_killer = IsOn(value);
  return {};
}

Status TakeCpuset(Request& request, const std::string& value) {
  request.limits.cpus = value;
  return {};
}

Status TakeMems(Request& request, const std::string& value) {
  request.limits.mems = value;
  return {};
}

Status TakeSecurity(Request& request, const std::string& value) {
  return ReadSecurityOption(value, request);
}

Status TakeSocket(Request& request, const std::string& value) {
  if (!IsOn(value)) return {};
  Mount mount;
  mount.source = "/var/run/docker.sock";
  mount.destination = "/var/run/docker.sock";
  request.mounts.push_back(std::move(mount));
  return {};
}

Status TakePull(Request&, const std::string&) { return {}; }

constexpr std::string_view kOfAnother = "the mounts of that container";
constexpr std::string_view kBlockIo = "disk limits, which no rule judges";
constexpr std::string_view kMapping = "the user namespace that it asks for";

constexpr Option kOptions[] = {
    {"add-host"},
    {"annotation", 0, Sort::kValue, For::kBoth, TakeAnnotation},
    {"arch", 0, Sort::kValue, For::kPodman},
    {"attach", 'a'},
    {"authfile", 0, Sort::kValue, For::kPodman},
    {"blkio-weight", 0, Sort::kValue, For::kBoth, Number<&Limits::block_io_weight>},
    {"blkio-weight-device", 0, Sort::kValue, For::kBoth, nullptr, kBlockIo},
    {"cap-add", 0, Sort::kValue, For::kBoth, Append<&Request::added_capabilities>},
    {"cap-drop", 0, Sort::kValue, For::kBoth, Append<&Request::dropped_capabilities>},
    {"cgroup-conf", 0, Sort::kValue, For::kPodman, nullptr, "the cgroup v2 files that it sets"},
    {"cgroup-parent", 0, Sort::kValue, For::kBoth, Set<&Request::cgroup_parent>},
    {"cgroupns", 0, Sort::kValue, For::kBoth, TakeCgroupns},
    {"cgroups", 0, Sort::kValue, For::kPodman, nullptr, "where its cgroup is"},
    {"chrootdirs", 0, Sort::kValue, For::kPodman},
    {"cidfile"},
    {"conmon-pidfile", 0, Sort::kValue, For::kPodman},
    {"cpu-count", 0, Sort::kValue, For::kDocker},
    {"cpu-percent", 0, Sort::kValue, For::kDocker},
    {"cpu-period", 0, Sort::kValue, For::kBoth, Number<&Limits::cpu_period>},
    {"cpu-quota", 0, Sort::kValue, For::kBoth, Number<&Limits::cpu_quota>},
    {"cpu-rt-period", 0, Sort::kValue, For::kBoth, Number<&Limits::cpu_realtime_period>},
    {"cpu-rt-runtime", 0, Sort::kValue, For::kBoth, Number<&Limits::cpu_realtime_runtime>},
    {"cpu-shares", 'c', Sort::kValue, For::kBoth, Number<&Limits::cpu_shares>},
    {"cpus", 0, Sort::kValue, For::kBoth, TakeCpus},
    {"cpuset-cpus", 0, Sort::kValue, For::kBoth, TakeCpuset},
    {"cpuset-mems", 0, Sort::kValue, For::kBoth, TakeMems},
    {"detach", 'd', Sort::kFlag},
    {"detach-keys"},
    {"device", 0, Sort::kValue, For::kBoth, TakeDevice},
    {"device-cgroup-rule", 0, Sort::kValue, For::kBoth, Append<&Request::device_rules>},
    {"device-read-bps", 0, Sort::kValue, For::kBoth, nullptr, kBlockIo},
    {"device-read-iops", 0, Sort::kValue, For::kBoth, nullptr, kBlockIo},
    {"device-write-bps", 0, Sort::kValue, For::kBoth, nullptr, kBlockIo},
    {"device-write-iops", 0, Sort::kValue, For::kBoth, nullptr, kBlockIo},
    {"disable-content-trust", 0, Sort::kFlag},
    {"dns"},
    {"dns-opt"},
    {"dns-option"},
    {"dns-search"},
    {"domainname", 0, Sort::kValue, For::kDocker, Set<&Request::domain_name>},
    {"entrypoint", 0, Sort::kValue, For::kBoth, TakeEntrypoint},
    {"env", 'e', Sort::kValue, For::kBoth, TakeVariable},
    {"env-file", 0, Sort::kValue, For::kBoth, TakeEnvironmentFile},
    {"env-host", 0, Sort::kFlag, For::kPodman, nullptr, "the caller's environment"},
    {"env-merge", 0, Sort::kValue, For::kPodman, nullptr, "the variables that it merges"},
    {"expose"},
    {"gidmap", 0, Sort::kValue, For::kPodman, nullptr, kMapping},
    {"gpus", 0, Sort::kValue, For::kBoth, nullptr,
     "the devices, mounts and hooks that the GPUs' CDI specification or hook adds"},
    {"group-add", 0, Sort::kValue, For::kBoth, Append<&Request::groups>},
    {"health-cmd"},
    {"health-interval"},
    {"health-log-destination", 0, Sort::kValue, For::kPodman},
    {"health-max-log-count", 0, Sort::kValue, For::kPodman},
    {"health-max-log-size", 0, Sort::kValue, For::kPodman},
    {"health-on-failure", 0, Sort::kValue, For::kPodman},
    {"health-retries"},
    {"health-start-interval"},
    {"health-start-period"},
    {"health-startup-cmd", 0, Sort::kValue, For::kPodman},
    {"health-startup-interval", 0, Sort::kValue, For::kPodman},
    {"health-startup-retries", 0, Sort::kValue, For::kPodman},
    {"health-startup-success", 0, Sort::kValue, For::kPodman},
    {"health-startup-timeout", 0, Sort::kValue, For::kPodman},
    {"health-timeout"},
    {"hostname", 'h', Sort::kValue, For::kBoth, Set<&Request::hostname>},
    {"hosts-file", 0, Sort::kValue, For::kPodman},
    {"hostuser", 0, Sort::kValue, For::kPodman},
    {"http-proxy", 0, Sort::kFlag, For::kPodman},
    {"image-volume", 0, Sort::kValue, For::kPodman, nullptr, "how it mounts the image's volumes"},
    {"init", 0, Sort::kFlag, For::kBoth, Turn<&Request::has_init>},
    {"init-path", 0, Sort::kValue, For::kPodman, nullptr, "the init program that it mounts"},
    {"interactive", 'i', Sort::kFlag},
    {"io-maxbandwidth", 0, Sort::kValue, For::kDocker},
    {"io-maxiops", 0, Sort::kValue, For::kDocker},
    {"ip"},
    {"ip6"},
    {"ipc", 0, Sort::kValue, For::kBoth, TakeIpc},
    {"isolation", 0, Sort::kValue, For::kDocker},
    {"kernel-memory", 0, Sort::kValue, For::kDocker},
    {"label", 'l'},
    {"label-file"},
    {"link", 0, Sort::kValue, For::kDocker},
    {"link-local-ip", 0, Sort::kValue, For::kDocker},
    {"log-driver"},
    {"log-opt"},
    {"mac-address"},
    {"memory", 'm', Sort::kValue, For::kBoth, Bytes<&Limits::memory>},
    {"memory-reservation", 0, Sort::kValue, For::kBoth, Bytes<&Limits::memory_reservation>},
    {"memory-swap", 0, Sort::kValue, For::kBoth, Bytes<&Limits::memory_swap>},
    {"memory-swappiness", 0, Sort::kValue, For::kBoth, Number<&Limits::swappiness>},
    {"mount", 0, Sort::kValue, For::kBoth, TakeMount},
    {"name", 0, Sort::kValue, For::kBoth, Set<&Request::title>},
    {"net", 0, Sort::kValue, For::kBoth, TakeNetwork},
    {"net-alias", 0, Sort::kValue, For::kDocker},
    {"network", 0, Sort::kValue, For::kBoth, TakeNetwork},
    {"network-alias"},
    {"no-healthcheck", 0, Sort::kFlag},
    {"no-hostname", 0, Sort::kFlag, For::kPodman},
    {"no-hosts", 0, Sort::kFlag, For::kPodman},
    {"oom-kill-disable", 0, Sort::kFlag, For::kBoth, TakeOomKill},
    {"oom-score-adj", 0, Sort::kValue, For::kBoth, TakeOomScore},
    {"os", 0, Sort::kValue, For::kPodman},
    {"passwd", 0, Sort::kFlag, For::kPodman},
    {"passwd-entry", 0, Sort::kValue, For::kPodman},
    {"group-entry", 0, Sort::kValue, For::kPodman},
    {"personality", 0, Sort::kValue, For::kPodman, nullptr, "the personality of its processes"},
    {"pid", 0, Sort::kValue, For::kBoth, TakePid},
    {"pidfile", 0, Sort::kValue, For::kPodman},
    {"pids-limit", 0, Sort::kValue, For::kBoth, Number<&Limits::pids>},
    {"platform"},
    {"pod", 0, Sort::kValue, For::kPodman, nullptr, "the namespaces that it shares with its pod"},
    {"pod-id-file", 0, Sort::kValue, For::kPodman, nullptr,
     "the namespaces that it shares with its pod"},
    {"preserve-fd", 0, Sort::kValue, For::kPodman, nullptr, "descriptors that it inherits"},
    {"preserve-fds", 0, Sort::kValue, For::kPodman, nullptr, "descriptors that it inherits"},
    {"privileged", 0, Sort::kFlag, For::kBoth, Turn<&Request::is_privileged>},
    {"publish", 'p'},
    {"publish-all", 'P', Sort::kFlag},
    {"pull", 0, Sort::kValue, For::kBoth, TakePull},
    {"quiet", 'q', Sort::kFlag},
    {"rdt-class", 0, Sort::kValue, For::kPodman, nullptr, "the cache class that it joins"},
    {"read-only", 0, Sort::kFlag, For::kBoth, Turn<&Request::has_read_only_root>},
    {"read-only-tmpfs", 0, Sort::kFlag, For::kPodman, Turn<&Request::has_writable_tmp>},
    {"replace", 0, Sort::kFlag, For::kPodman},
    {"requires", 0, Sort::kValue, For::kPodman},
    {"restart"},
    {"retry", 0, Sort::kValue, For::kPodman},
    {"retry-delay", 0, Sort::kValue, For::kPodman},
    {"rm", 0, Sort::kFlag},
    {"rmi", 0, Sort::kFlag, For::kPodman},
    {"rootfs", 0, Sort::kFlag, For::kPodman, nullptr,
     "the directory on this host that it uses as the container's root"},
    {"runtime", 0, Sort::kValue, For::kDocker, Set<&Request::runtime>},
    {"sdnotify", 0, Sort::kValue, For::kPodman},
    {"seccomp-policy", 0, Sort::kValue, For::kPodman, nullptr,
     "the filter that the image contains"},
    {"secret", 0, Sort::kValue, For::kPodman, nullptr, "the files that it mounts"},
    {"security-opt", 0, Sort::kValue, For::kBoth, TakeSecurity},
    {"shm-size", 0, Sort::kValue, For::kBoth, TakeShm},
    {"shm-size-systemd", 0, Sort::kValue, For::kPodman},
    {"sig-proxy", 0, Sort::kFlag},
    {"stop-signal"},
    {"stop-timeout"},
    {"storage-opt", 0, Sort::kValue, For::kDocker},
    {"subgidname", 0, Sort::kValue, For::kPodman, nullptr, kMapping},
    {"subuidname", 0, Sort::kValue, For::kPodman, nullptr, kMapping},
    {"sysctl", 0, Sort::kValue, For::kBoth, TakeSysctl},
    {"systemd", 0, Sort::kValue, For::kPodman, nullptr,
     "the mounts that podman adds for an image that runs systemd"},
    {"timeout", 0, Sort::kValue, For::kPodman},
    {"tls-verify", 0, Sort::kFlag, For::kPodman},
    {"tmpfs", 0, Sort::kValue, For::kBoth, TakeTmpfs},
    {"tty", 't', Sort::kFlag, For::kBoth, Turn<&Request::has_terminal>},
    {"tz", 0, Sort::kValue, For::kPodman},
    {"uidmap", 0, Sort::kValue, For::kPodman, nullptr, kMapping},
    {"ulimit", 0, Sort::kValue, For::kBoth, TakeRlimit},
    {"umask", 0, Sort::kValue, For::kPodman},
    {"unsetenv", 0, Sort::kValue, For::kPodman},
    {"unsetenv-all", 0, Sort::kFlag, For::kPodman},
    {"use-api-socket", 0, Sort::kFlag, For::kDocker, TakeSocket},
    {"user", 'u', Sort::kValue, For::kBoth, TakeUserName},
    {"userns", 0, Sort::kValue, For::kBoth, TakeUser},
    {"uts", 0, Sort::kValue, For::kBoth, TakeUts},
    {"variant", 0, Sort::kValue, For::kPodman},
    {"volume", 'v', Sort::kValue, For::kBoth, TakeVolume},
    {"volume-driver", 0, Sort::kValue, For::kDocker, nullptr, "what that driver mounts"},
    {"volumes-from", 0, Sort::kValue, For::kBoth, nullptr, kOfAnother},
    {"workdir", 'w', Sort::kValue, For::kBoth, Set<&Request::working_directory>},
};

}  // namespace

std::span<const Option> Options() { return kOptions; }

const Option* FindOption(std::string_view name) {
  return std::ranges::find(kOptions, name, &Option::name);
}

}  // namespace runclad::draft
