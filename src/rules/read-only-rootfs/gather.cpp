#include <sys/stat.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "runclad/host/container.hpp"
#include "runclad/host/directories.hpp"
#include "runclad/rules/rule.hpp"

#include "rules/read-only-rootfs/parameters.hpp"

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
    written.push_back({cut.value, "is written by this image according to " + cut.source +
                                      ", but becomes read-only: the setting " + cut.because});
  }
  if (!identity.is_known()) return written;
  for (const std::string& path : identity.volumes) {
    written.push_back({path,
                       "is declared as a volume by the image, but no volume is mounted there: it "
                       "becomes read-only"});
  }
  return written;
}

// At the top of the image, and where its program starts: what its makers gave a place of its own.
std::vector<std::string> StateDirectories(const oci::Spec& spec, const sys::Rootfs& rootfs) {
  constexpr std::size_t kMaxNames = 100;
  // Programs, the kernel's, and what is writable or empty in every container.
  constexpr std::string_view kOthers[] = {"bin",   "boot",   "dev",   "lib", "lib32",
                                          "lib64", "libx32", "media", "mnt", "proc",
                                          "run",   "sbin",   "sys",   "tmp", "usr"};
  const auto is_directory = [&](const std::string& path) {
    const auto status = rootfs.Examine(path);
    return status && S_ISDIR(status->st_mode);
  };
  std::vector<std::string> directories;
  for (const std::string& name : rootfs.List("/", kMaxNames)) {
    std::string path = "/" + name;
    const bool is_other = std::ranges::find(kOthers, name) != std::ranges::end(kOthers);
    if (!is_other && is_directory(path)) directories.push_back(std::move(path));
  }
  // /usr/local/tomcat; elsewhere it is below one of those.
  constexpr std::string_view kPrograms = "/usr/local/";
  auto start = rootfs.Resolve(spec.working_directory());
  if (start && start->starts_with(kPrograms) && is_directory(*start)) {
    directories.push_back(*std::move(start));
  }
  return directories;
}

// Where a path leads in the container; kept, because most are needed more than once.
Result<std::string> ResolveOnce(const std::string& path, const sys::Rootfs& rootfs, Facts& facts) {
  const auto known = facts.resolved_destinations.find(path);
  if (known != facts.resolved_destinations.end()) return known->second;
  auto resolved = rootfs.Resolve(path);
  if (resolved) facts.resolved_destinations.emplace(path, *resolved);
  return resolved;
}

}  // namespace

Status Gather(const Asked& asked, Facts& facts) {
  const oci::Spec& spec = asked.container.spec();
  const auto rootfs = asked.container.OpenRootfs();
  if (!rootfs || spec.root_is_read_only()) return {};
  std::vector<std::string> writable = {"/tmp", "/var/tmp", "/run"};
  const policy::StringList listed = kParameters.Read(asked.parameters).writable;
  writable.insert(writable.end(), listed.begin(), listed.end());
  for (const std::string& path : writable) {
    const auto resolved = ResolveOnce(path, *rootfs, facts);
    if (!resolved) return resolved.error().In("a writable directory");
    facts.directories.try_emplace(*resolved, host::DescribeDirectory(spec, *rootfs, *resolved));
  }
  const auto& program = asked.container.program();
  if (!program) return program.error();
  facts.program = *program;
  if (asked.action != policy::Action::kFix) return {};
  facts.state_directories = StateDirectories(spec, *rootfs);
  facts.written = Written(asked.cuts, asked.container.identity());
  for (const WrittenDirectory& directory : facts.written) {
    const auto resolved = ResolveOnce(directory.path, *rootfs, facts);
    if (!resolved) return resolved.error().In("a directory that the image writes");
  }
  return {};
}

}  // namespace runclad::rules::read_only_rootfs
