#include <string>
#include <utility>
#include <vector>

#include "runclad/host/container.hpp"
#include "runclad/host/directories.hpp"
#include "runclad/rules/rule.hpp"

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
  const std::vector<std::string>& listed = asked.parameters.strings("writable");
  writable.insert(writable.end(), listed.begin(), listed.end());
  for (const std::string& path : writable) {
    const auto resolved = ResolveOnce(path, *rootfs, facts);
    if (!resolved) return resolved.error().In("a writable directory");
    facts.directories.try_emplace(*resolved, host::DescribeDirectory(spec, *rootfs, *resolved));
  }
  if (asked.action != policy::Action::kFix) return {};
  facts.written = Written(asked.cuts, asked.container.identity());
  for (const WrittenDirectory& directory : facts.written) {
    const auto resolved = ResolveOnce(directory.path, *rootfs, facts);
    if (!resolved) return resolved.error().In("a directory that the image writes");
  }
  return {};
}

}  // namespace runclad::rules::read_only_rootfs
