// What this host and a container's image are, as values: what the rules read of it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace runclad::host {

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
  // Which of the policy's lists refuses it.
  enum class List {
    kNone,    // by none
    kDeny,    // an entry of deny or credentials
    kMissing  // nothing that may be mounted names it
  };
  Access access = Access::kUnknown;
  std::string resolved;        // the path that the source resolves to
  std::string because;         // a predicate: "is an ancestor of /var/lib/docker"
  bool has_submounts = false;  // a recursive bind includes other mounts; set if allowed
  std::uint64_t device = 0;    // st_dev and st_ino of what the source resolves to; 0: not known
  std::uint64_t inode = 0;
  List list = List::kNone;
  // The entry of host-mounts.allow that would allow it; empty: there is none.
  std::string allow = {};
  // The path by which host-mounts.exactly may name it: what stands there is not a user's to choose,
  // as it is with volumes. Empty: no entry may.
  std::string exact = {};
  bool is_credential = false;  // refused for an entry of credentials that is this path itself
  bool is_device = false;      // a device node
  bool is_file = false;        // no directory: nothing can be mounted below it
  bool is_socket = false;
  // A predicate: why it must be read-only, regardless of host-mounts; empty: it need not be.
  std::string read_only_because = {};
  // A predicate: which user other than root could replace the source after it was examined: "could
  // be replaced by user 1000, who owns /srv/app"; empty: none.
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
    kUnclaimed,  // pinned where engines pin, but not for this container according to the engine's
                 // record
    kForeign,    // some other process's
    kUnreadable,
  };
  Owner owner = Owner::kUnreadable;
  std::string container;    // the id, for kContainer; for kForeign of one that may not be joined
  std::uint64_t inode = 0;  // 0: not known
};

// The container's user namespace, new or joined, whose root is another user on the host.
struct UserNamespaceFacts {
  std::uint32_t root = 0;     // the uid on the host
  bool has_host_ids = false;  // somebody in it is the host's root, or in the host's group root
};

// What a recursive bind of the host's /sys would show beyond what a sysfs file system of the
// container's own does.
struct HostSysFacts {
  std::string fault = {};                 // a predicate: "is not a sysfs file system"; empty: none
  std::vector<std::string> mounts = {};   // where the host has mounted something below it
  std::vector<std::string> network = {};  // directories that show the host's network devices
};

// What the image has at a path where a writable directory may be needed.
struct DirectoryFacts {
  enum class Kind { kAbsent, kDirectory, kOther };
  Kind kind = Kind::kAbsent;
  std::uint32_t uid = 0;  // as the container sees it
  std::uint32_t gid = 0;
  std::uint32_t mode = 0;           // permission bits
  std::uint64_t content_bytes = 0;  // what is below it takes on a tmpfs
  std::string special = {};         // a FIFO, socket or device below it; empty: there is none
};

// The security modules that this kernel runs, and what engines' default profile is loaded.
struct LsmFacts {
  bool apparmor = false;
  bool selinux = false;
  std::string apparmor_default;  // "docker-default"; empty: none is loaded
  // Of the profile that the spec names: it is not loaded, or only complains, or confines nothing.
  std::string not_enforced_because;  // a predicate; empty: no objection is known
};

// What /process/args/0 is in the container's filesystem.
struct ProgramFacts {
  std::string resolved;  // links followed; empty: nothing of that name was found
  // Where it, or the interpreter of a script, is looked for below a mount: nothing else is known
  // then. Empty: it is in the image.
  std::string on_mount = {};
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
    kTrusted,  // only root can modify it or any directory on its path
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
  std::string because;  // a predicate: "is an alias of the host's root filesystem"
  // For kOutside: the entries of rootfs-path.allow with which it could be one; empty: none would
  // do.
  std::vector<std::string> allow = {};
  // A predicate: which user other than root could replace the directory. Determined only if nothing
  // compares it with what was checked (run); empty: none, or not determined.
  std::string replaceable_because = {};
};

// What must be hidden in this image, and what could not be hidden.
struct HiddenFacts {
  std::vector<std::string> paths;  // inside the container, links resolved
  struct Kept {
    std::string path;
    std::string because;  // a predicate: "is the same file as /bin/sh"
  };
  std::vector<Kept> kept;
};

// Where a path of the document leads in the container once everything is mounted.
struct PlaceFacts {
  std::string resolved;           // links followed
  std::string uncertain_because;  // a predicate: why that can be another place; empty: it cannot
  bool is_complete = true;        // false: links were not followed to the end, for that reason
  bool touches_proc = false;      // a proc file system, or reached through a name in one
};

}  // namespace runclad::host
