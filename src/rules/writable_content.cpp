#include "writable_content.hpp"

#include <algorithm>
#include <optional>

#include "runclad/oci/overlay.hpp"

namespace runclad::rules {
namespace {

// The host paths whose content is seen in the mount; `is_written`: the mount writes to it.
struct Content {
  std::string source;
  bool is_written = false;
};

std::vector<Content> ContentsOf(const oci::Mount& mount) {
  if (mount.is_bind()) return {{mount.source, IsWritable(mount)}};
  std::vector<Content> contents;
  if (mount.type != "overlay") return contents;
  for (oci::OverlayLayer& layer :
       oci::OverlayLayers(mount).value_or(std::vector<oci::OverlayLayer>())) {
    contents.push_back({std::move(layer.path), !layer.is_lower});
  }
  return contents;
}

}  // namespace

bool IsSet(const Flag& flag, const std::vector<std::string>& options) {
  bool plain = false;
  for (const std::string& option : options) {
    if (option == flag.set || option == flag.clear) plain = option == flag.set;
  }
  for (const std::string& option : options) {
    if (option == flag.recursive_set || option == flag.recursive_clear) {
      plain = option == flag.recursive_set;
    }
  }
  return plain;
}

bool IsWritable(const oci::Mount& mount) {
  if (IsSet(kReadOnly, mount.options)) return false;
  if (mount.type != "overlay" || mount.is_bind()) return true;
  const auto layers = oci::OverlayLayers(mount);
  return !layers || std::ranges::any_of(*layers, [](const auto& layer) { return !layer.is_lower; });
}

WritableContent::WritableContent(const oci::Spec& spec, const Sources& sources)
    : sources_(sources) {
  for (const oci::Mount& mount : spec.mounts()) {
    for (const Content& content : ContentsOf(mount)) {
      if (content.is_written) Add(content.source, mount.destination);
    }
  }
}

std::string WritableContent::WhyWritten(const oci::Mount& mount) {
  for (const Content& content : ContentsOf(mount)) {
    const auto found = sources_.find(content.source);
    if (found == sources_.end() || found->second.access == SourceFacts::Access::kUnknown) {
      return "shows " + content.source + ", which cannot be identified";
    }
    const SourceFacts& source = found->second;
    if (source.is_volume) return "shows a volume, which containers write to";
    const std::string* destination = FindOverlap(source);
    if (destination != nullptr) return "shows what is writable at " + *destination;
  }
  return {};
}

void WritableContent::Add(const std::string& path, const std::string& destination) {
  const auto found = sources_.find(path);
  if (found == sources_.end()) return;
  const SourceFacts& source = found->second;
  if (source.device != 0) inodes_.try_emplace({source.device, source.inode}, destination);
  if (!source.places || !added_.insert(source.places.get()).second) return;
  for (const std::string& place : *source.places) places_.try_emplace(place, destination);
}

const std::string* WritableContent::FindOverlap(const SourceFacts& source) {
  const auto same = inodes_.find({source.device, source.inode});
  if (same != inodes_.end()) return &same->second;
  if (!source.places) return nullptr;  // an engine's own file
  const auto [known, is_new] = overlaps_.try_emplace(source.places.get(), nullptr);
  for (auto at = source.places->begin(); is_new && at != source.places->end(); ++at) {
    known->second = FindAroundOrBelow(*at);
    if (known->second != nullptr) break;
  }
  return known->second;
}

const std::string* WritableContent::FindAroundOrBelow(const std::string& place) const {
  const std::size_t root = place.find('/');
  for (std::size_t end = place.size(); end != std::string::npos && end > root;
       end = place.rfind('/', end - 1)) {
    if (const auto found = places_.find(std::string_view(place).substr(0, end));
        found != places_.end()) {
      return &found->second;
    }
  }
  if (const auto found = places_.find(std::string_view(place).substr(0, root + 1));
      found != places_.end()) {
    return &found->second;
  }
  const std::string below = place.ends_with('/') ? place : place + '/';
  const auto next = places_.lower_bound(below);
  return next != places_.end() && next->first.starts_with(below) ? &next->second : nullptr;
}

}  // namespace runclad::rules
