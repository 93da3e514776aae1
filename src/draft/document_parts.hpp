// The parts that the documents of all engines have in common.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runclad/draft/draft.hpp"

namespace runclad::draft {

// A document that is being drafted, and the notes on it so far.
struct Making {
  const Request& request;
  const Image& image;
  const Host& host;
  Draft draft;
  json::Document& config;

  void NotJudged(std::string what) { draft.not_judged.push_back(std::move(what)); }
};

// What moby and containerd's CRI plugin give every container; podman has lists of its own.
inline constexpr std::string_view kUsualCapabilities[] = {
    "CAP_CHOWN",   "CAP_DAC_OVERRIDE", "CAP_FSETID",           "CAP_FOWNER",
    "CAP_MKNOD",   "CAP_NET_RAW",      "CAP_SETGID",           "CAP_SETUID",
    "CAP_SETFCAP", "CAP_SETPCAP",      "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT",
    "CAP_KILL",    "CAP_AUDIT_WRITE"};
inline constexpr std::string_view kUsualMasks[] = {
    "/proc/asound",     "/proc/acpi",        "/proc/interrupts",
    "/proc/kcore",      "/proc/keys",        "/proc/latency_stats",
    "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug",
    "/proc/scsi",       "/sys/firmware",     "/sys/devices/virtual/powercap"};
inline constexpr std::string_view kUsualReadOnlyPaths[] = {"/proc/bus", "/proc/fs", "/proc/irq",
                                                           "/proc/sys", "/proc/sysrq-trigger"};

// An id that no engine generates.
std::string DraftId();

json::Document MountOf(std::string destination, std::string type, std::string source,
                       std::vector<std::string> options);
// Replaces a mount at the same destination, as engines do if a user mounts over one of theirs.
void AddMount(Making& making, json::Document mount);
// The engine's own file at `destination`; a user's mount there takes precedence.
void AddEngineFile(Making& making, const std::string& destination, const std::string& source,
                   std::vector<std::string> options);
// Outer directories before inner ones.
void SortMounts(json::Document& mounts);

// The names that remain from the engine's default set.
Result<std::vector<std::string>> Capabilities(const Making& making,
                                              std::span<const std::string_view> defaults);
// With the sets that the engine gives the user.
void SetCapabilities(Making& making, const std::vector<std::string>& names);

// process.user: numbers, or 65534 for names that only the image's /etc/passwd resolves.
Status SetUser(Making& making);

// process.args, env (beginning with `first`) and cwd.
void SetProgram(Making& making, std::vector<std::string> first,
                const std::vector<std::string>& init);

// process.rlimits, process.oomScoreAdj, linux.resources without the devices, linux.sysctl.
void SetLimits(Making& making);

// linux.devices and linux.resources.devices; `base`: the rules in front.
Status SetDevices(Making& making, json::Document base);

// linux.seccomp
Status SetSeccomp(Making& making);

void SetMasks(Making& making, std::span<const std::string_view> masked,
              std::span<const std::string_view> read_only);

// Removes the namespace `type` from the document, or makes the container join one.
void LeaveOut(json::Document& namespaces, std::string_view type);
void Join(Making& making, std::string_view type, const std::string& path, Joined joined);

// The mode of a namespace: "host", "private", …; empty: the engine's default.
std::string ModeOf(const Request& request, std::string_view type);
// "container:web" → "web"; empty: another mode.
std::string JoinedContainer(std::string_view mode);

Status MakeDocker(Making& making);
Status MakePodman(Making& making);
Status MakePodContainer(Making& making);

}  // namespace runclad::draft
