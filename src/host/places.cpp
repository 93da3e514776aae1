#include "runclad/host/places.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "runclad/oci/overlay.hpp"
#include "runclad/sys/container_tree.hpp"

namespace runclad::host {
namespace {

using sys::Content;

Content ContentOf(std::string_view type) {
  constexpr std::array<std::pair<std::string_view, Content>, 9> kTypes = {{
      {"cgroup", Content::kKernel},
      {"cgroup2", Content::kKernel},
      {"debugfs", Content::kKernel},
      {"devpts", Content::kEmpty},
      {"mqueue", Content::kEmpty},
      {"proc", Content::kProc},
      {"securityfs", Content::kKernel},
      {"sysfs", Content::kKernel},
      {"tmpfs", Content::kEmpty},
  }};
  const auto* found = std::ranges::find(kTypes, type, &std::pair<std::string_view, Content>::first);
  return found == kTypes.end() ? Content::kUnknown : found->second;
}

void Mount(const oci::Mount& mount, const std::string& path, const std::string& bundle,
           sys::ContainerTree& tree) {
  if (mount.is_bind()) {
    const bool is_absolute = mount.source.starts_with('/');
    tree.Mount(path, Content::kForeign, {is_absolute ? mount.source : bundle + "/" + mount.source});
  } else if (mount.type == "overlay") {
    std::vector<std::string> directories;
    const auto layers = oci::OverlayLayers(mount);
    if (layers) {
      for (const oci::OverlayLayer& layer : *layers) directories.push_back(layer.path);
    }
    tree.Mount(path, layers ? Content::kForeign : Content::kUnknown, std::move(directories));
  } else if (mount.type != "tmpfs" || !mount.has_option("tmpcopyup")) {
    tree.Mount(path, ContentOf(mount.type));
  }  // else the tmpfs gets a copy of what is there, links included
}

PlaceFacts FactsOf(sys::ResolvedPath place) {
  return {std::move(place.path), std::move(place.uncertain_because), place.is_complete,
          place.touches_proc};
}

}  // namespace

Places FindPlaces(const oci::Spec& spec, const std::string& root, const std::string& bundle) {
  Places places;
  auto tree = sys::ContainerTree::Open(root);
  if (!tree) return places;
  for (const oci::Mount& mount : spec.mounts()) {
    sys::ResolvedPath place = tree->Resolve(mount.destination);
    Mount(mount, place.path, bundle, *tree);
    const auto [known, is_new] = places.destinations.try_emplace(mount.destination, place.path);
    if (!is_new && known->second != place.path && place.uncertain_because.empty()) {
      place.uncertain_because = "is the destination of two mounts and leads to " + known->second +
                                " before other mounts and to " + place.path + " after them";
    }
    if (!place.uncertain_because.empty()) {
      places.uncertain_destinations.try_emplace(mount.destination,
                                                std::move(place.uncertain_because));
    }
  }
  if (const std::string directory = spec.working_directory(); directory.starts_with('/')) {
    places.working_directory = FactsOf(tree->Resolve(directory));
  }
  for (const auto& paths : {spec.masked_paths(), spec.readonly_paths()}) {
    for (const std::string& path : paths) {
      if (!places.hardened_paths.contains(path)) {
        places.hardened_paths.emplace(path, FactsOf(tree->Resolve(path)));
      }
    }
  }
  return places;
}

std::optional<PlaceFacts> FindWorkingDirectory(const oci::Spec& process, const std::string& root) {
  const std::string directory = process.working_directory();
  if (!directory.starts_with('/')) return std::nullopt;
  const auto tree = sys::ContainerTree::Open(root);
  if (tree) return FactsOf(tree->Resolve(directory));
  if (directory == "/") return std::nullopt;
  return PlaceFacts{directory,
                    "cannot be followed: the container's root filesystem cannot be opened", false};
}

}  // namespace runclad::host
