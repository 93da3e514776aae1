// What `doctor` knows of a host when it judges it. Values only, so that a test can make up a host.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace runclad::doctor {

// A program that an engine runs under a name.
struct RuntimeFact {
  std::string name;
  std::string program;  // where the engine finds it; if it finds none, as the engine names it
  bool is_runclad = false;
  bool is_missing = false;  // there is no such program
  std::string arguments;    // that the engine gives it, with blanks between
};

struct ContainerFact {
  std::string name;
  std::string runtime;  // as the engine knows it
  std::string remedy;   // what makes it again
  bool is_running = false;
};

struct EngineFacts {
  std::string engine;   // "docker", "containerd", "crio", "podman", "buildkit"
  std::string place;    // which one of several
  std::string address;  // of its API, as its client takes it; empty: it has none
  std::string fault;    // why it could not be asked; then the rest is empty
  std::string version;
  std::string default_runtime;  // a name in `runtimes`
  std::vector<RuntimeFact> runtimes;
  std::vector<RuntimeFact> shims;  // that its users may name as a runtime, besides those
  std::vector<ContainerFact> containers;
  std::optional<RuntimeFact> builder;  // what runs the steps of BuildKit's builds
  std::string cgroup_parent;           // a setting; empty: the engine's own
  std::vector<std::string> open_addresses;
  std::vector<std::string> nri_plugins;
  bool is_stale = false;  // its file was changed after it had started

  // Null if there is none of this name.
  [[nodiscard]] const RuntimeFact* runtime(const std::string& name) const;
  // Whether a container that names no runtime goes through runclad.
  [[nodiscard]] bool is_covered() const;
};

// A program that is an OCI runtime.
struct HostRuntime {
  std::string name;   // "runc"
  std::string file;   // "/usr/sbin/runc", without links
  std::string moved;  // by `runcladctl close`: "/usr/libexec/runclad/runc"; empty: it is open
  std::string fault;  // why it is neither open nor closed as it should be; empty: nothing
};

struct ProcessFact {
  pid_t pid = 0;
  uid_t user = 0;
  std::string program;
};

// A running container without a record of runclad: it is older than the registration, or was
// started around runclad.
struct UnrecordedFact {
  std::string name;     // "web (0123456789ab)"; of a pod: "pod default/web"
  std::string engine;   // "docker", "containerd", "podman", "crio"; empty: it was made by hand
  std::string program;  // the runtime that it was made with, as the engine says; empty: unknown
  std::string remedy;   // what makes it again
  bool operator==(const UnrecordedFact&) const = default;
};

// What leads to a container without runclad.
struct RoadFacts {
  std::vector<EngineFacts> engines;
  std::vector<HostRuntime> runtimes;
  std::vector<ProcessFact> rootless;         // engines' processes of other users
  std::vector<std::string> other_sockets;    // of engines that are not in `engines`
  std::vector<std::string> open_sockets;     // engines' sockets that every user may write to
  std::vector<std::string> embedded;         // programs with an engine inside that cannot be asked
  std::vector<std::string> chroot_settings;  // files in which buildah is told to call no runtime
  std::vector<UnrecordedFact> unrecorded;
  std::vector<std::string> audited;  // running ones for which nothing was enforced
  bool has_kubelet = false;
};

struct PolicyFault {
  std::string file;
  std::size_t line = 0;  // 0: the file as a whole
  bool is_fault = true;  // otherwise a warning
  std::string kind;      // as `policy lint --json` names it
  std::string message;
};

// An entry of doctor.json that does not do what it seems to.
struct AcknowledgementFault {
  std::string acknowledgement;  // its check, subject and reason
  std::string sentence;
};

struct PolicyFacts {
  std::string directory;
  std::string fault;  // why it cannot be read
  bool is_audit = false;
  std::string break_glass;        // why and until when nothing is enforced; empty: all is
  std::string break_glass_fault;  // why the switch cannot be used; empty: it can, or is off
  std::string fell_back_because;  // why an older copy is used; empty: none is
  bool passes_rootless = false;
  std::string builds;                   // the profile of builds; empty: as other containers
  bool ignores_cgroup_parents = false;  // the rule cgroup-path is off
  std::vector<std::string> cgroup_parents;
  std::vector<PolicyFault> faults;
  std::vector<std::string> unheld_pins;  // pinned names that an engine here has other images under
  std::vector<std::string> abandoned_trials;  // containers that a killed learner left
  std::vector<AcknowledgementFault> acknowledgements;
};

