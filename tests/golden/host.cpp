#include "host.hpp"

#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>
#include <sched.h>

#include "mount_namespace.hpp"
#include "test_paths.hpp"

namespace runclad::golden {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kPod = CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWPID | CLONE_NEWNS;
constexpr int kOwn = kPod | CLONE_NEWNET;

// The processes that the documents join, and what they were: corpus/cases.tsv has the commands.
const std::map<std::string, StandIn>& Processes() {
  static const std::map<std::string, StandIn> processes = {
      {"18534", {"978b52507ea00759d103973ce5fa025c323b8b26e88cd9f60deaf77f8a2d103e", kOwn}},
      {"17264", {"a3bc768433b8226761cfbddf0cd281e6cc3b3660480baaf066cabe7b90b9ad01", kPod}},
      {"7858", {"3b00574cce319f783b13b8cbd09b717be2d118582ee32aba806cf15d69b6219f", kOwn}},
      // Sandboxes: those of hostNetwork have the host's network and host name.
      {"1817",
       {"a8263167eae3b1e1c4e307d87d1bd7ba3a781a07b6c7cdcdb4b9ea41cbdf43af",
        CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNS}},
      {"27510",
       {"c3af1bd22a0a526cc06997053d6af003b332b5bd52fbe4b62def495888215e31",
        CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNS}},
      {"2944", {"f6fae8dfabf6b3754a5f854745848d7c08b883278d07b5eb5c817bf4f8a31338", CLONE_NEWNS}},
      {"2836",
       {"c58905f05585bab76e7bfaa373575f3fc2f5fa8a97a63aa87c3b87d20776fbc0",
        CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWNS}},
      {"2729",
       {"60d8078dbc0138cf114186d2c0691b0ce0176065af1b7189b60d7d7623f1992c",
        CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWNS}},
      {"2564", {"97cff8caafc35f83b3b1ae30742e27cb1dcd28f963beaa4fba343f1c7099c9c9", kOwn}},
      {"3344", {"ac8ccaddf9f1ac1c6240b3ce7be5a1725eb6130b9e2691c8975d48f93acdafe3", kOwn}},
      {"3573", {"34003862c66310e1a3bdc5c2e033c18c0492ddd3e605b242fd3546c9404e9b8c", kOwn}},
      {"40436",
       {"ca9271a96566988eedc87b0c82e4c822f2d063d6c21f12a79ef5655934e315ff", kOwn | CLONE_NEWUSER}},
      {"8404", {"da3c09224298504fcfa1d8809c5e77de15843c4dc0f0607961fecbcbd96a3d04", kOwn}},
      // Docker 28, podman 5.8 and sandboxes of containerd 2.1.
      {"88256", {"42927061c5800ebffa99ad5ea29e88a988415f873daf55599ca10d968930bd2b", kOwn}},
      {"93009", {"9cfac46453f7d33f98a80f43b7977e2e6c1670bb98f5269aacec4758c146b47e", kOwn}},
      {"21503", {"86cf01374a365a4081d1c4b86a77e903bf045eb456223305d6fdd36ba58f535a", kOwn}},
      {"99671", {"ac20dbf2f17e4c27396c0c7d7ff02bff38230a812e1605cd2818dac867ccbe57", kOwn}},
      {"99880", {"f2764e144d26a3ec9b0fd1831ccdf95620914a5afa40aaa91f7681dbac39c06c", kOwn}},
      {"100088", {"801b32785fb9d65576258bc63a3da9e52d5830ac49be2d0aacb7ebeaa799a93d", kOwn}},
      {"100766", {"f99421580da11d0276205a8a8c8db2ed4a87b5e0a5d2c706fa6f4c04fef37f1a", kOwn}},
      {"100973", {"084441a944b23716c5bd35eef9364a95dacae8dfb2f7aeac80c1ae866ed3c9b7", kOwn}},
      {"101184", {"ca97bd71d90d84195a2d5e38fbd3d90c4f22d6eb23ddd7ab87b515890ee83b07", kOwn}},
      {"101597", {"7f15ab40182cc39c492df80d47c7efe8eda2c8fbd4886335a61005428a2cf00a", kOwn}},
      {"101804",
       {"7c8258d7a9c19974fe9ed5e47a571c9e81611786d1365a47645e93ae12556dbb",
        CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNS}},
      {"102008",
       {"cb945fe80a77c024cc067346342182e3b05df4e30445da555d65779c63dfde54",
        CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWNS}},
      {"102229",
       {"87a037dcd8c7089dd7b0a46bc8ee0125bff2b598aa54012db80074bb5817507f",
        CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWNS}},
      {"102434", {"14f3978fbe8aad6d6fc2723817e71bc5384ff35c06983c4cb7ed002920a63960", kOwn}},
      {"102976", {"0726b8f8b6abde6422b3128013974df17908d7e44835509bc896ac9fd760e366", kOwn}},
      {"103184", {"e8b6fed366fd634627080aa0772a4a1bd31e0b0e1b82dd6c5376f0acb8cd4220", kOwn}},
      {"103398", {"03a6c8f3beb81b52c3ae9c59692f51346e808d9113ae39ded4d1c52d4a24d406", kOwn}},
      {"a pod's user namespace",
       {"4314820c4c2d25ff4d64edc76d89e2adf5a90c5d122b5b7c8f2a836317ab619b", kOwn | CLONE_NEWUSER,
        "0 200000 65536"}},
      {"103816", {"910f95e3e2d0a26912e01ce5d47c86afe15522e4f06755d89fc75fe27f7496ab", kOwn}},
  };
  return processes;
}

void Write(const std::string& path, const std::string& text) {
  fs::create_directories(fs::path(path).parent_path());
  std::ofstream(path) << text;
}

void Bind(const std::string& source, const std::string& point) {
  if (::mount(source.c_str(), point.c_str(), nullptr, MS_BIND, nullptr) != 0) {
    throw std::runtime_error("no bind of " + source + " at " + point);
  }
}

// What a busybox image has.
void MakeRootfs(const std::string& root) {
  for (const char* directory : {"bin", "dev", "etc", "home", "proc", "root", "sys", "tmp",
                                "usr/bin", "usr/sbin", "var/spool", "var/www"}) {
    fs::create_directories(root + "/" + directory);
  }
  fs::permissions(root + "/tmp", fs::perms(01777));
  if (!fs::exists(root + "/bin/sh")) {
    Write(root + "/bin/busybox", "\177ELF");
    fs::permissions(root + "/bin/busybox", fs::perms(0755));
    fs::create_symlink("busybox", root + "/bin/sh");
    fs::create_symlink("busybox", root + "/bin/wget");
    Write(root + "/usr/bin/curl", "\177ELF");
  }
}

// The directories of an overlay mount, which podman has made in its storage.
void MakeLayersOf(const std::string& option) {
  for (const std::string_view name : {"lowerdir=", "upperdir=", "workdir="}) {
    if (!option.starts_with(name)) continue;
    std::stringstream layers(option.substr(name.size()));
    for (std::string layer; std::getline(layers, layer, ':');) {
      if (layer.starts_with("/var/lib/containers/")) fs::create_directories(layer);
    }
  }
}

// What Docker's own record says of named volumes, for documents without it in the corpus.
json RecordOfDocker(const std::string& id, const json& spec) {
  constexpr std::string_view kVolumes = "/var/lib/docker/volumes/";
  json points = json::object();
  for (const json& mount : spec.at("mounts")) {
    const std::string source = mount.value("source", "");
    const std::string destination = mount.at("destination");
    if (source.starts_with("/var/lib/docker/tmp/safe-mount") && destination == "/v") {
      points[destination] = {{"Type", "volume"},
                             {"Name", "vol1"},
                             {"Destination", "/v"},
                             {"Source", "/var/lib/docker/volumes/vol1/_data"},
                             {"RW", true},
                             {"Spec",
                              {{"Type", "volume"},
                               {"Source", "vol1"},
                               {"Target", "/v"},
                               {"VolumeOptions", {{"Subpath", "s"}}}}}};
    }
    if (!source.starts_with(kVolumes)) continue;
    const std::string volume =
        source.substr(kVolumes.size(), source.find('/', kVolumes.size()) - kVolumes.size());
    points[destination] = {{"Type", "volume"}, {"Name", volume},    {"Destination", destination},
                           {"Source", source}, {"Driver", "local"}, {"RW", true}};
  }
  return {{"ID", id}, {"MountPoints", points}};
}

// What the engine has mounted at the source of a mount with volume-subpath (Docker) or subpath
// (podman); empty: it is another mount.
std::string PartOfVolume(const json& mount) {
  const std::string source = mount.value("source", "");
  const std::string destination = mount.at("destination");
  if (source.find("/safe-mount") != std::string::npos && destination == "/v") {
    return "/var/lib/docker/volumes/vol1/_data/s";
  }
  if (source.find("/userdata/subpath") != std::string::npos && destination == "/h") {
    return "/var/lib/containers/storage/volumes/pv1/_data/x";
  }
  return {};
}

bool IsEngineFile(const std::string& source) {
  for (const char* root :
       {"/var/lib/docker/containers/", "/var/lib/containers/", "/var/lib/containerd/",
        "/run/ident/", "/run/containers/", "/run/containerd/", "/run/k3s/", "/var/lib/kubelet/",
        "/var/lib/rancher/", "/var/lib/nerdctl/"}) {
    if (source.starts_with(root)) return true;
  }
  return false;
}

}  // namespace

