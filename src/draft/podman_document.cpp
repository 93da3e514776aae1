// As podman 5 writes it, without what containers.conf adds.
#include <algorithm>
#include <filesystem>
#include <utility>

#include <nlohmann/json.hpp>

#include "runclad/base/spelling.hpp"

#include "document_parts.hpp"

namespace runclad::draft {
namespace {

using json::Document;

constexpr std::string_view kCapabilities[] = {
    "CAP_CHOWN",   "CAP_DAC_OVERRIDE",     "CAP_FOWNER",    "CAP_FSETID",
    "CAP_KILL",    "CAP_NET_BIND_SERVICE", "CAP_SETFCAP",   "CAP_SETGID",
    "CAP_SETPCAP", "CAP_SETUID",           "CAP_SYS_CHROOT"};
constexpr std::string_view kMasked[] = {
    "/proc/acpi",          "/proc/kcore",       "/proc/keys",
    "/proc/latency_stats", "/proc/sched_debug", "/proc/scsi",
    "/proc/timer_list",    "/proc/timer_stats", "/sys/devices/virtual/powercap",
    "/sys/firmware",       "/sys/fs/selinux",   "/proc/interrupts"};
constexpr std::string_view kReadOnly[] = {"/proc/asound", "/proc/bus", "/proc/fs",
                                          "/proc/irq",    "/proc/sys", "/proc/sysrq-trigger"};

std::string UserData(const Making& making) {
  return "/run/containers/storage/overlay-containers/" + making.draft.id + "/userdata";
}

void AddKernelFileSystems(Making& making) {
  const char* const access = making.request.is_privileged ? "rw" : "ro";
  making.config["mounts"] = Document::array();
  AddMount(making, MountOf("/proc", "proc", "proc", {"nosuid", "noexec", "nodev"}));
  AddMount(making,
           MountOf("/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"}));
  std::vector<std::string> options = {"nosuid", "noexec", "nodev", access};
  if (making.request.is_privileged) options.insert(options.begin(), "rprivate");
  AddMount(making, MountOf("/sys", "sysfs", "sysfs", options));
  AddMount(making,
           MountOf("/dev/pts", "devpts", "devpts",
                   {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}));
  AddMount(making, MountOf("/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}));
  AddMount(making, MountOf("/sys/fs/cgroup", "cgroup", "cgroup",
                           {"rprivate", "nosuid", "noexec", "nodev", "relatime", access}));
}

void AddOwnFiles(Making& making) {
  std::vector<std::string> options = {"bind", "rprivate"};
  if (making.request.has_read_only_root) {
    options.insert(options.end(), {"ro", "nosuid", "noexec", "nodev"});
  }
  for (const auto& [destination, name] :
       {std::pair<const char*, const char*>{"/etc/hosts", "hosts"},
        {"/etc/resolv.conf", "resolv.conf"},
        {"/run/.containerenv", ".containerenv"},
        {"/etc/hostname", "hostname"}}) {
    AddEngineFile(making, destination, UserData(making) + "/" + name, options);
  }
  const std::vector<std::string> shm = {"bind", "rprivate", "nosuid", "noexec", "nodev"};
  const std::string ipc = ModeOf(making.request, "ipc");
  if (ipc == "host") {
    AddMount(making, MountOf("/dev/shm", "bind", "/dev/shm", shm));
  } else {
    AddEngineFile(
        making, "/dev/shm",
        making.host.podman_root + "/overlay-containers/" + making.draft.id + "/userdata/shm", shm);
  }
}

void SetNamespaces(Making& making) {
  const Request& request = making.request;
  Document& list = making.config["linux"]["namespaces"];
  for (const char* type : {"pid", "network", "ipc", "uts", "mount"})
    list.push_back({{"type", type}});
  for (const char* type : {"pid", "network", "ipc", "uts"}) {
    const std::string mode = ModeOf(request, type);
    const std::string container = JoinedContainer(mode);
    if (mode == "host") {
      LeaveOut(list, type);
    } else if (mode.starts_with("ns:")) {
      for (Document& entry : list) {
        if (entry["type"] == type) entry["path"] = mode.substr(3);
      }
    } else if (!container.empty()) {
      Join(making, type, "/proc/container:" + container + "/ns/" + type,
           {Joined::Whose::kContainer, container});
    }
  }
  const std::string user = ModeOf(request, "user");
  if (!user.empty() && user != "host") {
    making.NotJudged("the user namespace " + Quoted(user) +
                     ": judged as if the container had the host's");
  }
  const std::string cgroup = ModeOf(request, "cgroup");
  if (cgroup == "private" || (cgroup.empty() && making.host.has_only_cgroup2)) {
    list.push_back({{"type", "cgroup"}});
  }
  if (ModeOf(request, "uts") != "host") {
    making.config["hostname"] =
        request.hostname.empty() ? making.draft.id.substr(0, 12) : request.hostname;
  }
  const std::string network = ModeOf(request, "network");
  if (network != "host" && JoinedContainer(network).empty() && !network.starts_with("ns:")) {
    making.config["linux"]["sysctl"]["net.ipv4.ping_group_range"] = "0 0";
  }
}

void AddTmpfs(Making& making, const Mount& mount) {
  std::vector<std::string> options = mount.options;
  const auto add = [&](const char* option, const char* opposite) {
    const auto has = [&](std::string_view name) {
      return std::ranges::find(options, name) != options.end();
    };
    if (!has(option) && !has(opposite)) options.emplace_back(option);
  };
  add("rprivate", "private");
  add("nosuid", "suid");
  add("nodev", "dev");
  add("tmpcopyup", "notmpcopyup");
  std::erase(options, "notmpcopyup");
  AddMount(making, MountOf(mount.destination, "tmpfs", "tmpfs", std::move(options)));
}

void AddUsersMounts(Making& making) {
  const Request& request = making.request;
  std::size_t number = 0;
  const auto add_volume = [&](const Mount& mount) {
    const std::string name =
        mount.source.empty() ? DraftId().substr(2) + std::to_string(10 + ++number) : mount.source;
    const std::string source = making.host.podman_root + "/volumes/" + name + "/_data";
    const auto device = mount.driver_options.find("device");
    making.draft.volumes[source] = device == mount.driver_options.end() ? "" : device->second;
    std::vector<std::string> options = {"rprivate", "nosuid", "nodev", "rbind"};
    if (mount.is_read_only) options.insert(options.begin(), "ro");
    AddMount(making, MountOf(mount.destination, "bind", source, std::move(options)));
  };
  for (const std::string& path : making.image.volumes) {
    Mount mount;
    mount.destination = path;
    add_volume(mount);
  }
  if (request.has_read_only_root && request.has_writable_tmp) {
    for (const char* path : {"/run", "/tmp", "/var/tmp"}) {
      Mount mount;
      mount.destination = path;
      mount.options = {"rw"};
      AddTmpfs(making, mount);
    }
  }
  for (const Mount& mount : request.mounts) {
    switch (mount.kind) {
      case Mount::Kind::kVolume:
        add_volume(mount);
        break;
      case Mount::Kind::kTmpfs:
        AddTmpfs(making, mount);
        break;
      case Mount::Kind::kBind: {
        std::vector<std::string> options;
        if (mount.is_read_only) options.emplace_back("ro");
        options.push_back(mount.propagation.empty() ? "rprivate" : mount.propagation);
        options.insert(options.end(), mount.options.begin(), mount.options.end());
        options.emplace_back(mount.is_recursive ? "rbind" : "bind");
        if (mount.propagation.ends_with("shared")) {
          making.config["linux"]["rootfsPropagation"] = "shared";
        }
        AddMount(making, MountOf(mount.destination, "bind", mount.source, std::move(options)));
        break;
      }
      case Mount::Kind::kImage:
        making.NotJudged("the image " + Quoted(mount.source) + " that is mounted at " +
                         mount.destination);
    }
  }
}

std::vector<std::string> AddInit(Making& making) {
  if (!making.request.has_init) return {};
  const std::string source = "/usr/libexec/podman/catatonit";
  std::error_code fault;
  if (!std::filesystem::exists(source, fault)) making.draft.engine_files.push_back(source);
  AddMount(making, MountOf("/run/podman-init", "bind", source, {"bind", "ro", "private"}));
  return {"/run/podman-init", "--"};
}

// A user other than root gets only the capabilities that were added.
void SetAddedCapabilities(Making& making) {
  Document& process = making.config["process"];
  const auto& added = making.request.added_capabilities;
  if (process["user"]["uid"] == 0 || added.empty() || making.request.is_privileged) return;
  std::vector<std::string> kept;
  for (const auto& name : process["capabilities"].value("bounding", std::vector<std::string>())) {
    const bool is_added = std::ranges::any_of(added, [&](std::string_view each) {
      if (each.starts_with("CAP_") || each.starts_with("cap_")) each.remove_prefix(4);
      return name.size() == each.size() + 4 &&
             std::ranges::equal(std::string_view(name).substr(4), each, [](char a, char b) {
               return a == (b >= 'a' && b <= 'z' ? static_cast<char>(b - 'a' + 'A') : b);
             });
    });
    if (is_added) kept.push_back(name);
  }
  for (const char* set : {"effective", "permitted", "inheritable", "ambient"}) {
    process["capabilities"][set] = kept;
  }
}

}  // namespace

Status MakePodman(Making& making) {
  const Request& request = making.request;
  Document& config = making.config;
  config["ociVersion"] = "1.2.1";
  config["root"] = {{"path", making.host.podman_root + "/overlay/" + making.draft.id + "/merged"}};
  if (request.has_read_only_root) config["root"]["readonly"] = true;
  config["process"] = Document::object();
  if (request.has_terminal) config["process"]["terminal"] = true;
  if (request.has_no_new_privileges) config["process"]["noNewPrivileges"] = true;
  if (auto set = SetUser(making); !set) return set;
  config["process"]["user"]["umask"] = 18;
  auto capabilities = Capabilities(making, kCapabilities);
  if (!capabilities) return capabilities.error();
  std::ranges::sort(*capabilities);
  SetCapabilities(making, *capabilities);
  SetAddedCapabilities(making);

  config["annotations"] = {{"io.container.manager", "libpod"},
                           {"org.opencontainers.image.stopSignal", "15"},
                           {"org.systemd.property.KillSignal", "15"},
                           {"org.systemd.property.TimeoutStopUSec", "uint64 10000000"}};
  config["linux"] = {{"resources", Document::object()}};
  AddKernelFileSystems(making);
  SetNamespaces(making);
  AddOwnFiles(making);
  AddUsersMounts(making);
  SortMounts(config["mounts"]);
  const std::vector<std::string> init = AddInit(making);
  std::vector<std::string> environment = {
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "container=podman"};
  if (request.has_terminal) environment.emplace_back("TERM=xterm");
  environment.push_back("HOSTNAME=" + config.value("hostname", "localhost"));
  SetProgram(making, std::move(environment), init);
  constexpr std::int64_t kProcesses = 2048;
  config["linux"]["resources"]["pids"]["limit"] = kProcesses;
  SetLimits(making);
  if (auto set = SetDevices(making, {{{"allow", false}, {"access", "rwm"}}}); !set) return set;
  // podman then allows every device, and writes no rule that denies.
  if (request.is_privileged) {
    config["linux"]["resources"]["devices"] = {{{"allow", true}, {"access", "rwm"}}};
  }
  SetMasks(making, kMasked, kReadOnly);
  if (request.apparmor) config["process"]["apparmorProfile"] = *request.apparmor;
  for (const std::string& label : request.labels) {
    making.NotJudged("the SELinux label " + Quoted(label));
  }
  const std::string parent =
      request.cgroup_parent.empty() ? "/libpod_parent" : request.cgroup_parent;
  config["linux"]["cgroupsPath"] = parent.ends_with(".slice")
                                       ? parent + ":libpod:" + making.draft.id
                                       : parent + "/libpod-" + making.draft.id;
  return SetSeccomp(making);
}

}  // namespace runclad::draft