struct LogFacts {
  std::string target;  // "file:/var/log/runclad/audit.jsonl", "journald", "syslog"
  std::string path;    // of a file; empty: another target
  std::string fault;   // why it cannot be written
  bool is_required = false;
  std::string unsafe_part;  // what of its path users other than root could replace or change
  bool is_device = false;   // or a FIFO or a socket: no regular file
  std::string exposed;      // enforce::WhyLogIsExposed
  bool is_forward = false;  // the decisions are in the log as well
  bool is_log_itself = false;
  std::uint64_t bytes = 0;
  std::uint64_t renamed_at_bytes = 0;  // by runclad; 0: never
  std::uint64_t free_bytes = 0;
  std::uint64_t free_share = 100;  // percent of the file system
  bool has_journald = true;
  bool has_syslog = true;
};

struct LowerRuntimeFacts {
  std::string path;
  std::string fault;             // why there is none, or it could not be asked
  std::string kind;              // "runc", "crun", "youki"; empty: another
  std::string version;           // "1.1.5", without what a distribution added
  std::string package;           // "runc 1.1.5+ds1-1+deb12u1"; empty: it is not of a package
  std::set<std::string> mended;  // the CVEs that the package's changelog names
};

struct KernelFeature {
  std::string name;
  bool is_there = false;
  std::string use;  // what happens without it
  bool is_required = false;
};

struct KernelFacts {
  std::string release;
  std::vector<KernelFeature> features;
  std::vector<std::string> missing_controllers;    // of cgroup v2 alone
  std::vector<std::string> unmounted_hierarchies;  // of cgroup v1
};

struct ProgramFact {
  std::string path;
  std::string unsafe_part;  // the component that users other than root could change or replace
  std::string label;        // of SELinux; empty: none
  std::string expected_label_type;
};

struct ProgramFacts {
  std::string runclad_version;  // empty: it could not be asked
  std::string own_version;
  std::string fault;
  std::vector<ProgramFact> programs;
  bool has_selinux = false;
  bool has_apparmor = false;
  bool has_container_profile = false;  // docker-default or containers-default is loaded
};

// What a process in a container found out about itself.
struct ProbeAnswer {
  std::uint64_t bounding = 0;  // capabilities as bits
  std::uint64_t effective = 0;
  bool has_no_new_privileges = false;
  int seccomp = 0;                     // 2: a filter
  std::vector<std::string> writable;   // of the root file system, /proc/sys, /sys
  std::vector<std::string> readable;   // files of /proc that are to be masked
  std::vector<std::string> shared;     // namespaces that are the host's
  std::vector<std::string> succeeded;  // attempts that the kernel should have refused
};

// The names of what it holds or could get, "CAP_KILL".
std::vector<std::string> CapabilitiesOf(const ProbeAnswer& answer);

struct AttackFact {
  std::string name;         // "docker run --privileged"
  bool is_refused = false;  // by runclad
  bool is_made = false;     // the container ran
  std::string text;         // what the engine said, if neither
};

struct ProbeFacts {
  std::string engine;
  std::string place;
  std::string way;       // "docker run", "ctr run with the program of the CRI plugin's default"
  std::string fault;     // the probe could not be run
  std::string unproven;  // why no probe was run, and what shows it instead
  std::string refusal;   // runclad refused it: the host's policy runs no such image
  std::optional<ProbeAnswer> answer;
  std::vector<AttackFact> attacks;
};

// What the policy promises to a container that asks for nothing.
struct Promised {
  bool is_enforced = true;
  std::uint64_t bounding = 0;
  bool no_new_privileges = true;
  bool seccomp = true;
  bool read_only_root = true;
  bool masks = true;
  bool refuses_host_mounts = true;
  bool refuses_host_namespaces = true;
  bool refuses_privileged = true;
};

struct Facts {
  RoadFacts roads;
  PolicyFacts policy;
  std::vector<LogFacts> logs;  // the log, and where it is forwarded to
  LowerRuntimeFacts runtime;
  KernelFacts kernel;
  ProgramFacts programs;
  Promised promised;
  std::vector<ProbeFacts> probes;
};

}  // namespace runclad::doctor
