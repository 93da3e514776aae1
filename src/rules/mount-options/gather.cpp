#include <sys/stat.h>

#include <optional>
#include <string>
#include <vector>

#include "runclad/host/container.hpp"
#include "runclad/sys/rootfs.hpp"

#include "rules/mount-options/facts.hpp"
#include "rules/mount-options/parameters.hpp"

namespace runclad::rules::mount_options {
namespace {

bool HasDirectory(const sys::Rootfs& rootfs, const char* path) {
  const auto resolved = rootfs.Resolve(path);
  const auto status = resolved ? rootfs.Examine(*resolved) : std::nullopt;
  return status && S_ISDIR(status->st_mode);
}

}  // namespace

Result<S6Overlay> S6Overlay::Gather(const Asked& asked) {
  if (!kParameters.Read(asked.parameters).noexec) return S6Overlay();
  const std::vector<std::string> arguments = asked.container.spec().arguments();
  if (arguments.empty() || arguments.front() != "/init") return S6Overlay();
  const auto rootfs = asked.container.OpenRootfs();
  if (!rootfs) return S6Overlay();
  // Where version 3 keeps its own programs, and version 2 what the image adds.
  return S6Overlay{HasDirectory(*rootfs, "/package/admin/s6-overlay") ||
                   HasDirectory(*rootfs, "/etc/s6-overlay")};
}

}  // namespace runclad::rules::mount_options
