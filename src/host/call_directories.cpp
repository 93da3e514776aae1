#include "runclad/host/call_directories.hpp"

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string_view>
#include <utility>

#include "runclad/sys/mounts.hpp"
#include "runclad/sys/owned_path.hpp"

#include "engine_storage.hpp"
#include "host_aliases.hpp"
#include "host_paths.hpp"
#include "replaceable.hpp"

namespace runclad::host {
namespace {

constexpr char kSystemPlaces[][8] = {"/usr", "/etc", "/run"};

// The nearest directory on the way to `path` that exists; `path` itself mostly.
std::string Existing(std::string path) {
  struct stat status {};
  while (path.size() > 1 && ::lstat(path.c_str(), &status) != 0 && errno == ENOENT) {
    path.resize(std::max<std::size_t>(path.rfind('/'), 1));
  }
  return path;
}

bool HasParentReference(std::string_view path) {
  return path.ends_with("/..") || path.find("/../") != std::string_view::npos;
}

// A root filesystem of some container, unless it is the host's own. What is in /proc is other
// processes' files.
std::string KindFault(const std::string& directory) {
  struct statfs kind {};
  struct stat status {};
  struct stat host {};
  if (::statfs(directory.c_str(), &kind) != 0 || ::stat(directory.c_str(), &status) != 0 ||
      ::stat("/", &host) != 0) {
    return "cannot be examined";
  }
  if (status.st_dev == host.st_dev) return {};
  if (kind.f_type == OVERLAYFS_SUPER_MAGIC) return "is on an overlay, as containers' files are";
  if (kind.f_type == PROC_SUPER_MAGIC) return "is in /proc";
  return {};
}

// A link that a container has made may lead elsewhere as soon as it was followed.
std::string LinkFault(const std::string& path, const EngineStorage& storage) {
  std::string fault;
  sys::FollowPath(path, [&](const sys::Step& step) {
    if (!S_ISLNK(step.entry_status.st_mode)) return true;
    const auto holder = sys::Locate(step.directory.empty() ? "/" : step.directory);
    if (!holder || storage.Contains(*holder) || storage.IsOfRunning(*holder)) {
      fault = "leads through a link in an engine's storage, where containers write";
    }
    return fault.empty();
  });
  return fault;
}

// What engines keep there is written by containers, if only through their own root filesystems.
std::string StorageFault(const std::string& path, const sys::Located& located,
                         const EngineStorage& storage) {
  if (storage.Contains(located)) return "is in an engine's storage, where containers write";
  // "current" is a link there, which the distribution makes.
  return storage.HoldsPrograms(located) ? std::string() : LinkFault(path, storage);
}

// A directory like /dev/shm, which engines also mount into containers. /tmp itself is judged as any
// other directory: only root can replace what root has made there.
std::string SharedFault(const std::string& path) {
  struct stat status {};
  for (std::size_t end = 0; end != std::string::npos;) {
    end = path.find('/', end + 1);
    const std::string directory = path.substr(0, end);
    if (directory == "/tmp" || directory == "/var/tmp") continue;
    if (::lstat(directory.c_str(), &status) == 0 && (status.st_mode & S_IWOTH) != 0) {
      return "could be changed by any user, who may write to " + directory;
    }
  }
  return {};
}

std::string NameFault(const std::string& directory) {
  if (!directory.starts_with('/')) return "is not an absolute path";
  if (HasParentReference(directory)) return "leads through \"..\"";
  return {};
}

// Where programs, and engines for their users, unpack files as root.
std::string TemporaryFault(const std::string& path) {
  for (const char* directory : {"/tmp", "/var/tmp"}) {
    if (sys::Below(path, directory)) {
      return std::string("is below ") + directory + ", where engines unpack what their users send";
    }
  }
  return {};
}

std::string Changeable(Replaceable& replaceable, const std::string& directory,
                       bool is_tree = false) {
  if (std::string fault = NameFault(directory); !fault.empty()) return fault;
  const std::string existing = Existing(directory);
  // An error, too, where the path leads through a link in /proc.
  const auto located = sys::Locate(existing);
  if (!located) return "cannot be examined: " + located.error().message;
  if (std::string writer = replaceable.WriterWithin(existing, located->path); !writer.empty()) {
    return "could be changed by " + writer;
  }
  const bool has_more = is_tree && existing == directory && S_ISDIR(located->mode);
  const std::string below = has_more ? replaceable.WriterBelow(located->path) : std::string();
  if (!below.empty()) return "has something below it that could be changed by " + below;
  if (std::string fault = SharedFault(located->path); !fault.empty()) return fault;
  return KindFault(located->path);
}

// Superseded revisions of the policy, and trials, which are for one container.
std::string OwnFault(const std::string& path) {
  for (const char* directory :
       {"/run/runclad/learn", "/var/lib/runclad/policies", "/usr/share/runclad"}) {
    if (sys::Below(path, directory)) return "is what runclad keeps for itself";
  }
  return {};
}

std::string DirectoryFault(const std::string& directory) {
  const auto located = sys::Locate(Existing(directory));
  return located && S_ISDIR(located->mode) ? "" : "is not a directory";
}

std::string Supplied(Replaceable& replaceable, const EngineStorage& storage,
                     const std::string& path) {
  std::string fault = Changeable(replaceable, path, /*is_tree=*/true);
  if (!fault.empty()) return fault;
  const auto located = sys::Locate(Existing(path));
  if (!located) return "cannot be examined: " + located.error().message;
  if (fault = OwnFault(located->path); !fault.empty()) return fault;
  if (fault = TemporaryFault(located->path); !fault.empty()) return fault;
  if (fault = StorageFault(path, *located, storage); !fault.empty()) return fault;
  if (storage.IsOfRunning(*located)) {
    return "is where an engine keeps files of running containers";
  }
  return {};
}

}  // namespace

std::string SuppliedBecause(const std::string& path) {
  const PathPolicy nothing(false);
  Replaceable replaceable({.policy = nothing, .is_allow_only = true});
  return Supplied(replaceable, EngineStorage(engine::FindConfiguredStorage()), path);
}

std::string ChangeableBecause(const std::string& directory) {
  const PathPolicy nothing(false);
  Replaceable replaceable({.policy = nothing, .is_allow_only = true});
  std::string fault = Changeable(replaceable, directory);
  return fault.empty() ? DirectoryFault(directory) : fault;
}

struct CallDirectories::Host {
  Host(const PathLists& lists, const engine::Layout& layout)
      : engines(engine::FindConfiguredStorage()),
        paths(LocateHostPaths(lists, layout, engines)),
        mounts(sys::MountTable::Read()),
        aliases(mounts ? std::optional<HostAliases>(std::in_place, *mounts, paths.policy)
                       : std::nullopt),
        storage(layout, engines),
        replaceable({.policy = paths.policy,
                     .is_allow_only = lists.allow_only,
                     .given = &paths.given,
                     .aliases = aliases ? &*aliases : nullptr}) {}

