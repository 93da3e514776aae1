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
// The root of a user namespace, and how many ids it has.
constexpr const char* kIdMap = "0 100000 65536";

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

bool IsEngineFile(const std::string& source) {
  for (const char* root : {"/var/lib/docker/containers/", "/var/lib/containers/",
                           "/var/lib/containerd/", "/run/ident/"}) {
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
  fs::create_directories("/srv/w/dir");
  fs::create_directories("/srv/w/sh");
  fs::create_symlink("/", "/srv/w/rootlink");
  fs::create_symlink("/etc", "/srv/w/etclink");
  // The socket is a socket's name here: that it is one of the engine's is told by its directory.
  Write("/run/docker.sock", "");
  const std::string volumes = "/var/lib/docker/volumes/";
  for (const char* name : {"myvol", "rootvol", "tmpvol"}) {
    fs::create_directories(volumes + name + "/_data");
  }
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
  // The network namespaces that engines pin, of pods and of containers with the host's network.
  const std::string own = "/proc/" + std::to_string(pids_.at("2564")) + "/ns/net";
  for (const char* pod :
       {"cni-f9720101-6c0b-c583-f174-1bdf3b361a56", "cni-1c1ddb9e-33bc-f44e-f233-2582f775686b",
        "cni-4def39d9-632b-ae51-3dc4-cda7c382ad9c", "cni-dccb019c-9c90-b4f7-0f14-84c8063b94f5",
        "cni-17057428-2775-9712-6d56-e78d6101d33a", "cni-ff324cad-c9f6-8982-8e0a-0d9016dbcb01"}) {
    const std::string pinned = std::string("/run/netns/") + pod;
    Write(pinned, "");
    Bind(own, pinned);
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
      Write("/proc/" + std::to_string(pid) + map, kIdMap);
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

void Host::MakeFilesOf(const std::string& engine, const std::string& name, const std::string& id,
                       const std::string& document) const {
  const json spec = json::parse(document);
  std::string root = spec.at("root").at("path");
  if (engine == "docker") {
    const std::string directory = "/var/lib/docker/containers/" + id;
    Write(directory + "/config.v2.json", R"({"ID":")" + id + R"(","MountPoints":{}})");
    const std::string real = RUNCLAD_TEST_DATA "/golden/docker/" + name + ".config.v2.json";
    if (fs::exists(real)) {
      fs::copy_file(real, directory + "/config.v2.json", fs::copy_options::overwrite_existing);
    }
  }
  for (const json& mount : spec.at("mounts")) {
    const std::string source = mount.value("source", "");
    if (fs::exists(source) || !source.starts_with('/')) continue;
    const bool is_directory = source.ends_with("/shm") || source.ends_with("/merge");
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
  // ctr --rootfs names a directory of the host.
  if (root.starts_with('/') && root != "/var/lib/containerd") MakeRootfs(root);
}

}  // namespace runclad::golden
