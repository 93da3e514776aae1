#include "image_volume_facts.hpp"

#include <cstddef>
#include <ctime>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runclad/oci/overlay.hpp"
#include "runclad/rules/catalog.hpp"
#include "runclad/rules/scan.hpp"

namespace runclad::enforce {
namespace {

std::vector<std::string> SourcesOf(const oci::Mount& mount) {
  if (mount.is_bind()) return {mount.source};
  std::vector<std::string> sources;
  if (mount.type != "overlay") return sources;
  const auto layers = oci::OverlayLayers(mount);
  if (!layers) return sources;
  for (const oci::OverlayLayer& layer : *layers) sources.push_back(layer.path);
  return sources;
}

// But for the mount.
Result<rules::ImageVolumeFacts> Judged(const engine::Identity& image,
                                       const policy::Effective& policy, const Request& request,
                                       const std::string& pod_namespace) {
  rules::ImageVolumeFacts volume;
  volume.identity = image;
  // What holds in the pod's namespace holds for what its containers mount.
  volume.identity.pod_namespace = pod_namespace;
  std::optional<policy::Effective> own;
  if (request.policy_of) {
    auto loaded = request.policy_of(volume.identity);
    if (!loaded) return loaded.error();
    own = *std::move(loaded);
  }
  const policy::Effective& effective = own ? *own : policy;
  const policy::RuleSetting& setting = effective.rule(rules::kImage.schema);
  volume.action = setting.action;
  volume.parameters = setting.parameters;
  volume.mispinned_name = effective.image.mispinned_name;
  volume.pinned_digests = effective.image.pinned;
  if (setting.action == policy::Action::kOff) return volume;
  rules::Scan scan = rules::FindScan(setting.parameters, volume.identity, std::time(nullptr));
  volume.scan = std::move(scan.found);
  volume.no_scan_because = std::move(scan.missing_because);
  return volume;
}

}  // namespace

Status GatherImageVolumes(const oci::Spec& spec, const host::ImagesBySource& images,
                          const policy::Effective& policy, const Request& request,
                          const std::string& pod_namespace,
                          std::vector<rules::ImageVolumeFacts>& volumes) {
  if (images.empty()) return {};
  std::map<std::string, std::vector<rules::ImageVolumeFacts>> judged;
  for (const auto& [source, shown] : images) {
    for (const engine::Identity& image : shown) {
      auto volume = Judged(image, policy, request, pod_namespace);
      if (!volume) return volume.error().In("the policy for the image at " + source);
      judged[source].push_back(*std::move(volume));
    }
  }
  const std::vector<oci::Mount>& mounts = spec.mounts();
  for (std::size_t i = 0; i < mounts.size(); ++i) {
    for (const std::string& source : SourcesOf(mounts[i])) {
      const auto found = judged.find(source);
      if (found == judged.end()) continue;
      for (rules::ImageVolumeFacts volume : found->second) {
        volume.path = "/mounts/" + std::to_string(i);
        volume.destination = mounts[i].destination;
        volumes.push_back(std::move(volume));
      }
    }
  }
  return {};
}

}  // namespace runclad::enforce
