#include <sys/stat.h>

#include <optional>
#include <string>
#include <vector>

#include "runclad/base/path.hpp"
#include "runclad/host/container.hpp"
#include "runclad/sys/rootfs.hpp"

#include "rules/mount-options/facts.hpp"
#include "rules/mount-options/parameters.hpp"
#include "rules/writable_content.hpp"

namespace runclad::rules::mount_options {
namespace {

bool HasDirectory(const sys::Rootfs& rootfs, const char* path) {
  const auto resolved = rootfs.Resolve(path);
  const auto status = resolved ? rootfs.Examine(*resolved) : std::nullopt;
  return status && S_ISDIR(status->st_mode);
}

// Whether the uppermost mount that covers /run has noexec already.
bool RunIsNoExec(const oci::Spec& spec, const Destinations& destinations) {
  bool is_noexec = false;
  for (const oci::Mount& mount : spec.mounts()) {
    const std::string& destination = destinations.Resolve(mount.destination);
    if (destination != "/" && !IsAtOrBelow("/run", destination)) continue;
    is_noexec = IsSet(kNoExec, mount.options);
  }
  return is_noexec;
}

}  // namespace

Result<S6Overlay> S6Overlay::Gather(const Asked& asked, const Destinations& destinations) {
  if (!kParameters.Read(asked.parameters).noexec) return S6Overlay();
  const std::vector<std::string> arguments = asked.container.spec().arguments();
  if (arguments.empty() || arguments.front() != "/init") return S6Overlay();
  const auto rootfs = asked.container.OpenRootfs();
  if (!rootfs) return S6Overlay();
  // Where version 3 keeps its own programs, and version 2 what the image adds.
  return S6Overlay{.is_init = HasDirectory(*rootfs, "/package/admin/s6-overlay") ||
                              HasDirectory(*rootfs, "/etc/s6-overlay"),
                   .run_is_noexec = RunIsNoExec(asked.container.spec(), destinations)};
}

}  // namespace runclad::rules::mount_options