  engine::ConfiguredStorage engines;
  HostPaths paths;
  Result<sys::MountTable> mounts;
  std::optional<HostAliases> aliases;
  EngineStorage storage;
  Replaceable replaceable;
};

CallDirectories::CallDirectories(const PathLists& lists, const engine::Layout& layout)
    : layout_(layout), host_(std::make_unique<Host>(lists, layout)) {}

CallDirectories::~CallDirectories() = default;

std::string CallDirectories::ChangeableBecause(const std::string& directory, Holds holds) {
  if (!host_->mounts) return "cannot be examined: " + host_->mounts.error().message;
  std::string fault = Changeable(host_->replaceable, directory, holds == Holds::kTree);
  if (fault.empty()) fault = DirectoryFault(directory);
  if (!fault.empty()) return fault;
  const auto located = sys::Locate(Existing(directory));
  if (!located) return "cannot be examined: " + located.error().message;
  const bool is_bundle = layout_.engine != engine::Engine::kUnknown && !layout_.bundle.empty() &&
                         located->path == layout_.bundle;
  if (is_bundle) return {};
  const bool is_engine_place = holds == Holds::kFiles && host_->storage.HoldsCallFiles(*located);
  if (is_engine_place) return LinkFault(directory, host_->storage);
  if (!host_->engines.unclear_because.empty()) {
    return "may be an engine's storage: " + host_->engines.unclear_because;
  }
  fault = StorageFault(directory, *located, host_->storage);
  if (fault.empty() && holds == Holds::kFiles && host_->storage.IsOfRunning(*located)) {
    fault = "is where an engine keeps files of running containers";
  }
  return fault;
}

std::string CallDirectories::SuppliedBecause(const std::string& path) {
  if (!host_->mounts) return "cannot be examined: " + host_->mounts.error().message;
  return Supplied(host_->replaceable, host_->storage, path);
}

bool IsPlainlyOnSystem(const std::string& path) {
  return std::ranges::any_of(kSystemPlaces, [&](const char* place) {
    return sys::Below(path, place) && sys::IsOnMountOf(place, path);
  });
}

std::string PlaceOnSystem(const std::string& path) {
  if (IsPlainlyOnSystem(path)) return path;
  auto located = sys::Locate(Existing(path));
  if (!located) return {};
  const auto holds = [&](const char* place) {
    const auto system = sys::Locate(place);
    return system && system->mount_id == located->mount_id;
  };
  const bool is_system_place = holds("/") || std::ranges::any_of(kSystemPlaces, holds);
  return is_system_place ? std::move(located->path) : std::string();
}

bool IsUsualForFiles(std::string_view directory) {
  constexpr char kBases[][20] = {"/run/containerd", "/run/containers",    "/run/docker",
                                 "/run/k0s",        "/run/k3s",           "/var/lib/buildkit",
                                 "/var/lib/docker", "/var/lib/containers"};
  constexpr std::string_view kVar = "/var";
  if (directory.starts_with("/var/run/")) directory.remove_prefix(kVar.size());
  return std::ranges::any_of(kBases, [&](const char* base) {
    const auto rest = sys::Below(directory, base);
    return rest && IsNameOfCallFiles(*rest, std::string_view(base).starts_with("/var/lib/"));
  });
}

bool IsSession(std::string_view name) {
  constexpr std::size_t kDigits = 64;
  return name.size() == kDigits &&
         name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool IsUsualRuntimeRoot(std::string_view directory) {
  std::string_view path = directory;
  constexpr char kPrefixes[][10] = {"/var/run/", "/run/"};
  for (const std::string_view prefix : kPrefixes) {
    if (!path.starts_with(prefix)) continue;
    path.remove_prefix(prefix.size());
    if (path == "runc" || path == "crun") return true;
    const auto names = 1 + std::ranges::count(path, '/');
    if (path.find("/.") != std::string_view::npos || path.ends_with('/')) return false;
    return (path.starts_with("containerd/runc/") && names == 3) ||
           (path.starts_with("docker/runtime-") && names == 3);
  }
  return false;
}

}  // namespace runclad::host
