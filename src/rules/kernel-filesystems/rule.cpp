// kernel-filesystems: /proc, /sys and the cgroup tree as engines mount them, with nothing mounted
// over them.
#include "runclad/rules/rule.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "runclad/base/path.hpp"
#include "runclad/rules/engine_sys.hpp"

#include "rules/binding.hpp"

namespace runclad::rules {
namespace {

constexpr std::string_view kCgroups = "/sys/fs/cgroup";

bool IsCgroup(const oci::Mount& mount) { return mount.type == "cgroup" || mount.type == "cgroup2"; }

// The last of "ro" and "rw" counts.
bool IsReadOnly(const oci::Mount& mount) {
  bool is_read_only = false;
  for (const std::string& option : mount.options) {
    if (option == "ro" || option == "rro") is_read_only = true;
    if (option == "rw" || option == "rrw") is_read_only = false;
  }
  return is_read_only;
}

std::vector<std::string> ReadOnlyOptions(const oci::Mount& mount) {
  std::vector<std::string> options = mount.options;
  std::erase_if(options, [](const std::string& option) {
    return option == "rw" || option == "rrw" || option == "ro" || option == "rro";
  });
  options.emplace_back("ro");
  return options;
}

// The cgroup file system, or a bind of the host's tree (podman's /sys/fs/cgroup/systemd), which is
// host-mounts' to judge.
bool ShowsCgroups(const oci::Mount& mount, const Sources& sources) {
  if (!mount.is_bind()) return IsCgroup(mount);
  const auto found = sources.find(mount.source);
  const bool is_resolved = found != sources.end() && !found->second.resolved.empty();
  return IsAtOrBelow(is_resolved ? found->second.resolved : mount.source, kCgroups);
}

// Why a mount must not be at `destination`; empty if it may.
std::string WhyOverKernel(const oci::Spec& spec, const oci::Mount& mount,
                          const std::string& destination, EngineSysFacts facts) {
  // Where runc accepts mounts: lxcfs shows the container's own limits there.
  constexpr std::array<std::string_view, 10> kOfTheContainer = {
      "/proc/cpuinfo", "/proc/diskstats", "/proc/meminfo",  "/proc/stat",    "/proc/swaps",
      "/proc/uptime",  "/proc/loadavg",   "/proc/slabinfo", "/proc/net/dev", "/proc/pressure"};
  if (destination == "/proc") return mount.type == "proc" ? "" : "is not a proc filesystem";
  if (destination == "/sys") {
    const bool is_sys = mount.type == "sysfs" || IsHardenedSys(spec, mount, facts);
    return is_sys ? "" : "is not a sysfs filesystem";
  }
  if (IsAtOrBelow(destination, "/proc")) {
    const bool is_own = std::ranges::find(kOfTheContainer, destination) != kOfTheContainer.end();
    return is_own ? "" : "is mounted over the kernel's files in /proc";
  }
  if (IsAtOrBelow(destination, kCgroups)) {
    return ShowsCgroups(mount, facts.Get<Sources>()) ? ""
                                                     : "is mounted over the container's cgroups";
  }
  if (IsAtOrBelow(destination, "/sys")) return "is mounted over the kernel's files in /sys";
  return {};
}

constexpr Code kMountedOver{"mounted-over",
                            "something is mounted over the kernel's files in /proc or /sys"};
constexpr Code kSecondProc{"second-proc",
                           "a proc filesystem is mounted somewhere other than /proc"};
constexpr Code kWritableSys{"writable-sys", "a sysfs filesystem is mounted writable",
                            Symptom::kReadOnly};
constexpr Code kWritableCgroup{"writable-cgroup", "a cgroup filesystem is mounted writable",
                               Symptom::kReadOnly};
constexpr Code kCodes[] = {kMountedOver, kSecondProc, kWritableSys, kWritableCgroup};

Findings Check(const oci::Spec& spec, const Context& /*context*/, EngineSysFacts facts) {
  Findings findings;
  const std::vector<oci::Mount>& mounts = spec.mounts();
  for (std::size_t i = 0; i < mounts.size(); ++i) {
    const oci::Mount& mount = mounts[i];
    const std::string path = "/mounts/" + std::to_string(i);
    const std::string destination = facts.Get<Destinations>().Resolve(mount.destination);
    if (const std::string why = WhyOverKernel(spec, mount, destination, facts); !why.empty()) {
      findings.push_back(Refuse(kMountedOver, path + "/destination", mount.destination, why,
                                AskEngine("mount it outside of /proc and /sys")));
    } else if (mount.type == "proc" && destination != "/proc") {
      findings.push_back(
          Refuse(kSecondProc, path + "/destination", mount.destination,
                 "is a second proc filesystem, without the masks of /proc",
                 AskEngine("use the proc filesystem that the engine mounts at /proc")));
    } else if (mount.is_bind() || IsReadOnly(mount)) {
      continue;
    } else if (mount.type == "sysfs") {
      findings.push_back(
          Propose(kWritableSys, path + "/options", ReadOnlyOptions(mount),
                  "lets the container change settings of the host's kernel in /sys",
                  NoRemedy("all containers and the host share the kernel's settings in /sys")));
    } else if (IsCgroup(mount)) {
      findings.push_back(
          Propose(kWritableCgroup, path + "/options", ReadOnlyOptions(mount),
                  "lets the container change the cgroup tree, whose release_agent runs on the host",
                  NoRemedy("whoever can write to a cgroup tree can run programs on the host")));
    }
  }
  return findings;
}

constexpr std::string_view kBenchmarks[] = {"PSS baseline"};
constexpr std::string_view kPaths[] = {"/mounts/*/destination", "/mounts/*/type",
                                       "/mounts/*/options"};
constexpr policy::Action kActions[] = {policy::Action::kFix, policy::Action::kRefuse,
                                       policy::Action::kWarn, policy::Action::kOff};

}  // namespace

extern constinit const Rule kKernelFilesystems{
    .schema = {.id = "kernel-filesystems", .actions = kActions, .parameters = {}},
    .title = "Kernel filesystems only as engines mount them",
    .rationale =
        "A writable /sys or cgroup tree is a way onto the host: the kernel runs a cgroup's "
        "release_agent outside of every container. A second /proc has none of the masks of the "
        "first, and a mount over /proc or /sys deceives the programs that read them.",
    .way_out =
        "leave /proc, /sys and /sys/fs/cgroup to the engine, which mounts /sys and cgroups "
        "read-only",
    .codes = kCodes,
    .benchmarks = kBenchmarks,
    .paths = kPaths,
    .scope = Scope::kContainer,
    .check = Bind<Check>(),
};

}  // namespace runclad::rules
