// A request to an engine for a container that does not exist yet: the arguments of docker run, a
// compose service, or a container of a pod.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runclad/engine/identity.hpp"

namespace runclad::draft {

struct Mount {
  enum class Kind { kBind, kVolume, kTmpfs, kImage };
  Kind kind = Kind::kBind;
  // A path on the host, the name of a volume (empty: an anonymous one) or an image.
  std::string source;
  std::string destination;
  bool is_read_only = false;
  bool is_recursive = true;              // a bind includes what is mounted below its source
  bool is_recursively_read_only = true;  // if the engine and the kernel support it
  std::string propagation;               // "rslave"; empty: the engine's default
  std::vector<std::string> options;      // of a tmpfs, and of podman's mounts, as written
  std::string subpath;                   // of a volume or an image
  bool is_made_if_missing = false;       // the engine creates a missing source as a directory
  // Options for creating the volume with the driver "local": type, o, device.
  std::map<std::string, std::string> driver_options;
  std::string driver;  // empty: "local"
};

struct Device {
  std::string host;         // "/dev/fuse"
  std::string container;    // its path in the container
  std::string permissions;  // of "rwm"
};

struct Rlimit {
  std::string name;  // "nofile"
  std::int64_t soft = 0;
  std::int64_t hard = 0;
};

// Bytes, microseconds and numbers as in the runtime spec; no value: not requested.
struct Limits {
  std::optional<std::int64_t> memory;
  std::optional<std::int64_t> memory_swap;
  std::optional<std::int64_t> memory_reservation;
  std::optional<std::int64_t> swappiness;
  std::optional<std::int64_t> cpu_shares;
  std::optional<std::int64_t> cpu_period;
  std::optional<std::int64_t> cpu_quota;
  std::optional<std::int64_t> cpu_realtime_period;
  std::optional<std::int64_t> cpu_realtime_runtime;
  std::optional<std::int64_t> pids;
  std::optional<std::int64_t> block_io_weight;
  std::string cpus;  // "0-3"
  std::string mems;
  bool disables_oom_killer = false;
};

struct Request {
  engine::Engine engine = engine::Engine::kDocker;  // kContainerd: a pod's container
  std::string title;                                // its name for people: "web"
  std::string image;                                // as typed
  std::string runtime;                              // empty: the engine's default
  std::vector<std::string> command;
  std::optional<std::vector<std::string>> entrypoint;  // no value: the image's
  std::optional<std::string> user;                     // "1000:1000", "app"
  std::vector<std::string> groups;
  std::vector<std::string> environment;  // "NAME=value"
  std::string working_directory;
  std::string hostname;
  std::string domain_name;
  bool has_terminal = false;
  bool has_init = false;

  bool is_privileged = false;
  std::vector<std::string> added_capabilities;
  std::vector<std::string> dropped_capabilities;
  bool has_read_only_root = false;
  bool has_writable_tmp = true;  // podman --read-only-tmpfs
  std::vector<Mount> mounts;
  std::vector<Device> devices;
  std::vector<std::string> device_rules;  // "c 1:11 rwm"
  // By type ("pid", "ipc", "uts", "network", "user", "cgroup"): "host", "private", "shareable",
  // "none", "container:NAME", "pod" (the sandbox's), "ns:PATH"; no entry: the engine's default.
  std::map<std::string, std::string> namespaces;

  bool has_no_new_privileges = false;
  // "unconfined", "default", or the text of a profile in Docker's form; no value: the default.
  std::optional<std::string> seccomp;
  std::optional<std::string> apparmor;  // a profile's name
  std::vector<std::string> labels;      // SELinux: "type:spc_t", "disable"
  bool has_unmasked_paths = false;      // systempaths=unconfined, procMount: Unmasked
  std::vector<std::string> unmasked;    // podman's, "ALL" or paths
  std::vector<std::string> masked;
  bool has_writable_cgroups = false;
  std::map<std::string, std::string> sysctls;
  std::vector<Rlimit> rlimits;
  Limits limits;
  std::optional<std::int64_t> oom_score_adjustment;
  std::optional<std::int64_t> shm_bytes;
  std::string cgroup_parent;
  std::map<std::string, std::string> annotations;

  // For a pod's container: the pod's namespace, and the kubelet's directory for the pod.
  std::string pod_namespace;
  std::string pod_directory;

  // The parts of the request that no finding takes into account: "--gpus all: …".
  std::vector<std::string> not_judged;
};

}  // namespace runclad::draft
