// As containerd's CRI plugin (2.1) writes it for a kubelet's request.
#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "runclad/base/spelling.hpp"

#include "document_parts.hpp"

namespace runclad::draft {
namespace {

using json::Document;

void AddKernelFileSystems(Making& making) {
  const char* const access = making.request.is_privileged ? "rw" : "ro";
  making.config["mounts"] = Document::array();
  AddMount(making, MountOf("/proc", "proc", "proc", {"nosuid", "noexec", "nodev"}));
  AddMount(making,
           MountOf("/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"}));
  AddMount(making,
           MountOf("/dev/pts", "devpts", "devpts",
                   {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}));
  AddMount(making, MountOf("/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}));
  AddMount(making, MountOf("/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", access}));
  AddMount(making, MountOf("/sys/fs/cgroup", "cgroup", "cgroup",
                           {"nosuid", "noexec", "nodev", "relatime", access}));
}

void SetNamespaces(Making& making) {
  const Request& request = making.request;
  Document& list = making.config["linux"]["namespaces"];
  for (const char* type : {"pid", "ipc", "uts", "mount", "network"})
    list.push_back({{"type", type}});
  for (const char* type : {"pid", "ipc", "uts", "network"}) {
    const std::string mode = ModeOf(request, type);
    const std::string path = std::string("/proc/") +
                             (mode == "host" ? "host"
                              : mode.empty() ? "sandbox"
                                             : "target") +
                             "/ns/" + type;
    const std::string container = JoinedContainer(mode);
    if (mode == "host") {
      Join(making, type, path, {Joined::Whose::kHost, ""});
    } else if (!container.empty()) {
      Join(making, type, path, {Joined::Whose::kContainer, container});
    } else if (mode == "pod" || std::string_view(type) != "pid") {
      Join(making, type, "/proc/sandbox/ns/" + std::string(type), {Joined::Whose::kSandbox, ""});
    }
  }
  if (making.host.has_only_cgroup2) list.push_back({{"type", "cgroup"}});
  if (ModeOf(request, "user") != "private") return;
  constexpr std::uint32_t kIds = 65536;
  list.push_back({{"type", "user"}});
  Join(making, "user", "/proc/sandbox/ns/user", {Joined::Whose::kSandbox, ""});
  // The kubelet gives each pod a range of its own.
  for (const char* member : {"uidMappings", "gidMappings"}) {
    making.config["linux"][member] = {{{"containerID", 0}, {"hostID", kIds}, {"size", kIds}}};
  }
}

void AddOwnFiles(Making& making) {
  const Request& request = making.request;
  const std::string sandbox =
      making.host.containerd_root + "/io.containerd.grpc.v1.cri/sandboxes/sandbox/";
  const std::vector<std::string> options = {"rbind", "rprivate",
                                            request.has_read_only_root ? "ro" : "rw"};
  const std::vector<std::string> writable = {"rbind", "rprivate", "rw"};
  for (const char* name : {"hostname", "resolv.conf"}) {
    AddEngineFile(making, std::string("/etc/") + name, sandbox + name, options);
  }
  AddEngineFile(making, "/etc/hosts", request.pod_directory + "/etc-hosts", writable);
  AddEngineFile(making, "/dev/termination-log", request.pod_directory + "/containers/termination",
                writable);
  if (ModeOf(request, "ipc") == "host") {
    AddMount(making, MountOf("/dev/shm", "bind", "/dev/shm", writable));
  } else {
    AddEngineFile(making, "/dev/shm",
                  "/run/containerd/io.containerd.grpc.v1.cri/sandboxes/sandbox/shm", writable);
  }
}

// Filled by the kubelet: no container writes to it.
bool IsFilled(std::string_view plugin) {
  constexpr std::string_view kPlugins[] = {"configmap", "downward-api", "projected", "secret"};
  return std::ranges::find(kPlugins, plugin) != std::end(kPlugins);
}

void AddUsersMounts(Making& making) {
  for (const Mount& mount : making.request.mounts) {
    std::string source = mount.source;
    if (mount.kind == Mount::Kind::kImage) {
      making.NotJudged("the image " + Quoted(mount.source) + " that is mounted at " +
                       mount.destination);
      source = "/run/containerd/io.containerd.grpc.v1.cri/image-volumes/" + making.draft.id;
      making.draft.engine_files.push_back(source);
    } else if (mount.kind == Mount::Kind::kVolume) {
      source = making.request.pod_directory + "/volumes/kubernetes.io~" + mount.driver + "/" +
               mount.source;
      if (!mount.subpath.empty()) source += "/" + mount.subpath;
      if (IsFilled(mount.driver)) {
        making.draft.engine_files.push_back(source);
      } else {
        making.draft.volumes[source] = "";
      }
    } else if (mount.is_made_if_missing) {
      making.draft.made_if_missing.push_back(source);
    }
    std::vector<std::string> options = {"rbind"};
    options.push_back(mount.propagation.empty() ? "rprivate" : mount.propagation);
    options.emplace_back(!mount.is_read_only              ? "rw"
                         : mount.is_recursively_read_only ? "rro"
                                                          : "ro");
    if (mount.propagation == "rshared") making.config["linux"]["rootfsPropagation"] = "rshared";
    if (mount.propagation == "rslave" && !making.config["linux"].contains("rootfsPropagation")) {
      making.config["linux"]["rootfsPropagation"] = "rslave";
    }
    AddMount(making, MountOf(mount.destination, "bind", source, std::move(options)));
  }
}

}  // namespace

Status MakePodContainer(Making& making) {
  const Request& request = making.request;
  Document& config = making.config;
  config["ociVersion"] = "1.2.1";
  config["root"] = {{"path", "rootfs"}};
  if (request.has_read_only_root) config["root"]["readonly"] = true;
  config["annotations"] = {{"io.kubernetes.cri.container-type", "container"},
                           {"io.kubernetes.cri.sandbox-id", "sandbox"},
                           {"io.kubernetes.cri.sandbox-namespace", request.pod_namespace}};
  config["process"] = Document::object();
  if (request.has_terminal) config["process"]["terminal"] = true;
  if (request.has_no_new_privileges) config["process"]["noNewPrivileges"] = true;
  if (auto set = SetUser(making); !set) return set;
  const auto capabilities = Capabilities(making, kUsualCapabilities);
  if (!capabilities) return capabilities.error();
  SetCapabilities(making, *capabilities);
  config["linux"] = {{"resources", Document::object()}};
  AddKernelFileSystems(making);
  SetNamespaces(making);
  AddOwnFiles(making);
  AddUsersMounts(making);
  SortMounts(config["mounts"]);
  std::vector<std::string> environment = {
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"};
  if (request.has_terminal) environment.emplace_back("TERM=xterm");
  environment.push_back("HOSTNAME=" + request.hostname);
  SetProgram(making, std::move(environment), {});
  SetLimits(making);
  // The plugin sets both limits or neither: with a memory limit, the container gets no swap.
  if (request.limits.memory) {
    config["linux"]["resources"]["memory"]["swap"] = *request.limits.memory;
  }
  if (auto set = SetDevices(making, {{{"allow", false}, {"access", "rwm"}}}); !set) return set;
  if (request.is_privileged) {
    config["linux"]["resources"]["devices"] = {{{"allow", true}, {"access", "rwm"}}};
  }
  SetMasks(making, kUsualMasks, kUsualReadOnlyPaths);
  if (request.apparmor) {
    config["process"]["apparmorProfile"] = *request.apparmor;
  } else if (making.host.has_apparmor && !request.is_privileged) {
    config["process"]["apparmorProfile"] = "cri-containerd.apparmor.d";
  }
  for (const std::string& label : request.labels) {
    making.NotJudged("the SELinux label " + Quoted(label));
  }
  config["linux"]["cgroupsPath"] = "/kubepods/pod/" + making.draft.id;
  return SetSeccomp(making);
}

}  // namespace runclad::draft
