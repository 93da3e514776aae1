#include "image_names.hpp"

#include <algorithm>
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

}  // namespace

Status AddName(std::string_view text, Identity& identity) {
  auto reference = ParseReference(text);
  if (!reference) return reference.error();
  if (reference->tag.empty() == reference->digest.empty()) {
    return Error{Quoted(text) + " has not either a tag or a digest"};
  }
  const Tier tier = reference->digest.empty() ? Tier::kTag : Tier::kRepositoryDigest;
  if (tier == Tier::kRepositoryDigest) identity.manifest_digests.push_back(reference->digest);
  identity.names.push_back({*std::move(reference), tier});
  return {};
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
  const bool is_its_name =
      std::ranges::find(identity.names, asked_for, &ImageName::reference) != identity.names.end();
  if (is_its_name) identity.asked_for = asked_for;
}

}  // namespace runclad::engine
