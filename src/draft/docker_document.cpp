// As Docker 28 writes it (moby: daemon/oci_linux.go), without its network hook.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include <nlohmann/json.hpp>

#include "runclad/base/path.hpp"
#include "runclad/base/spelling.hpp"
#include "runclad/json/reader.hpp"

#include "document_parts.hpp"

namespace runclad::draft {
namespace {

namespace fs = std::filesystem;
using json::Document;

Document DefaultDeviceRules() {
  constexpr std::pair<int, int> kAllowed[] = {{1, 5}, {1, 3}, {1, 9}, {1, 8}, {5, 0}, {5, 1}};
  Document rules = {{{"allow", false}, {"access", "rwm"}}};
  const auto add = [&](bool allow, int major, int minor) {
    rules.push_back(
        {{"allow", allow}, {"type", "c"}, {"major", major}, {"minor", minor}, {"access", "rwm"}});
  };
  for (const auto& [major, minor] : kAllowed) add(true, major, minor);
  add(false, 10, 229);  // /dev/fuse
  return rules;
}

std::vector<std::string> OwnFileOptions(const Request& request) {
  if (request.has_read_only_root) return {"rbind", "ro", "rprivate"};
  return {"rbind", "rprivate"};
}

void AddKernelFileSystems(Making& making) {
  const bool is_writable = making.request.is_privileged;
  const auto options = [](std::vector<std::string> first, bool is_read_only) {
    if (is_read_only) first.emplace_back("ro");
    return first;
  };
  making.config["mounts"] = Document::array();
  AddMount(making, MountOf("/proc", "proc", "proc", {"nosuid", "noexec", "nodev"}));
  AddMount(making,
           MountOf("/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"}));
  AddMount(making,
           MountOf("/dev/pts", "devpts", "devpts",
                   {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}));
  AddMount(making,
           MountOf("/sys", "sysfs", "sysfs", options({"nosuid", "noexec", "nodev"}, !is_writable)));
  const bool has_writable_cgroups = is_writable || making.request.has_writable_cgroups;
  AddMount(making, MountOf("/sys/fs/cgroup", "cgroup", "cgroup",
                           options({"nosuid", "noexec", "nodev"}, !has_writable_cgroups)));
  AddMount(making, MountOf("/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}));
}

std::string OwnDirectory(const Making& making) {
  return making.host.docker_root + "/containers/" + making.draft.id;
}

void AddSharedMemory(Making& making, const std::string& ipc) {
  constexpr std::int64_t kBytes = std::int64_t{64} << 20;
  if (ipc == "none") return;
  if (ipc == "host") {
    AddMount(making, MountOf("/dev/shm", "bind", "/dev/shm", {"rbind", "rprivate"}));
    return;
  }
  if (ipc == "shareable" || !JoinedContainer(ipc).empty()) {
    AddEngineFile(making, "/dev/shm", OwnDirectory(making) + "/mounts/shm", {"rbind", "rprivate"});
    return;
  }
  const std::int64_t bytes = making.request.shm_bytes.value_or(kBytes);
  AddMount(making,
           MountOf("/dev/shm", "tmpfs", "shm",
                   {"nosuid", "noexec", "nodev", "mode=1777", "size=" + std::to_string(bytes)}));
}

void SetNamespaces(Making& making) {
  const Request& request = making.request;
  Document& list = making.config["linux"]["namespaces"];
  for (const char* type : {"mount", "network", "uts", "pid", "ipc"})
    list.push_back({{"type", type}});
  for (const char* type : {"network", "uts", "pid", "ipc"}) {
    const std::string mode = ModeOf(request, type);
    const std::string container = JoinedContainer(mode);
    if (mode == "host") {
      LeaveOut(list, type);
    } else if (!container.empty()) {
      Join(making, type, "/proc/container:" + container + "/ns/" + type,
           {Joined::Whose::kContainer, container});
    }
  }
  const std::string cgroup = ModeOf(request, "cgroup");
  if (cgroup == "private" ||
      (cgroup.empty() && making.host.has_only_cgroup2 && !request.is_privileged)) {
    list.push_back({{"type", "cgroup"}});
  }
  const std::string network = ModeOf(request, "network");
  if (network != "host" && JoinedContainer(network).empty()) {
    Document& sysctls = making.config["linux"]["sysctl"];
    sysctls["net.ipv4.ip_unprivileged_port_start"] = "0";
    sysctls["net.ipv4.ping_group_range"] = "0 2147483647";
  }
  if (ModeOf(request, "uts") != "host") {
    making.config["hostname"] =
        request.hostname.empty() ? making.draft.id.substr(0, 12) : request.hostname;
    if (!request.domain_name.empty()) {
      making.config["linux"]["sysctl"]["kernel.domainname"] = request.domain_name;
    }
  }
}

// The options that the named volume was created with: docker volume create -o device=/.
std::string DeviceOfVolume(const Making& making, const Mount& mount) {
  const auto asked = mount.driver_options.find("device");
  if (asked != mount.driver_options.end()) return asked->second;
  if (mount.source.empty()) return {};
  std::ifstream file(making.host.docker_root + "/volumes/" + mount.source + "/opts.json");
  const std::string text(std::istreambuf_iterator<char>(file), {});
  const auto options = json::Read(text);
  if (!options || !options->is_object()) return {};
  return options->value("MountDevice", "");
}

void AddVolume(Making& making, const Mount& mount, const std::string& name) {
  std::string source = making.host.docker_root + "/volumes/" + name + "/_data";
  making.draft.volumes[source] = DeviceOfVolume(making, mount);
  if (!mount.driver.empty() && mount.driver != "local") {
    making.NotJudged("the volume at " + mount.destination + ": what the driver " +
                     Quoted(mount.driver) + " mounts there");
  }
  if (!mount.subpath.empty()) source = making.host.docker_root + "/tmp/safe-mount" + name;
  if (!mount.subpath.empty()) making.draft.volumes[source] = "";
  std::vector<std::string> options = {"rbind"};
  if (mount.is_read_only) options.emplace_back(mount.is_recursively_read_only ? "rro" : "ro");
  AddMount(making, MountOf(mount.destination, "bind", source, std::move(options)));
}

// moby's MergeTmpfsOptions: a user's option replaces the default one of the same kind.
std::vector<std::string> TmpfsOptions(const Mount& mount) {
  constexpr std::pair<std::string_view, std::string_view> kOpposites[] = {
      {"noexec", "exec"}, {"nosuid", "suid"}, {"nodev", "dev"}};
  const auto has = [&](std::string_view option) {
    return std::ranges::find(mount.options, option) != mount.options.end();
  };
  std::vector<std::string> options;
  for (const auto& [strict, loose] : kOpposites) {
    if (!has(strict) && !has(loose)) options.emplace_back(strict);
  }
  options.emplace_back("rprivate");
  options.insert(options.end(), mount.options.begin(), mount.options.end());
  return options;
}

void AddBind(Making& making, const Mount& mount) {
  const std::string& source = mount.source;
  const std::string& root = making.host.docker_root;
  std::vector<std::string> options = {mount.is_recursive ? "rbind" : "bind"};
  if (mount.is_read_only) {
    options.emplace_back(mount.is_recursively_read_only && mount.is_recursive ? "rro" : "ro");
  }
  std::string propagation = mount.propagation;
  // Docker's own mounts below the source must not be pinned.
  const bool holds_docker = source == "/" || IsAtOrBelow(root, source);
  if (propagation.empty()) propagation = holds_docker ? "rslave" : "rprivate";
  options.push_back(propagation);
  if (mount.propagation.ends_with("shared")) {
    making.config["linux"]["rootfsPropagation"] = "shared";
  } else if (mount.propagation.ends_with("slave") &&
             !making.config["linux"].contains("rootfsPropagation")) {
    making.config["linux"]["rootfsPropagation"] = "rslave";
  }
  if (mount.is_made_if_missing) making.draft.made_if_missing.push_back(source);
  AddMount(making, MountOf(mount.destination, "bind", source, std::move(options)));
}

void AddUsersMounts(Making& making) {
  std::size_t number = 0;
  const auto name_of = [&](const std::string& name) {
    if (!name.empty()) return name;
    const std::string digits = std::to_string(++number);
    return DraftId().substr(0, 64 - digits.size()) + digits;
  };
  for (const std::string& path : making.image.volumes) {
    const bool is_mounted = std::ranges::any_of(
        making.request.mounts, [&](const Mount& mount) { return mount.destination == path; });
    if (is_mounted) continue;
    Mount mount;
    mount.destination = path;
    AddVolume(making, mount, name_of(""));
  }
  for (const Mount& mount : making.request.mounts) {
    switch (mount.kind) {
      case Mount::Kind::kBind:
        AddBind(making, mount);
        break;
      case Mount::Kind::kVolume:
        AddVolume(making, mount, name_of(mount.source));
        break;
      case Mount::Kind::kTmpfs:
        AddMount(making, MountOf(mount.destination, "tmpfs", "tmpfs", TmpfsOptions(mount)));
        break;
      case Mount::Kind::kImage:
        making.NotJudged("the image " + Quoted(mount.source) + " that is mounted at " +
                         mount.destination);
        AddEngineFile(making, mount.destination,
                      making.host.docker_root + "/tmp/safe-mount-of-image" + name_of(""),
                      {"rbind", "rro", "rprivate"});
    }
  }
}

std::vector<std::string> AddInit(Making& making) {
  if (!making.request.has_init || !ModeOf(making.request, "pid").empty()) return {};
  std::string source = "/usr/bin/docker-init";
  std::error_code fault;
  for (const char* path : {"/usr/libexec/docker/docker-init", "/usr/local/bin/docker-init"}) {
    if (fs::exists(path, fault)) source = path;
  }
  if (!fs::exists(source, fault)) making.draft.engine_files.push_back(source);
  AddMount(making, MountOf("/sbin/docker-init", "bind", source, {"bind", "ro"}));
  return {"/sbin/docker-init", "--"};
}

void SetLabels(Making& making) {
  const Request& request = making.request;
  if (request.apparmor) {
    if (*request.apparmor != "unconfined") {
      making.config["process"]["apparmorProfile"] = *request.apparmor;
    } else if (making.host.has_apparmor) {
      making.config["process"]["apparmorProfile"] = "unconfined";
    }
  } else if (making.host.has_apparmor) {
    making.config["process"]["apparmorProfile"] =
        request.is_privileged ? "unconfined" : "docker-default";
  }
  for (const std::string& label : request.labels) {
    making.NotJudged("the SELinux label " + Quoted(label));
  }
}

}  // namespace

Status MakeDocker(Making& making) {
  const Request& request = making.request;
  Document& config = making.config;
  config["ociVersion"] = "1.2.1";
  config["root"] = {{"path", making.host.docker_root + "/overlay2/" + making.draft.id + "/merged"}};
  if (request.has_read_only_root) config["root"]["readonly"] = true;
  config["process"] = Document::object();
  if (request.has_terminal) config["process"]["terminal"] = true;
  config["process"]["oomScoreAdj"] = 0;
  if (request.has_no_new_privileges) config["process"]["noNewPrivileges"] = true;
  if (auto set = SetUser(making); !set) return set;
  const auto capabilities = Capabilities(making, kUsualCapabilities);
  if (!capabilities) return capabilities.error();
  SetCapabilities(making, *capabilities);

  config["linux"] = {{"resources", {{"blockIO", Document::object()}}}};
  config["linux"]["resources"]["memory"]["disableOOMKiller"] = false;
  AddKernelFileSystems(making);
  SetNamespaces(making);
  AddSharedMemory(making, ModeOf(request, "ipc"));
  for (const char* name : {"resolv.conf", "hostname", "hosts"}) {
    AddEngineFile(making, std::string("/etc/") + name, OwnDirectory(making) + "/" + name,
                  OwnFileOptions(request));
  }
  AddUsersMounts(making);
  SortMounts(config["mounts"]);
  const std::vector<std::string> init = AddInit(making);
  std::vector<std::string> environment = {
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"};
  environment.push_back("HOSTNAME=" + config.value("hostname", "localhost"));
  if (request.has_terminal) environment.emplace_back("TERM=xterm");
  SetProgram(making, std::move(environment), init);
  SetLimits(making);
  if (auto set = SetDevices(making, DefaultDeviceRules()); !set) return set;
  SetMasks(making, kUsualMasks, kUsualReadOnlyPaths);
  SetLabels(making);
  const std::string parent = request.cgroup_parent.empty() ? "/docker" : request.cgroup_parent;
  config["linux"]["cgroupsPath"] = parent.ends_with(".slice")
                                       ? parent + ":docker:" + making.draft.id
                                       : (parent == "/" ? "" : parent) + "/" + making.draft.id;
  return SetSeccomp(making);
}

}  // namespace runclad::draft
