#include "mount_option_facts.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace runclad::enforce {
namespace {

bool HasDirectory(const sys::Rootfs& rootfs, const char* path) {
  const auto resolved = rootfs.Resolve(path);
  const auto status = resolved ? rootfs.Examine(*resolved) : std::nullopt;
  return status && S_ISDIR(status->st_mode);
}

}  // namespace

Status GatherMountOptions(const oci::Spec& spec, const policy::RuleSetting& setting,
                          const sys::Rootfs& rootfs, rules::Facts& facts) {
  if (setting.action == policy::Action::kOff || !setting.parameters.boolean("noexec")) return {};
  for (const std::string& path : setting.parameters.strings("exec-paths")) {
    auto resolved = rootfs.Resolve(path);
    if (!resolved) return resolved.error();
    facts.exec_paths.push_back(*std::move(resolved));
  }
  const std::vector<std::string> arguments = spec.arguments();
  if (arguments.empty() || arguments.front() != "/init") return {};
  // Where version 3 keeps its own programs, and version 2 what the image adds.
  facts.has_s6_overlay =
      HasDirectory(rootfs, "/package/admin/s6-overlay") || HasDirectory(rootfs, "/etc/s6-overlay");
  return {};
}

}  // namespace runclad::enforce
