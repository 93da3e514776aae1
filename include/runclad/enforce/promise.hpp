// The promise: what create recorded about a container, and whether the container that the lower
// runtime made matches it. Between create and start, the container has its capabilities, filter,
// limits and mounts, but its program does not run yet: anything that was swapped in the meantime
// can be detected then.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "runclad/base/result.hpp"
#include "runclad/oci/spec.hpp"
#include "runclad/policy/effective.hpp"
#include "runclad/rules/engine_sys.hpp"
#include "runclad/rules/facts.hpp"

namespace runclad::enforce {

// What the promise reads, which is asked for every container that is to be made.
using PromiseFacts =
    rules::Reading<rules::Sources, rules::Destinations, rules::Hooks, rules::Namespaces,
                   rules::RootDirectory, rules::UserNamespace, rules::HostSys, rules::KernelFacts>;

// Of a mount, as bits.
enum MountFlag : unsigned { kReadOnly = 1, kNoSuid = 2, kNoDev = 4, kNoExec = 8 };

// An entry of the document's mounts. Each has a line in the container's mount table.
struct PromisedMount {
  std::string point;  // the destination, links resolved
  std::string type;   // of a file system that is made anew; empty: a bind
  unsigned flags = 0;

  // A bind. Without an inode any source will do: the policy does not judge sources.
  std::string source;  // the host's path, links resolved
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t file_system = 0;  // as mountinfo has it, major << 32 | minor; 0: not known
  std::string root;               // the source's path in that file system; empty: not known
  // A predicate: which user other than root could replace the source; empty: none.
  std::string replaceable_because;
  bool is_recursive = false;
  unsigned submount_flags = 0;
  // What comes along below it stands at masked paths or below them, whatever it is.
  bool hides_submounts = false;

  // An overlay's directories: "lowerdir=…", "upperdir=…", "workdir=…".
  std::vector<std::string> layers;
};

struct PromisedNamespace {
  std::string name;         // as /proc/PID/ns has it
  std::uint64_t inode = 0;  // 0: a new one, at least not the host's
};

// In the order of CapInh, CapPrm, CapEff, CapBnd, CapAmb of /proc/PID/status.
inline constexpr std::array<const char*, 5> kCapabilitySets = {"inheritable", "permitted",
                                                               "effective", "bounding", "ambient"};

struct PromisedLimits {  // 0: none
  std::int64_t memory = 0;
  std::int64_t pids = 0;
  std::int64_t cpu_quota = 0;   // µs in each period
  std::int64_t cpu_period = 0;  // µs; 0: the kernel's default
};

struct Promise {
  // The record is of a version that promised nothing of mounts, or there is no promise at all.
  bool has_mounts = false;

  std::array<std::uint64_t, kCapabilitySets.size()> capabilities{};  // masks by number
  bool no_new_privileges = false;
  bool seccomp = false;
  std::uint32_t uid = 0;  // as the container sees them
  std::uint32_t gid = 0;
  std::vector<std::uint32_t> groups;
  std::vector<oci::IdMapping> uid_mappings;
  std::vector<oci::IdMapping> gid_mappings;
  std::vector<PromisedNamespace> namespaces;
  PromisedLimits limits;

  bool read_only_root = false;
  std::uint64_t root_device = 0;
  std::uint64_t root_inode = 0;
  std::string root_path;              // as the document has it; beside a recursive bind
  std::vector<PromisedMount> mounts;  // in the order in which they are made
  std::vector<std::string> masked_paths;
  std::vector<std::string> readonly_paths;
  std::vector<oci::Device> devices;  // beside the usual ones
  // An allowed hook may add mounts of its own (a GPU driver).
  bool hooks_may_mount = false;
  // host-mounts as it was: what the host mounts below a recursive bind is judged by it at start.
  // Its action is `off` where nothing can come.
  policy::RuleSetting host_mounts;

  [[nodiscard]] std::uint64_t bounding() const { return capabilities[3]; }
  // Whether the namespace `name` is the container's alone.
  [[nodiscard]] bool HasOwn(std::string_view name) const;
};

Promise PromiseOf(const oci::Spec& spec, const policy::Effective& policy, PromiseFacts facts);

// Where the container that is verified stands.
struct Created {
  pid_t pid = 0;
  std::string id;
  std::string bundle;
  std::string runtime_root;  // --root
  // crun loads the filter later when no_new_privs is set: it is not looked for then.
  bool is_crun = false;
};

// Compares the process, which waits to execute the container's program, with the promise: every
// line of its mount table must be accounted for. An error names the difference.
Status Verify(const Promise& promise, const Created& created);

// The same for a running program, as far as it cannot have changed things itself.
Status VerifyRunning(const Promise& promise, const Created& created);

}  // namespace runclad::enforce
