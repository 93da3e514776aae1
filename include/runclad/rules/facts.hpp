// What rules may know beyond the spec. Gathered beforehand by enforce: rules do no I/O.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runclad/engine/identity.hpp"
#include "runclad/policy/parameters.hpp"

namespace runclad::rules {

struct KernelFacts {
  int major = 0;
  int minor = 0;
  std::string architecture = "amd64";  // Go's name
  // By number, those that this process could give away: its bounding set. 0: not looked for.
  std::uint64_t capabilities = 0;
  // /sys/devices/system/cpu/cpuN/thermal_throttle, those that exist
  std::vector<std::string> thermal_throttle_paths;
};

// What a mount's source is on this host.
struct SourceFacts {
  enum class Access {
    kAllowed,        // nothing that the policy denies
    kReadOnly,       // only with ro: below an allow-read-only entry, say
    kDenied,         // a denied tree, an ancestor of one, or something below one
    kHostRoot,       // the host's root filesystem or an alias of it
    kRuntimeSocket,  // an engine's API socket
    kEngineOwn,      // the engine's own file for this container
    kUnknown,        // could not be identified
  };
  // By which of the policy's lists it is refused.
  enum class List {
    kNone,    // by none
    kDeny,    // something that deny or credentials names
    kMissing  // nothing that may be mounted names it
  };
  Access access = Access::kUnknown;
  std::string resolved;        // the path that the source resolves to
  std::string because;         // a predicate: "is an ancestor of /var/lib/docker"
  bool has_submounts = false;  // a recursive bind brings other mounts along; told when allowed
  std::uint64_t device = 0;    // st_dev and st_ino of what the source resolves to; 0: not known
  std::uint64_t inode = 0;
  List list = List::kNone;
  // The entry of host-mounts.allow with which it could be mounted; empty: none would do.
  std::string allow = {};
  bool is_device = false;  // a device node
  bool is_file = false;    // no directory: nothing can be mounted below it
  // A predicate: why it may only be read, whatever host-mounts makes of it; empty: it need not.
  std::string read_only_because = {};
  // A predicate: who else than root could put something else in the source's place after it was
  // examined: "could be replaced by user 1000, who owns /srv/app"; empty: nobody could.
  std::string replaceable_because = {};
  // Where it lies: mountinfo's device and the path in that file system; empty: not looked for.
  std::uint64_t file_system = 0;
  std::string place = {};
  bool is_volume = false;  // a named volume or a pod's, which containers write to
  // Its place on the host and those of the mounts below it, each "<file system>:<path inside it>".
  // Null: not known, or an engine's own file.
  using Places = std::shared_ptr<const std::vector<std::string>>;
  Places places = {};
  bool is_image = false;  // the files of an image that the engine mounts as a volume
};

struct NamespaceFacts {
  enum class Owner {
    kHost,       // the host's own
    kContainer,  // of a container that runclad created
    kEngine,     // pinned by the engine for this container
    kUnclaimed,  // pinned where engines do, and not this container's by the engine's record
    kForeign,    // some other process's
    kUnreadable,
  };
  Owner owner = Owner::kUnreadable;
  std::string container;    // the id, for kContainer; for kForeign of one that may not be joined
  std::uint64_t inode = 0;  // 0: not known
};

// What stands in the image where a directory of its own may be wanted writable.
struct DirectoryFacts {
  enum class Kind { kAbsent, kDirectory, kOther };
  Kind kind = Kind::kAbsent;
  std::uint32_t uid = 0;  // as the container sees it
  std::uint32_t gid = 0;
  std::uint32_t mode = 0;           // permission bits
  std::uint64_t content_bytes = 0;  // what is below it takes on a tmpfs
  std::string special = {};         // a FIFO, socket or device below it; empty: there is none
};

// A directory that the container's image is known to write, and that the policy keeps from it.
struct WrittenDirectory {
  std::string path;
  std::string because;  // a predicate: "is a volume by the image's own word …"
};

// The security modules that this kernel runs, and what engines' default profile is loaded.
struct LsmFacts {
  bool apparmor = false;
  bool selinux = false;
  std::string apparmor_default;  // "docker-default"; empty: none is loaded
  // Of the profile that the spec names: it is not loaded, or only complains, or confines nothing.
  std::string not_enforced_because;  // a predicate; empty: nothing is known against it
};

// What /process/args/0 is in the container's filesystem.
struct ProgramFacts {
  std::string resolved;  // links followed; empty: nothing of that name was found
  // A script's interpreter, that one's own, …, links followed.
  std::vector<std::string> interpreters;
  bool sets_user = false;               // the program that the kernel runs in the end has the bit
  bool sets_group = false;              //
  std::uint64_t file_capabilities = 0;  // permitted ones of security.capability, by number
  bool capabilities_are_effective = false;  // the program fails to start without them
  std::string architecture;                 // of an ELF: "amd64", "386", …; empty: not known
};

// A hook's program on the host.
struct HookFacts {
  enum class Kind {
    kEngine,   // the engine's own, path and arguments
    kTrusted,  // root-owned, and nobody else may write to it or to its way
    kForeign,  // anybody's
  };
  Kind kind = Kind::kForeign;
  std::string resolved;  // links followed
  std::string because;   // a predicate, for kForeign: "is owned by 1000"
};

// What /root/path is on this host.
struct RootFacts {
  enum class Kind { kUnknown, kOrdinary, kHostRoot, kLink, kOutside };
  Kind kind = Kind::kUnknown;
  std::string resolved;
  std::string because;       // a predicate: "is an alias of the host's root filesystem"
  std::uint64_t device = 0;  // st_dev and st_ino of the directory; 0: not known
  std::uint64_t inode = 0;
  // A predicate: who else than root could put another directory there. Looked for where nothing
  // compares it with what was checked (run); empty: nobody could, or it was not looked for.
  std::string replaceable_because = {};
};

// What is to be hidden in this image, and what could not be.
struct HiddenFacts {
  std::vector<std::string> paths;  // inside the container, links resolved
  struct Kept {
    std::string path;
    std::string because;  // a predicate: "is the same file as /bin/sh"
  };
  std::vector<Kept> kept;
};

// What a scanner calls unknown counts as negligible.
enum class Severity { kNegligible, kLow, kMedium, kHigh, kCritical };
inline constexpr std::array<std::string_view, 5> kSeverityNames = {"negligible", "low", "medium",
                                                                   "high", "critical"};

// The vulnerabilities of one severity that a scanner found in an image.
struct VulnerabilityCount {
  std::uint64_t fixable = 0;  // a newer version of the package is without it
  std::uint64_t unfixable = 0;
  friend bool operator==(const VulnerabilityCount&, const VulnerabilityCount&) = default;
};
using VulnerabilityCounts = std::array<VulnerabilityCount, kSeverityNames.size()>;  // by Severity

struct ScanFacts {
  std::string scanner;  // "trivy 0.68.1"
  VulnerabilityCounts counts{};
  std::int64_t age_days = 0;
};

// An image that a mount of the container shows, and the rule `image` as the policy has it for this
// image.
struct ImageVolumeFacts {
  std::string path;         // "/mounts/7"
  std::string destination;  // as written
  engine::Identity identity;
  policy::Action action = policy::Action::kRefuse;
  policy::Parameters parameters = {};
  // As in Facts.
  std::optional<ScanFacts> scan = {};
  std::string no_scan_because = {};
  std::string mispinned_name = {};
  std::vector<std::string> pinned_digests = {};
};

// Where a path of the document leads in the container once everything is mounted.
struct PlaceFacts {
  std::string resolved;           // links followed
  std::string uncertain_because;  // a predicate: why that can be another place; empty: it cannot
  bool is_complete = true;        // false: links were not followed to the end, for that reason
  bool touches_proc = false;      // a proc file system, or reached through a name in one
};

struct Facts {
  std::string container;   // its id; empty: not known
  std::string name_space;  // containerd's, by the bundle's place; empty: another engine's
  engine::Identity identity;
  // What a scanner said of the image; gathered when the policy asks for it. None: because …
  std::optional<ScanFacts> scan;
  std::string no_scan_because;
  // One of its names that the policy pins to other digests than the image has, and these.
  std::string mispinned_name;
  std::vector<std::string> pinned_digests;
  std::vector<ImageVolumeFacts> image_volumes;
  KernelFacts kernel;
  bool is_crun = false;  // the lower runtime, by the name of its program
  LsmFacts lsm;
  std::optional<ProgramFacts> program;     // none: not looked for
  std::map<std::string, HookFacts> hooks;  // by pointer: "/hooks/prestart/0"
  RootFacts root;
  HiddenFacts hidden;
  // By /mounts/*/source as written for binds, by each layer's directory for overlay mounts.
  std::map<std::string, SourceFacts> sources;
  std::map<std::string, NamespaceFacts> namespaces;  // by /linux/namespaces/*/path as written
  // The policy's devices.allow, for device-cgroup.
  std::vector<std::string> listed_devices;
  // Paths inside the container with links resolved: every mount destination, through what is
  // mounted before it, and every path that a rule may want to make writable. A path that is not in
  // here resolves to itself.
  std::map<std::string, std::string> resolved_destinations;
  // Of /mounts/*/destination as written: a predicate that says why the runtime may mount elsewhere.
  std::map<std::string, std::string> uncertain_destinations;
  std::optional<PlaceFacts> working_directory;  // none: not looked for
  // By /linux/maskedPaths/* and /linux/readonlyPaths/* as written.
  std::map<std::string, PlaceFacts> hardened_paths;
  std::map<std::string, DirectoryFacts> directories;  // by resolved path
  // Gathered where the root becomes read-only.
  std::vector<WrittenDirectory> written;
  // Where mount-options leaves programs runnable: its exec-paths, resolved.
  std::vector<std::string> exec_paths;
  // /process/args/0 is s6-overlay's /init, which runs programs that it writes to /run.
  bool has_s6_overlay = false;

  [[nodiscard]] std::string Resolve(const std::string& destination) const {
    const auto found = resolved_destinations.find(destination);
    return found == resolved_destinations.end() ? destination : found->second;
  }

  // Whether a masked or read-only path leads to the container's root.
  [[nodiscard]] bool IsRoot(const std::string& hardened_path) const {
    const auto found = hardened_paths.find(hardened_path);
    return (found == hardened_paths.end() ? hardened_path : found->second.resolved) == "/";
  }
};

}  // namespace runclad::rules
