#include <sys/stat.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runclad/host/container.hpp"
#include "runclad/rules/rule.hpp"

#include "rules/mount-options/parameters.hpp"

namespace runclad::rules::mount_options {
namespace {

bool HasDirectory(const sys::Rootfs& rootfs, const char* path) {
  const auto resolved = rootfs.Resolve(path);
  const auto status = resolved ? rootfs.Examine(*resolved) : std::nullopt;
  return status && S_ISDIR(status->st_mode);
}

}  // namespace

Status Gather(const Asked& asked, Facts& facts) {
  const auto rootfs = asked.container.OpenRootfs();
  if (!rootfs) return {};
  const Parameters parameters = kParameters.Read(asked.parameters);
  for (const std::string& path : parameters.exec_paths) {
    auto resolved = rootfs->Resolve(path);
    if (!resolved) return resolved.error().In("mount-options.exec-paths");
    facts.exec_paths.push_back(*std::move(resolved));
  }
  const auto& program = asked.container.program();
  if (!program) return program.error();
  facts.program = *program;
  if (!parameters.noexec) return {};
  const std::vector<std::string> arguments = asked.container.spec().arguments();
  if (arguments.empty() || arguments.front() != "/init") return {};
  // Where version 3 keeps its own programs, and version 2 what the image adds.
  facts.has_s6_overlay = HasDirectory(*rootfs, "/package/admin/s6-overlay") ||
                         HasDirectory(*rootfs, "/etc/s6-overlay");
  return {};
}

}  // namespace runclad::rules::mount_options