Host::Host() {
  for (const char* directory : {"/run", "/var/lib"}) {
    if (::mount("tmpfs", directory, "tmpfs", 0, "mode=755") != 0) {
      throw std::runtime_error("no tmpfs");
    }
  }
  // What the commands of cases.tsv named.
  Write("/srv/w/file", "x\n");
  for (const char* directory : {"dir", "d", "u"}) {
    fs::create_directories(std::string("/srv/w/") + directory);
  }
  Write("/srv/w/f", "x\n");
  fs::create_directories("/srv/w/sh");
  fs::create_symlink("/", "/srv/w/rootlink");
  fs::create_symlink("/etc", "/srv/w/etclink");
  // The socket is a socket's name here: only its directory shows that it belongs to the engine.
  Write("/run/docker.sock", "");
  const std::string volumes = "/var/lib/docker/volumes/";
  for (const char* name : {"myvol", "rootvol", "tmpvol", "vol1"}) {
    fs::create_directories(volumes + name + "/_data");
  }
  fs::create_directories(volumes + "vol1/_data/s");
  // nerdctl's own hook.
  if (::mount("tmpfs", "/usr/local/bin", "tmpfs", 0, "mode=755") != 0) {
    throw std::runtime_error("no tmpfs");
  }
  Write("/usr/local/bin/nerdctl", "\177ELF");
  // A host has modules; the machine of the tests may not.
  fs::create_directories("/srv/lib/upper/modules");
  fs::create_directories("/srv/lib/work");
  if (::mount("overlay", "/usr/lib", "overlay", 0,
              "lowerdir=/usr/lib,upperdir=/srv/lib/upper,workdir=/srv/lib/work") != 0) {
    throw std::runtime_error("no overlay");
  }
  ::mount("tmpfs", (volumes + "tmpvol/_data").c_str(), "tmpfs", 0, "");

  for (const auto& [number, process] : Processes()) {
    const pid_t pid = Start(process);
    pids_[number] = pid;
    stand_ins_[pid] = process;
  }
  Write("/run/ident/docker2/netns/default", "");
  Bind("/proc/self/ns/net", "/run/ident/docker2/netns/default");

  // dockerd, whose own program is Docker's hook.
  fs::create_directories("/srv/bin");
  fs::copy_file("/bin/busybox", "/srv/bin/dockerd");
  const pid_t daemon = ::fork();
  if (daemon == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::execl("/srv/bin/dockerd", "sleep", "600", static_cast<char*>(nullptr));
    ::_exit(EXIT_FAILURE);
  }
  children_.push_back(daemon);
  pids_["dockerd"] = daemon;
}

