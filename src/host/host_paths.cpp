#include "host_paths.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "runclad/base/path.hpp"
#include "runclad/sys/mounts.hpp"
#include "runclad/sys/owned_path.hpp"

#include "engine_storage.hpp"

namespace runclad::host {
namespace {

// Arrays of characters: pointers would have to be relocated on each call.
constexpr char kOwnPlaces[][24] = {"/etc/runclad",       "/run/runclad",     "/usr/libexec/runclad",
                                   "/usr/share/runclad", "/var/lib/runclad", "/var/log/runclad"};

// A container that may write there is root on the host: what it could change besides is no reason
// to refuse others.
bool GivesTheHost(std::string_view path) {
  constexpr std::string_view kHost[] = {"/etc", "/run", "/usr", "/var/lib"};
  return path == "/" || std::ranges::any_of(kHost, [&](std::string_view place) {
           return IsAtOrBelow(place, path);
         });
}

// "/home/*/.ssh" → "/home" and "/*/.ssh"; the second is empty for a plain path.
std::pair<std::string, std::string> SplitPattern(const std::string& entry) {
  const std::size_t wildcard = entry.find_first_of("*?[");
  if (wildcard == std::string::npos) return {entry, {}};
  const std::size_t slash = entry.rfind('/', wildcard);
  if (slash == std::string::npos) return {{}, entry};
  return {slash == 0 ? "/" : entry.substr(0, slash), entry.substr(slash)};
}

std::string WithoutTrailingSlashes(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

// The owner of a directory on the path must not decide what may be mounted.
bool OthersCouldRedirect(const std::string& path, const sys::Located& file) {
  return file.path != WithoutTrailingSlashes(path) && !sys::OnlyRootCouldRedirect(path);
}

class Collector {
 public:
  // With `is_named`, nothing is looked up.
  explicit Collector(bool below_is_read_only, bool is_named = false)
      : paths_{.policy = PathPolicy(below_is_read_only), .files = {}}, is_named_(is_named) {}

  void Add(const std::string& entry, Mark mark) {
    const bool grants = mark == Mark::kAllow || mark == Mark::kReadOnly;
    const auto [path, pattern] = SplitPattern(entry);
    if (!path.starts_with('/')) return;
    // "/" itself is refused by PathPolicy; an entry for it would refuse everything below, too.
    if (!grants && pattern.empty() && path.find_first_not_of('/') == std::string::npos) return;
    if (is_named_) return paths_.policy.Add(path, pattern, mark, entry);
    const auto& located = Locate(path);
    if (located && !*located) return;
    if (!located) {
      if (!grants) paths_.policy.Add(path, pattern, mark, entry);
      return;
    }
    const sys::Located& file = **located;
    if (grants && OthersCouldRedirect(path, file)) return;
    paths_.policy.Add(file.path, pattern, mark, entry);
    if (!grants && pattern.empty() && !S_ISDIR(file.mode)) {
      paths_.files.push_back({file.inode, mark, entry});
    }
  }

  void AddDataDirectory(const std::string& entry) {
    const auto [path, pattern] = SplitPattern(entry);
    if (!path.starts_with('/')) return;
    if (is_named_) return paths_.policy.AddDataDirectory(path, pattern);
    const auto& located = Locate(path);
    if (!located || !*located || OthersCouldRedirect(path, **located)) return;
    paths_.policy.AddDataDirectory((*located)->path, pattern);
  }

  void AddVolumePlace(const std::string& directory, const char* pattern) {
    const auto located = sys::LocateIfPresent(directory);
    if (located && *located) paths_.policy.AddVolumePlace((*located)->path, pattern);
  }

  // A root that does not exist yet can be made by whoever names it.
  void Give(const std::string& entry) {
    const auto [path, pattern] = SplitPattern(entry);
    if (!path.starts_with('/')) return;
    const auto& located = Locate(path);
    const std::string& place = located && *located ? (*located)->path : path;
    if (!GivesTheHost(place)) paths_.given.Add(place, pattern, Mark::kAllow, entry);
  }

  HostPaths Take() { return std::move(paths_); }

 private:
  // Patterns that stand together in a list mostly share their directory.
  const Result<std::optional<sys::Located>>& Locate(const std::string& path) {
    if (path != last_) {
      located_ = sys::LocateIfPresent(path);
      last_ = path;
    }
    return located_;
  }

  HostPaths paths_;
  bool is_named_;
  std::string last_;
  Result<std::optional<sys::Located>> located_ = std::optional<sys::Located>();
};

void Collect(const PathLists& lists, const engine::Layout& layout,
             const engine::ConfiguredStorage& engines, Collector& collector) {
  for (const char* path : kRuntimePlaces) collector.Add(path, Mark::kRuntime);
  for (const std::string& path : layout.run_directories) collector.Add(path, Mark::kRuntime);
  for (const std::string& path : engines.run_directories) collector.Add(path, Mark::kRuntime);
  for (const char* path : kOwnPlaces) collector.Add(path, Mark::kOurs);
  // What an engine binds from its own storage is recognised before any list is asked. A build's
  // contexts, secrets and parts of stages are not all: they are in a builder's storage, where a
  // build can name no path, and may be read.
  const Mark storage = layout.engine == engine::Engine::kBuildkit ? Mark::kDeny : Mark::kCredential;
  // buildah takes paths (podman build -v): of its own storage alone it binds parts of stages.
  const bool is_buildah = !layout.bundle.empty() && layout.data_root == layout.bundle;
  for (const std::string path : kBuilderStorage) {
    const bool is_of_another = is_buildah && path != "/var/lib/containers";
    collector.Add(path, is_of_another ? Mark::kCredential : storage);
  }
  for (const char* path : kOtherStorage) collector.Add(path, Mark::kCredential);
  for (const std::string& path : layout.data_directories) collector.Add(path, storage);
  for (const std::string& path : engines.data_directories) collector.Add(path, storage);
  for (const std::string& path : engines.volume_directories) collector.Add(path, storage);
  for (const std::string& entry : lists.deny) collector.Add(entry, Mark::kDeny);
  for (const std::string& entry : lists.credentials) collector.Add(entry, Mark::kCredential);
  for (const std::string& entry : lists.allow) collector.Add(entry, Mark::kAllow);
  for (const std::string& entry : lists.allow_read_only) collector.Add(entry, Mark::kReadOnly);
  for (const std::string& entry : lists.data_directories) collector.AddDataDirectory(entry);
}

// The directory of "bind /var/log rw"; empty for every other mount.
std::string WritableBind(std::string_view entry) {
  constexpr std::string_view kBind = "bind ";
  constexpr std::string_view kWritable = " rw";
  if (!entry.starts_with(kBind) || !entry.ends_with(kWritable)) return {};
  entry.remove_prefix(kBind.size());
  entry.remove_suffix(std::min(entry.size(), kWritable.size()));
  return std::string(entry);
}

}  // namespace

HostPaths LocateHostPaths(const PathLists& lists, const engine::Layout& layout,
                          const engine::ConfiguredStorage& engines) {
  Collector collector(lists.below_is_read_only);
  Collect(lists, layout, engines, collector);
  for (const std::string& entry : lists.exactly) collector.Give(WritableBind(entry));
  for (const std::string& entry : lists.roots) collector.Give(entry);
  constexpr const char* kVolumes = "/*/_data";
  collector.AddVolumePlace("/var/lib/docker/volumes", kVolumes);
  collector.AddVolumePlace("/var/lib/containers/storage/volumes", kVolumes);
  collector.AddVolumePlace("/var/lib/nerdctl", "/*/volumes/*/*/_data");
  collector.AddVolumePlace("/var/lib/kubelet/pods", "");
  if (!layout.data_root.empty()) {
    collector.AddVolumePlace(layout.data_root + "/volumes", kVolumes);
  }
  for (const std::string& path : engines.data_directories) {
    collector.AddVolumePlace(path + "/volumes", kVolumes);
  }
  for (const std::string& path : engines.volume_directories) {
    collector.AddVolumePlace(path, kVolumes);
  }
  return collector.Take();
}

PathPolicy NamedHostPaths(const PathLists& lists) {
  Collector collector(lists.below_is_read_only, /*is_named=*/true);
  Collect(lists, {}, {}, collector);
  return std::move(collector.Take().policy);
}

HostPaths LocateListedPaths(PathLists::List entries) {
  Collector collector(false);
  for (const std::string& entry : entries) collector.Add(entry, Mark::kDeny);
  HostPaths paths = collector.Take();
  for (const std::string& entry : entries) {
    if (entry.find_first_not_of('/') == std::string::npos) {
      paths.policy.Add("/", {}, Mark::kDeny, entry);
    }
  }
  return paths;
}

}  // namespace runclad::host
