#include "mount_option_facts.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <string>
#include <vector>

namespace runclad::enforce {
namespace {

bool HasDirectory(const sys::Rootfs& rootfs, const char* path) {
  const auto status = rootfs.Examine(rootfs.Resolve(path));
  return status && S_ISDIR(status->st_mode);
}

}  // namespace

void GatherMountOptions(const oci::Spec& spec, const policy::RuleSetting& setting,
                        const sys::Rootfs& rootfs, rules::Facts& facts) {
  if (setting.action == policy::Action::kOff || !setting.parameters.boolean("noexec")) return;
  for (const std::string& path : setting.parameters.strings("exec-paths")) {
    facts.exec_paths.push_back(rootfs.Resolve(path));
  }
  const std::vector<std::string> arguments = spec.arguments();
  if (arguments.empty() || arguments.front() != "/init") return;
  // Where version 3 keeps its own programs, and version 2 what the image adds.
  facts.has_s6_overlay =
      HasDirectory(rootfs, "/package/admin/s6-overlay") || HasDirectory(rootfs, "/etc/s6-overlay");
}

}  // namespace runclad::enforce
