#include "runclad/base/spelling.hpp"
#include "runclad/rules/rule.hpp"

#include "commands.hpp"

namespace runclad::ctl {

Result<policy::Effective> LoadProfile(const std::string& name) {
  if (policy::Profile(name).empty()) {
    const std::string suggestion = Suggestion(name, kProfiles);
    return Error{"unknown profile " + Quoted(name) +
                 (suggestion.empty() ? "; there are " + Alternatives(kProfiles) : suggestion)};
  }
  return policy::Parse(R"({"extends": ")" + name + R"("})", "profile " + name, rules::Schemas());
}

Result<engine::Identity> IdentityOf(const ImageRequest& image) {
  engine::Identity identity;
  if (!image.name.empty()) {
    auto reference = engine::ParseReference(image.name);
    if (!reference) return reference.error();
    const bool has_digest = !reference->digest.empty();
    if (has_digest) {
      identity.manifest_digests.push_back(reference->digest);
    } else if (reference->tag.empty()) {
      reference->tag = "latest";
    }
    identity.asked_for = *reference;
    identity.names.push_back(
        {*std::move(reference), has_digest ? engine::Tier::kRepositoryDigest : engine::Tier::kTag});
  }
  if (!image.digest.empty()) {
    if (!engine::IsSha256Digest(image.digest)) {
      return Error{Quoted(image.digest) +
                   " is not sha256: followed by 64 lower-case hexadecimal digits"};
    }
    identity.config_digest = image.digest;
  }
  return identity;
}

}  // namespace runclad::ctl
