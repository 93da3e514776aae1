#include "runclad/enforce/staged_sources.hpp"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "runclad/enforce/own_line.hpp"
#include "runclad/json/pointer.hpp"
#include "runclad/oci/overlay.hpp"
#include "runclad/store/records.hpp"
#include "runclad/sys/staging.hpp"

namespace runclad::enforce {
namespace {

// What has to be staged, by the source as written.
std::map<std::string, std::string> SourcesToStage(const oci::Spec& spec,
                                                  const rules::Sources& sources,
                                                  bool starts_at_once) {
  std::map<std::string, std::string> wanted;
  const auto want = [&](const std::string& source) {
    const auto found = sources.find(source);
    if (found == sources.end() || found->second.replaceable_because.empty()) return;
    wanted.try_emplace(source);
  };
  for (const oci::Mount& mount : spec.mounts()) {
    if (mount.is_bind()) {
      if (starts_at_once) want(mount.source);
    } else if (mount.type == "overlay") {
      const auto layers = oci::OverlayLayers(mount);
      if (!layers) continue;
      for (const oci::OverlayLayer& layer : *layers) {
        if (layer.is_lower) want(layer.path);
      }
    }
  }
  return wanted;
}

}  // namespace

Result<std::optional<Staged>> StageSources(const oci::Spec& spec, bool starts_at_once,
                                           rules::Facts& facts) {
  auto& sources = facts.Get<rules::Sources>();
  const auto& root = facts.Get<rules::RootFacts>();
  std::map<std::string, std::string> places = SourcesToStage(spec, sources, starts_at_once);
  const bool is_root_staged = starts_at_once && !root.replaceable_because.empty();
  if (places.empty() && !is_root_staged) return std::optional<Staged>();
  // The lower runtime does not need runclad's records.
  auto staging = sys::Staging::Open(std::string(store::kRecordsDirectory));
  if (!staging) return staging.error().In("the mount sources cannot be protected from replacement");
  for (auto& [source, place] : places) {
    rules::SourceFacts known = sources.at(source);
    auto bound = staging->Bind(known.resolved, {.device = known.device, .number = known.inode});
    if (!bound) {
      return bound.error().In(std::string(kRefusedBy) + "host-mounts: the mount of " + source +
                              ", which " + known.replaceable_because);
    }
    place = *std::move(bound);
    known.replaceable_because.clear();
    sources.insert_or_assign(place, std::move(known));
  }
  Staged staged{*std::move(staging), spec};
  const std::vector<oci::Mount>& mounts = spec.mounts();
  for (std::size_t i = 0; i < mounts.size(); ++i) {
    const std::string pointer = "/mounts/" + std::to_string(i);
    if (mounts[i].is_bind()) {
      const auto found = places.find(mounts[i].source);
      if (!starts_at_once || found == places.end()) continue;
      json::Set(staged.spec.document(), pointer + "/source", found->second);
    } else if (mounts[i].type == "overlay") {
      json::Set(staged.spec.document(), pointer + "/options",
                oci::ReplaceLowerLayers(mounts[i].options, places));
    }
  }
  if (is_root_staged) {
    const auto& [device, inode] = facts.Get<rules::RootDirectory>();
    auto bound = staged.staging.Bind(root.resolved, {.device = device, .number = inode});
    if (!bound) {
      return bound.error().In(std::string(kRefusedBy) + "rootfs-path: " + root.resolved +
                              ", which " + root.replaceable_because);
    }
    json::Set(staged.spec.document(), "/root/path", *bound);
  }
  return std::optional(std::move(staged));
}

}  // namespace runclad::enforce
