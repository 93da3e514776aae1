// Which mounts of the host equal root there.
#include <algorithm>

#include "runclad/base/path.hpp"
#include "runclad/rules/meaning.hpp"

namespace runclad::rules {
namespace {

// What of the host makes a container root there. This is not complete: it names what is asked for.
struct Path {
  std::string_view path;
  std::string_view read;   // a clause: why even a read-only mount does; empty: only a writable one
  std::string_view write;  // likewise for a writable one
  bool and_below = false;  // and what is below the path
};
constexpr std::string_view kSockets =
    "it has the engines' sockets, which a read-only mount does not protect";
constexpr std::string_view kSystemSockets =
    "it has sockets that start programs as root, which a read-only mount does not protect";
constexpr std::string_view kPrograms = "the host runs what is written there";
constexpr std::string_view kStorage = "it has the engine's storage";
constexpr std::string_view kDisks = "it has the host's disks";
constexpr std::string_view kCluster = "it has keys of the cluster";
constexpr Path kPaths[] = {
    {"/", "it has every key and the engines' sockets, which a read-only mount does not protect",
     "every file of the host can be changed"},
    {"/bin", "", kPrograms, true},
    {"/boot", "", kPrograms, true},
    {"/dev", kDisks, kDisks},
    {"/etc/kubernetes", kCluster, kCluster, true},
    {"/etc", "", "accounts, cron jobs and services are defined there", true},
    {"/lib", "", kPrograms, true},
    {"/lib64", "", kPrograms, true},
    {"/nix", "", kPrograms, true},
    {"/opt", "", kPrograms, true},
    {"/proc", "it shows the files and the environment of the host's processes (/proc/PID/root)",
     "/proc/sys/kernel/core_pattern names a program that the kernel runs", true},
    {"/root/.ssh", "it can have keys of root", "SSH keys are there", true},
    {"/root", "", "SSH keys and shell startup files are there", true},
    {"/run", kSockets, kSockets},
    {"/run/containerd", kSockets, kSockets, true},
    {"/run/crio", kSockets, kSockets, true},
    {"/run/docker", kSockets, kSockets, true},
    {"/run/dbus", kSystemSockets, kSystemSockets, true},
    {"/run/podman", kSockets, kSockets, true},
    {"/run/systemd", kSystemSockets, kSystemSockets, true},
    {"/sbin", "", kPrograms, true},
    {"/snap", "", kPrograms, true},
    {"/sys", "", "settings below it name programs that the kernel runs", true},
    {"/usr", "", kPrograms, true},
    {"/var", kSockets, kSockets},
    {"/var/lib", "", "it has the engines' storage"},
    {"/var/lib/buildkit", "", kStorage, true},
    {"/var/lib/containerd", "", kStorage, true},
    {"/var/lib/containers", "", kStorage, true},
    {"/var/lib/crio", "", kStorage, true},
    {"/var/lib/docker", "", kStorage, true},
    {"/var/lib/etcd", kCluster, kCluster, true},
    {"/var/lib/k0s", kCluster, kCluster, true},
    {"/var/lib/kubelet/pki", kCluster, kCluster, true},
    {"/var/lib/kubelet", "", "it has the keys and volumes of pods", true},
    {"/var/lib/nerdctl", "", kStorage, true},
    {"/var/lib/rancher", kCluster, kCluster, true},
    {"/var/spool", "", "cron jobs are defined there", true},
};

bool IsEngineSocket(std::string_view path) {
  constexpr std::string_view kNames[] = {"/buildkitd.sock",   "/containerd.sock", "/crio.sock",
                                         "/cri-dockerd.sock", "/docker.sock",     "/podman.sock"};
  return std::ranges::any_of(kNames, [&](std::string_view name) { return path.ends_with(name); });
}

}  // namespace

std::string_view WhyHostRoot(std::string_view entry) {
  constexpr std::string_view kBind = "bind ";
  if (!entry.starts_with(kBind)) return {};
  entry.remove_prefix(kBind.size());
  const std::string_view mode = entry.substr(entry.rfind(' ') + 1);
  std::string_view source = entry.substr(0, entry.rfind(' '));
  while (source.size() > 1 && source.ends_with('/')) source.remove_suffix(1);
  constexpr std::string_view kRun = "/var/run";  // a link to /run
  if (IsAtOrBelow(source, kRun))
    source.remove_prefix(kRun.size() - std::string_view("/run").size());
  if (IsEngineSocket(source)) {
    return "it is an engine's API socket, which a read-only mount does not protect";
  }
  for (const Path& known : kPaths) {
    if (source != known.path && !(known.and_below && IsAtOrBelow(source, known.path))) continue;
    const std::string_view why = mode == "rw" ? known.write : known.read;
    if (!why.empty()) return why;
  }
  return {};
}

}  // namespace runclad::rules
