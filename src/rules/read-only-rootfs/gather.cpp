#include <sys/stat.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "runclad/host/container.hpp"
#include "runclad/sys/rootfs.hpp"

#include "rules/read-only-rootfs/facts.hpp"

namespace runclad::rules::read_only_rootfs {
namespace {

// Directories that the image is known to write to and that become read-only: those that its file
// lists beyond the host's trust, and the volumes that its config declares (only ctr does not create
// them).
std::vector<WrittenDirectory> Written(std::span<const policy::Cut> cuts,
                                      const engine::Identity& identity) {
  std::vector<WrittenDirectory> written;
  for (const policy::Cut& cut : cuts) {
    if (cut.parameter != "read-only-rootfs/writable") continue;
    written.push_back({cut.value,
                       "is written by this image according to " + cut.source +
                           ", but becomes read-only: the setting " + cut.because,
                       {}});
  }
  if (!identity.is_known()) return written;
  for (const std::string& path : identity.volumes) {
    written.push_back({path,
                       "is declared as a volume by the image, but no volume is mounted there: it "
                       "becomes read-only",
                       {}});
  }
  return written;
}

// Whether engine and runtime made a directory for the mount points in it, as they do where the
// image has none, and it holds nothing else: what a program writes is in the mounts then.
bool OnlyLeadsToMounts(const sys::Rootfs& rootfs, const std::string& path,
                       const std::set<std::string>& points) {
  const auto next = points.lower_bound(path + "/");
  if (next == points.end() || !next->starts_with(path + "/")) return false;
  const auto status = rootfs.Examine(path);
  const auto root = rootfs.Examine("/");
  constexpr mode_t kMode = 0755;
  constexpr mode_t kPermissions = 07777;
  if (!status || !root || !S_ISDIR(status->st_mode) || (status->st_mode & kPermissions) != kMode ||
      status->st_uid != root->st_uid || status->st_gid != root->st_gid) {
    return false;
  }
  constexpr std::size_t kMany = 8;
  const std::vector<std::string> names = rootfs.List(path, kMany);
  return names.size() < kMany && std::ranges::all_of(names, [&](const std::string& name) {
           const std::string entry = path + "/" + name;
           // Docker links it to /proc/mounts.
           return points.contains(entry) || entry == "/etc/mtab" ||
                  OnlyLeadsToMounts(rootfs, entry, points);
         });
}

// At the top of the image, and where its program starts: what its makers gave a place of its own.
std::vector<std::string> StateDirectories(const oci::Spec& spec, const sys::Rootfs& rootfs,
                                          const Destinations& destinations) {
  constexpr std::size_t kMaxNames = 100;
  // Programs, the kernel's, and what is writable or empty in every container.
  constexpr std::string_view kOthers[] = {"bin",   "boot",   "dev",   "lib", "lib32",
                                          "lib64", "libx32", "media", "mnt", "proc",
                                          "run",   "sbin",   "sys",   "tmp", "usr"};
  const auto is_directory = [&](const std::string& path) {
    const auto status = rootfs.Examine(path);
    return status && S_ISDIR(status->st_mode);
  };
  std::set<std::string> points;
  for (const auto& [written, resolved] : destinations.resolved) points.insert(resolved);
  std::vector<std::string> directories;
  for (const std::string& name : rootfs.List("/", kMaxNames)) {
    std::string path = "/" + name;
    const bool is_other = std::ranges::find(kOthers, name) != std::ranges::end(kOthers);
    if (is_other || !is_directory(path) || OnlyLeadsToMounts(rootfs, path, points)) continue;
    directories.push_back(std::move(path));
  }
  // /usr/local/tomcat; elsewhere it is below one of those.
  constexpr std::string_view kPrograms = "/usr/local/";
  auto start = rootfs.Resolve(spec.working_directory());
  if (start && start->starts_with(kPrograms) && is_directory(*start)) {
    directories.push_back(*std::move(start));
  }
  return directories;
}

}  // namespace

Result<ImageWrites> ImageWrites::Gather(const Asked& asked, const Destinations& destinations) {
  ImageWrites writes;
  const oci::Spec& spec = asked.container.spec();
  if (asked.action != policy::Action::kFix || spec.root_is_read_only()) return writes;
  const auto rootfs = asked.container.OpenRootfs();
  if (!rootfs) return writes;
  writes.state_directories = StateDirectories(spec, *rootfs, destinations);
  writes.written = Written(asked.cuts, asked.container.identity());
  for (WrittenDirectory& directory : writes.written) {
    const auto known = destinations.resolved.find(directory.path);
    if (known != destinations.resolved.end()) {
      directory.resolved = known->second;
      continue;
    }
    auto resolved = rootfs->Resolve(directory.path);
    if (!resolved) return resolved.error().In("a directory that the image writes");
    directory.resolved = *std::move(resolved);
  }
  return writes;
}

}  // namespace runclad::rules::read_only_rootfs
