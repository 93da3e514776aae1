// The containers of this host with what the kernel holds for each, read from /proc and from the
// cgroups; nothing is asked of an engine.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runclad/base/result.hpp"
#include "runclad/engine/identity.hpp"
#include "runclad/look/filters.hpp"

namespace runclad::look {

// Of one task, as /proc/PID/status has it. Ids are the host's.
struct Credentials {
  std::array<uid_t, 4> uids{};  // real, effective, saved, file system
  std::array<gid_t, 4> gids{};
  std::vector<gid_t> groups;
  // Masks by number.
  std::uint64_t inheritable = 0;
  std::uint64_t permitted = 0;
  std::uint64_t effective = 0;
  std::uint64_t bounding = 0;
  std::uint64_t ambient = 0;
  bool no_new_privileges = false;
  int seccomp_mode = 0;     // 0: none, 1: strict, 2: filters
  int seccomp_filters = 0;  // how many; -1: the kernel does not say (before 5.9)
  pid_t tracer = 0;
};

struct MountState {
  std::uint64_t id = 0;
  std::string point;
  std::string type;
  std::string root;    // what is seen of the file system
  std::string source;  // "/dev/vda1", "overlay": as mountinfo has it
  bool is_writable = false;
  bool may_execute = false;
  bool may_set_ids = false;   // set-user-ID programs count
  bool has_devices = false;   // device nodes can be opened
  bool is_host_bind = false;  // a file or directory of a file system that the host has mounted
  bool propagates_to_host = false;  // what is mounted below appears on the host as well
};

struct NamespaceState {
  std::string kind;  // as /proc/PID/ns has it: "net"
  ino_t inode = 0;
  bool is_host = false;
  std::vector<std::string> shared_with;  // the ids of other containers
};

struct Listener {
  std::string protocol;  // "tcp", "tcp6", "udp", "udp6"
  std::string address;   // "0.0.0.0", "::1"
  std::uint16_t port = 0;
};

// No value: no limit. `unknown`: that the cgroup could not be read.
struct LimitState {
  std::optional<std::int64_t> memory;  // bytes
  std::optional<std::int64_t> pids;
  std::optional<double> cpus;
  std::vector<std::string> unknown;  // "memory", "pids", "cpu"
};

// What the record says of a container, and whether the kernel agrees.
enum class Promise {
  kNone,     // it did not come through runclad
  kKept,     // the kernel's state is what was decided
  kBroken,   // it is not: `difference`
  kUnknown,  // the record cannot be read: `difference`
};

struct Container {
  std::string id;
  std::string name;  // what people call it; empty: the id is all that it has
  std::string bundle;
  std::string runtime_root;
  engine::Identity identity;  // the engine and the image, from root-owned engine state

  pid_t pid = 0;  // of the first process, on the host
  std::uint64_t start_time = 0;
  std::string program;      // the kernel's name of it
  bool is_waiting = false;  // created and not started
  Credentials credentials;
  std::optional<uid_t> user_inside;  // as the container sees it; none: not mapped
  bool has_user_namespace = false;   // of its own
  bool is_host_root = false;         // its user is the host's root
  bool can_be_host_root = false;     // some user of it is, or it has no user namespace
  std::string label;                 // of the security module; empty: none
  bool is_root_writable = true;
  std::string upper_directory;     // of an overlay root, as the host names it; empty: none
  std::string lower_directories;   // with ':' between
  std::vector<MountState> mounts;  // the container's, in the kernel's order
  std::vector<NamespaceState> namespaces;
  std::vector<Listener> listeners;
  LimitState limits;
  // The mount namespaces of other containers that share its PID namespace.
  std::vector<ino_t> pid_sharers;
  std::vector<pid_t> processes;       // all of it, the first one included
  std::vector<std::string> programs;  // the kernel's names of these, each once
  // "c 1:3 rwm" in a line each; no value: cgroup v2, where they are a program.
  std::optional<std::string> device_rules;
  FilterSummary filter;

  Promise promise = Promise::kNone;
  std::string difference;
  std::string profile;  // "restricted", from the record
  std::string mode;     // "enforce", "audit"

  [[nodiscard]] const NamespaceState* FindNamespace(std::string_view kind) const;
  [[nodiscard]] bool SharesWithHost(std::string_view kind) const;
  [[nodiscard]] std::string image() const;  // its first name, else its digest, else empty
};

struct LookOptions {
  // Directories of runtimes beside /run/runc and /run/crun (--root).
  std::vector<std::string> runtime_roots;
  enum class Filters {
    kWhereNeeded,  // of the kernel, unless it has one filter alone, which runclad's document gave
                   // it
    kKernel,       // stops a task of each container for about 0.2 ms to read its filters
    kDocument,     // what was asked for, by the container's document
    kNone,         // they are left out
  };
  Filters filters = Filters::kWhereNeeded;
  // Only containers whose id or name this is, or whose id begins so; empty: all.
  std::string wanted;
};

// Every running container of this host, sorted by engine and name. One that ends while it is read
// is left out. An error: only root can look.
Result<std::vector<Container>> FindContainers(const LookOptions& options);

// The one that `options.wanted` names.
Result<Container> FindContainer(const LookOptions& options);

}  // namespace runclad::look