Host::~Host() {
  for (const pid_t child : children_) {
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
  }
}

pid_t Host::Start(const StandIn& stand_in) {
  const auto flags = static_cast<unsigned long>(stand_in.namespaces | SIGCHLD);
  const auto pid = static_cast<pid_t>(::syscall(SYS_clone, flags, 0, 0, 0, 0));
  if (pid < 0) throw std::runtime_error("no namespaces");
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) ::pause();
  }
  children_.push_back(pid);
  if ((stand_in.namespaces & CLONE_NEWUSER) != 0) {
    for (const char* map : {"/uid_map", "/gid_map"}) {
      Write("/proc/" + std::to_string(pid) + map, stand_in.ids);
    }
  }
  return pid;
}

std::string Host::Moved(const std::string& document) const {
  constexpr std::string_view kProc = "\"/proc/";
  std::string moved;
  std::size_t at = 0;
  for (;;) {
    const std::size_t found = document.find(kProc, at);
    if (found == std::string::npos) break;
    const std::size_t begin = found + kProc.size();
    const std::size_t end = document.find_first_not_of("0123456789", begin);
    std::string number = document.substr(begin, end - begin);
    moved += document.substr(at, begin - at);
    if (document.compare(end, 4, "/exe") == 0) number = "dockerd";
    const auto pid = pids_.find(number);
    moved += pid == pids_.end() ? number : std::to_string(pid->second);
    at = end;
  }
  return moved + document.substr(at);
}

