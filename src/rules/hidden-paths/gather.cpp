#include <utility>

#include "runclad/host/container.hpp"
#include "runclad/host/hidden_files.hpp"
#include "runclad/store/hidden_cache.hpp"

#include "rules/hidden-paths/facts.hpp"
#include "rules/hidden-paths/parameters.hpp"

namespace runclad::rules::hidden_paths {

Result<HiddenFiles> HiddenFiles::Gather(const Asked& asked) {
  host::Container& container = asked.container;
  const auto rootfs = container.OpenRootfs();
  if (!rootfs) return HiddenFiles();
  const Parameters parameters = kParameters.Read(asked.parameters);
  const host::HiddenLists lists = {policy::Copied(parameters.paths),
                                   policy::Copied(parameters.programs),
                                   policy::Copied(parameters.packages)};
  // Of a document alone (runcladctl check) anybody could have named the image.
  auto found = container.is_living()
                   ? store::FindHidden(lists, *rootfs,
                                       {.identity = container.identity(), .root = container.root()})
                   : host::FindHidden(lists, *rootfs).facts;
  if (!found) return found.error().In("hidden-paths");
  return HiddenFiles{*std::move(found)};
}

}  // namespace runclad::rules::hidden_paths
