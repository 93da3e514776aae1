#include "image_names.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runclad/base/spelling.hpp"

namespace runclad::engine {
namespace {

void SortEachOnce(std::vector<std::string>& texts) {
  std::ranges::sort(texts);
  texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
}

// The engines find an image by the digest when a name has both.
Reference AsLookedUp(Reference reference) {
  if (!reference.digest.empty()) {
    reference.tag.clear();
  } else if (reference.tag.empty()) {
    reference.tag = "latest";
  }
  return reference;
}

// What was read about the image before the fault.
std::optional<UnverifiedImage> Unverified(Identity& half_filled) {
  if (!half_filled.unverified) return std::nullopt;
  UnverifiedImage image = *std::move(half_filled.unverified);
  for (ImageName& name : half_filled.names) image.names.push_back(std::move(name.reference));
  std::ranges::sort(image.names, {}, &Reference::text);
  image.names.erase(std::unique(image.names.begin(), image.names.end()), image.names.end());
  return image;
}

}  // namespace

Status AddName(std::string_view text, Tier with_digest, Identity& identity) {
  auto reference = ParseReference(text);
  if (!reference) return reference.error();
  if (reference->tag.empty() == reference->digest.empty()) {
    return Error{Quoted(text) + " must have either a tag or a digest"};
  }
  const bool has_digest = !reference->digest.empty();
  if (has_digest) identity.manifest_digests.push_back(reference->digest);
  identity.names.push_back({*std::move(reference), has_digest ? with_digest : Tier::kTag});
  return {};
}

void AddTyped(std::string_view typed, UnverifiedImage& image) {
  if (IsSha256Digest(typed)) image.digests.emplace_back(typed);
  auto reference = ParseReference(typed);
  if (!reference) return;
  // A tag in addition to a digest is kept here: it may be the pinned one.
  if (reference->tag.empty() && reference->digest.empty()) reference->tag = "latest";
  image.names.push_back(*std::move(reference));
}

void FinishNames(std::string_view typed, Identity& identity) {
  SortEachOnce(identity.manifest_digests);
  std::ranges::sort(identity.names, {},
                    [](const ImageName& name) { return name.reference.text(); });
  identity.names.erase(std::unique(identity.names.begin(), identity.names.end()),
                       identity.names.end());

  if (typed.empty() || IsSha256Digest(typed)) return;
  auto reference = ParseReference(typed);
  if (!reference) return;
  const Reference asked_for = AsLookedUp(*std::move(reference));
  const bool names_this_image = std::ranges::any_of(identity.names, [&](const ImageName& name) {
    return name.tier != Tier::kNone && name.reference == asked_for;
  });
  if (names_this_image) identity.asked_for = asked_for;
}

Identity Finish(Identity identity, const Status& is_known) {
  if (is_known) {
    identity.unverified.reset();
    return identity;
  }
  Identity unknown;
  unknown.engine = identity.engine;
  unknown.container_name = std::move(identity.container_name);
  unknown.local_volumes = std::move(identity.local_volumes);
  unknown.pod_namespace = std::move(identity.pod_namespace);
  unknown.is_sandbox = identity.is_sandbox;
  unknown.own_layer = std::move(identity.own_layer);
  unknown.unverified = Unverified(identity);
  unknown.unknown_because = is_known.error().message;
  return unknown;
}

}  // namespace runclad::engine