// The network and user namespaces that the engine has pinned for it.
void Host::Pin(const json& spec) const {
  for (const json& entry : spec.at("linux").at("namespaces")) {
    const std::string path = entry.value("path", "");
    if (path.empty() || path.starts_with("/proc/") || fs::exists(path)) continue;
    Write(path, "");
    const bool is_user = entry.at("type") == "user";
    Bind("/proc/" + std::to_string(pids_.at(is_user ? "a pod's user namespace" : "2564")) +
             (is_user ? "/ns/user" : "/ns/net"),
         path);
  }
}

void Host::MakeFilesOf(const std::string& engine, const std::string& name, const std::string& id,
                       const std::string& document) const {
  const json spec = json::parse(document);
  Pin(spec);
  std::string root = spec.at("root").at("path");
  if (engine == "docker") {
    const std::string directory = "/var/lib/docker/containers/" + id;
    Write(directory + "/config.v2.json", RecordOfDocker(id, spec).dump());
    const std::string real = RUNCLAD_TEST_DATA "/golden/docker/" + name + ".config.v2.json";
    if (fs::exists(real)) {
      fs::copy_file(real, directory + "/config.v2.json", fs::copy_options::overwrite_existing);
    }
  }
  for (const json& mount : spec.at("mounts")) {
    const std::string source = mount.value("source", "");
    if (fs::exists(source) || !source.starts_with('/')) continue;
    const std::string part = PartOfVolume(mount);
    if (!part.empty()) {
      fs::create_directories(part);
      fs::create_directories(source);
      Bind(part, source);
      continue;
    }
    const bool is_directory = source.ends_with("/shm") || source.ends_with("/merge") ||
                              source.ends_with("/run/secrets") || source.ends_with("/_data") ||
                              source.find("/kubernetes.io~") != std::string::npos ||
                              source.find("/image-volumes/") != std::string::npos ||
                              source.find("/safe-mount") != std::string::npos;
    if (IsEngineFile(source) && !is_directory) Write(source, "x\n");
    if (is_directory || source.starts_with("/var/lib/docker/volumes/")) {
      fs::create_directories(source);
    }
    for (const json& option : mount.value("options", json::array())) {
      MakeLayersOf(option.get<std::string>());
    }
  }
  // Docker mounts a volume when a container that has it is created. "/" is one of them, and stays
  // mounted no longer than for its own document: everything would have a second name.
  const std::string root_volume = "/var/lib/docker/volumes/rootvol/_data";
  ::umount2(root_volume.c_str(), MNT_DETACH);
  if (name == "v_named_rootbind") Bind("/", root_volume);
  // podman run --rootfs /:O
  constexpr std::string_view kRootOverlay = "/rootfs/merge";
  if (root.ends_with(kRootOverlay)) {
    const std::string work = root.substr(0, root.size() - kRootOverlay.size()) + "/rootfs/";
    for (const char* part : {"upper", "work", "merge"}) fs::create_directories(work + part);
    ::umount2(root.c_str(), MNT_DETACH);
    const std::string options = "lowerdir=/,upperdir=" + work + "upper,workdir=" + work + "work";
    if (::mount("overlay", root.c_str(), "overlay", 0, options.c_str()) != 0) {
      throw std::runtime_error("no overlay of /");
    }
    return;
  }
  // ctr --rootfs names a directory of the host.
  if (root.starts_with('/') && root != "/var/lib/containerd") MakeRootfs(root);
}

}  // namespace runclad::golden
