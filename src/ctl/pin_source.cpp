#include "pin_source.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "runclad/base/spelling.hpp"
#include "runclad/enforce/host_policy.hpp"
#include "runclad/enforce/record_search.hpp"
#include "runclad/enforce/running.hpp"
#include "runclad/engine/named_images.hpp"
#include "runclad/privilege/capabilities.hpp"

#include "bundles.hpp"
#include "judgement.hpp"
#include "story.hpp"

namespace runclad::ctl {
namespace {

using json::Document;
using Names = std::vector<std::string>;

Names CapabilitiesOf(const enforce::Promise& promise) {
  Names names;
  const Names& all = privilege::AllCapabilities();
  for (std::size_t number = 0; number < all.size(); ++number) {
    if ((promise.bounding() >> number & 1U) != 0) names.push_back(all[number]);
  }
  return names;
}

Result<PinSource> Known(std::string title, engine::Identity identity,
                        std::optional<Names> capabilities) {
  if (!identity.is_known()) {
    return Error{"the image of " + title + " is unknown: " + identity.unknown_because};
  }
  Names digests = {identity.config_digest};
  digests.insert(digests.end(), identity.manifest_digests.begin(), identity.manifest_digests.end());
  return PinSource{std::move(title), std::move(identity), std::move(digests),
                   std::move(capabilities)};
}

Result<PinSource> OfRecord(enforce::Record record) {
  return Known("container " + record.id, std::move(record.identity),
               CapabilitiesOf(record.promise));
}

// Its record; for one that is older than runclad on this host, what create would decide today.
Result<PinSource> OfRunning(const host::RunningContainer& container, const PinRequest& request) {
  auto records = enforce::FindRecords(container.id, std::nullopt);
  if (!records) return records.error();
  for (enforce::Record& record : *records) {
    if (record.id == container.id && record.bundle == container.bundle) {
      return OfRecord(std::move(record));
    }
  }
  auto opened = OpenContainer(container, container.bundle + "/config.json");
  if (!opened) return opened.error();
  CheckRequest check;
  check.config_directory = request.config_directory;
  const auto judgement = Judge(*opened, check);
  if (!judgement) return judgement.error();
  const Document& spec = judgement->decision.spec.document();
  const Document bounding =
      spec.value(Document::json_pointer("/process/capabilities/bounding"), Document::array());
  return Known("container " + container.id, std::move(opened->subject.identity),
               bounding.get<Names>());
}

// The image of the last create of `wanted` in the log: a container that was refused has no record.
Result<PinSource> OfLog(const std::string& wanted, const PinRequest& request) {
  WhyRequest why;
  why.container = wanted;
  auto story = FindStory(why, enforce::LoadPolicy(request.config_directory));
  if (story) return Known("container " + story->container, std::move(story->image), std::nullopt);
  return Error{"no container with the id or name " + Quoted(wanted) + " runs, and " +
               story.error().message +
               "; name the image with --image, or its digest with --digest"};
}

void AddOnce(const std::string& path, std::vector<std::string>& paths) {
  if (!path.empty() && std::ranges::find(paths, path) == paths.end()) paths.push_back(path);
}

// The usual places, and where the running containers' engines have theirs.
engine::Stores StoresOfThisHost() {
  engine::Stores stores;
  for (const host::RunningContainer& container : enforce::FindEveryRunning()) {
    const auto opened = OpenContainer(container, container.bundle + "/config.json");
    if (!opened) continue;
    const engine::Layout& layout = opened->subject.layout;
    AddOnce(layout.containerd_root, stores.containerd);
    if (layout.engine == engine::Engine::kDocker) AddOnce(layout.data_root, stores.docker);
    if (!layout.storage_driver.empty()) AddOnce(layout.data_root, stores.storage);
  }
  return stores;
}

}  // namespace

Result<PinSource> SourceOfContainer(const std::string& wanted, const PinRequest& request) {
  if (wanted.empty()) return Error{"the container id is empty"};
  auto records = enforce::FindRecords(wanted, std::nullopt);
  if (!records) return records.error();
  if (records->size() > 1) {
    return Error{std::to_string(records->size()) + " containers have an id that begins with " +
                 Quoted(wanted) + "; give a longer one"};
  }
  if (records->size() == 1) return OfRecord(std::move(records->front()));
  if (const auto container = FindRunningContainer(wanted)) return OfRunning(*container, request);
  return OfLog(wanted, request);
}

Result<PinSource> SourceOfStoredImage(const std::string& name) {
  auto reference = engine::ParseReference(name);
  if (!reference) return reference.error();
  if (!reference->digest.empty()) {
    auto source = SourceOfDigest(reference->digest);
    if (source) source->identity.names = {{*reference, engine::Tier::kRepositoryDigest}};
    return source;
  }
  if (reference->tag.empty()) reference->tag = "latest";
  auto found = engine::FindNamedImages(*reference, StoresOfThisHost());
  if (found.empty()) {
    return Error{"no engine on this host has the image " + reference->text() +
                 "; pull it, or name its digest with --digest"};
  }
  if (found.size() > 1) {
    std::string places;
    for (const engine::NamedImage& image : found) {
      places += (places.empty() ? "" : ", ") + image.store + " (" + image.digests.front() + ")";
    }
    return Error{reference->text() + " is in several stores: " + places +
                 "; choose one with --digest"};
  }
  PinSource source{reference->text() + " in " + found.front().store,
                   {},
                   std::move(found.front().digests),
                   std::nullopt};
  source.identity.asked_for = *reference;
  source.identity.names = {{*reference, engine::Tier::kTag}};
  return source;
}

Result<PinSource> SourceOfDigest(const std::string& digest) {
  if (!engine::IsSha256Digest(digest)) {
    return Error{Quoted(digest) + " is not sha256: followed by 64 lower-case hexadecimal digits"};
  }
  return PinSource{"--digest", {}, {digest}, std::nullopt};
}

std::vector<PinSource> SourcesOfRunning(const PinRequest& request,
                                        std::vector<std::string>& skipped) {
  std::vector<PinSource> sources;
  for (const host::RunningContainer& container : enforce::FindEveryRunning()) {
    auto source = OfRunning(container, request);
    if (!source) {
      skipped.push_back("container " + container.id + ": " + source.error().message);
      continue;
    }
    const std::string title = source->title;
    const bool is_there = std::ranges::any_of(sources, [&](const PinSource& other) {
      return other.identity.config_digest == source->identity.config_digest &&
             ImageNameOf(other.identity) == ImageNameOf(source->identity);
    });
    if (is_there) continue;
    if (source->identity.is_sandbox) {
      skipped.push_back(title + ": is a pod's sandbox, whose image comes with the cluster");
    } else if (ImageNameOf(source->identity).empty()) {
      skipped.push_back(title + ": its image has no name");
    } else {
      sources.push_back(*std::move(source));
    }
  }
  return sources;
}

}  // namespace runclad::ctl
