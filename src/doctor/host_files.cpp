#include "host_files.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string_view>
#include <vector>

#include "runclad/sys/directory.hpp"
#include "runclad/sys/named_file.hpp"

namespace runclad::doctor {
namespace {

namespace fs = std::filesystem;

template <std::size_t kCount>
bool IsOneOf(std::string_view name, const std::string_view (&names)[kCount]) {
  return std::ranges::find(names, name) != std::end(names);
}

constexpr std::string_view kEngines[] = {"dockerd", "containerd", "crio",       "buildkitd",
                                         "podman",  "conmon",     "rootlesskit"};
// With a containerd or another engine inside, where none runs as a process of its own.
constexpr std::string_view kEmbedding[] = {"k3s", "k3s-server", "k3s-agent", "rke2",
                                           "k0s", "microk8s",   "kubelite"};
constexpr std::string_view kKubelets[] = {"kubelet", "k3s", "k3s-server", "k3s-agent",
                                          "rke2",    "k0s", "kubelite",   "hyperkube"};
constexpr std::string_view kSockets[] = {"docker.sock",     "containerd.sock", "crio.sock",
                                         "buildkitd.sock",  "podman.sock",     "isulad.sock",
                                         "cri-dockerd.sock"};

// Whom a socket's name belongs to, as a survey names it.
std::string_view EngineOfSocket(std::string_view name) {
  if (name == "docker.sock" || name == "cri-dockerd.sock") return "docker";
  if (name == "containerd.sock") return "containerd";
  if (name == "crio.sock") return "crio";
  if (name == "buildkitd.sock") return "buildkit";
  return {};  // podman's answers by whatever runtime a request names
}

bool HasEngine(const RoadFacts& roads, std::string_view name) {
  return std::ranges::any_of(roads.engines,
                             [&](const EngineFacts& engine) { return engine.engine == name; });
}

}  // namespace

void ReadProcesses(const std::string& root, RoadFacts& roads) {
  std::vector<std::string> embedding;
  for (const std::string& number : sys::NamesIn(root + "/proc")) {
    if (number.find_first_not_of("0123456789") != std::string::npos) continue;
    const fs::path process = root + "/proc/" + number;
    struct stat status {};
    std::string name = sys::ContentOf(process / "comm");
    while (name.ends_with('\n')) name.pop_back();
    const bool is_engine = IsOneOf(name, kEngines);
    const bool is_embedding = IsOneOf(name, kEmbedding);
    const bool is_kubelet = IsOneOf(name, kKubelets);
    if (!is_engine && !is_embedding && !is_kubelet) continue;
    if (::stat(process.c_str(), &status) != 0) continue;
    // Whoever may start a container may name a process so; what runs as root there is not one.
    if (status.st_uid != 0) {
      if (is_engine) {
        roads.rootless.push_back(
            {static_cast<pid_t>(std::strtol(number.c_str(), nullptr, 10)), status.st_uid, name});
      }
      continue;
    }
    roads.has_kubelet |= is_kubelet;
    if (is_embedding) embedding.push_back(name);
  }
  std::ranges::sort(roads.rootless, {}, &ProcessFact::pid);
  if (HasEngine(roads, "containerd")) return;
  std::ranges::sort(embedding);
  embedding.erase(std::unique(embedding.begin(), embedding.end()), embedding.end());
  roads.embedded = embedding;
}

void ReadSockets(const std::string& root, RoadFacts& roads) {
  std::istringstream lines(sys::ContentOf(root + "/proc/net/unix"));
  std::vector<std::string> seen;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::string number;
    std::string count;
    std::string protocol;
    std::string flags;
    std::string type;
    std::string state;
    std::string inode;
    std::string path;
    fields >> number >> count >> protocol >> flags >> type >> state >> inode >> path;
    constexpr std::string_view kListens = "00010000";  // __SO_ACCEPTCON
    if (flags != kListens || !path.starts_with('/')) continue;
    const std::string name = path.substr(path.rfind('/') + 1);
    if (!IsOneOf(name, kSockets)) continue;
    if (std::ranges::find(seen, path) != seen.end()) continue;
    seen.push_back(path);
    struct stat status {};
    // One that is not there is of another mount namespace, or was replaced.
    if (::stat((root + path).c_str(), &status) != 0) continue;
    if ((status.st_mode & S_IWOTH) != 0) roads.open_sockets.push_back(path);
    // dockerd's own containerd serves dockerd alone.
    if (path.starts_with("/run/docker/") || path.starts_with("/var/run/docker/")) continue;
    const std::string_view engine = EngineOfSocket(name);
    if (engine.empty() || !HasEngine(roads, engine)) roads.other_sockets.push_back(path);
  }
  std::ranges::sort(roads.open_sockets);
  std::ranges::sort(roads.other_sockets);
}

void ReadChrootSettings(const std::string& root, RoadFacts& roads) {
  std::vector<fs::path> files = {root + "/etc/environment"};
  for (const char* directory : {"/etc/environment.d", "/etc/profile.d", "/etc/security"}) {
    for (const std::string& name : sys::NamesIn(root + directory)) {
      files.push_back(fs::path(root + directory) / name);
    }
  }
  for (const fs::path& file : files) {
    std::istringstream lines(sys::ContentOf(file));
    for (std::string line; std::getline(lines, line);) {
      const std::size_t first = line.find_first_not_of(" \t");
      if (first == std::string::npos || line[first] == '#') continue;
      std::erase_if(line, [](char c) { return c == '"' || c == '\'' || c == ' '; });
      if (line.find("BUILDAH_ISOLATION=chroot") == std::string::npos) continue;
      roads.chroot_settings.push_back(file.string().substr(root.size()));
      break;
    }
  }
  const char* own = ::getenv("BUILDAH_ISOLATION");  // NOLINT(concurrency-mt-unsafe)
  if (root.empty() && own != nullptr && std::string_view(own) == "chroot") {
    roads.chroot_settings.emplace_back("the environment of this shell");
  }
  std::ranges::sort(roads.chroot_settings);
}

}  // namespace runclad::doctor
