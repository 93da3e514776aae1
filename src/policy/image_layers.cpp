#include "image_layers.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "runclad/base/spelling.hpp"

#include "fold.hpp"
#include "pins.hpp"
#include "source.hpp"

namespace runclad::policy {
namespace {

constexpr std::string_view kImagesPrefix = "images/";

// A name under which files are looked for.
struct Candidate {
  std::string repository;
  std::string tag;  // empty: the image has the repository's name by digest only
  engine::Tier tier = engine::Tier::kTag;

  [[nodiscard]] std::string text() const {
    return tag.empty() ? repository : repository + ":" + tag;
  }
};

// Each repository and tag once; a repository that is proved by a pull is so for each of its tags.
std::vector<Candidate> Candidates(const engine::Identity& identity) {
  const auto tier_of = [&](const std::string& repository) {
    engine::Tier tier = engine::Tier::kNone;
    for (const engine::ImageName& name : identity.names) {
      if (name.reference.repository == repository) tier = std::max(tier, name.tier);
    }
    return tier;
  };
  std::vector<Candidate> candidates;
  const auto add = [&](const engine::Reference& name) {
    const bool is_there = std::ranges::any_of(candidates, [&](const Candidate& candidate) {
      return candidate.repository == name.repository &&
             (name.tag.empty() || candidate.tag == name.tag);
    });
    if (!is_there) candidates.push_back({name.repository, name.tag, tier_of(name.repository)});
  };
  if (identity.asked_for) {
    add(*identity.asked_for);
    return candidates;
  }
  for (const engine::ImageName& name : identity.names) {
    if (!name.reference.tag.empty()) add(name.reference);
  }
  for (const engine::ImageName& name : identity.names) {
    if (name.reference.tag.empty()) add(name.reference);
  }
  return candidates;
}

// The digests of `pinned` that the image has, and nothing when it has none.
std::string MatchOf(const std::vector<std::string>& pinned, const engine::Identity& identity) {
  for (const std::string& digest : pinned) {
    const bool is_own_digest =
        digest == identity.config_digest ||
        std::ranges::find(identity.manifest_digests, digest) != identity.manifest_digests.end();
    if (is_own_digest) return digest;
  }
  return {};
}

class ImageFolder {
 public:
  ImageFolder(const engine::Identity& identity, const ImageLayersOptions& options, Digest& digest)
      : identity_(identity), options_(options), digest_(digest) {}

  Result<Effective> Run(Effective policy) {
    std::optional<Effective> named;
    bool named_has_file = false;
    const std::vector<Candidate> candidates = Candidates(identity_);
    for (const Candidate& candidate : candidates) {
      auto files = ReadName(candidate);
      if (!files) return files.error();
      const bool has_file = files->own.has_value();
      const bool has_layer = has_file || !files->shared.empty();
      // Nearly every image: nothing is folded, and so the policy need not be copied.
      if (!has_layer && candidates.size() == 1 && candidate.tier != engine::Tier::kNone) {
        policy.image.names.push_back(candidate.text());
        continue;
      }
      Result<Effective> one = FoldName(candidate, *std::move(files), policy);
      if (!one) return one;
      // Such a name is there to be denied.
      if (candidate.tier == engine::Tier::kNone && !has_file) continue;
      // A name without a file of its own counts only while no other name has one.
      if (!named || (has_file && !named_has_file)) {
        named = *std::move(one);
      } else if (has_file == named_has_file) {
        named = Meet(*std::move(named), *one, options_.format.rules);
      }
      named_has_file = named_has_file || has_file;
    }
    if (named) policy = *std::move(named);
    if (identity_.unverified) {
      auto pin = FindPin(*identity_.unverified, options_, digest_);
      if (!pin) return pin.error();
      if (*pin) {
        policy.image.mispinned_name = std::move((*pin)->name);
        policy.image.pinned = std::move((*pin)->digests);
      }
    }
    if (const auto folded = FoldDigests(policy); !folded) return folded.error();
    if (const auto folded = FoldPod(policy); !folded) return folded.error();
    return policy;
  }

 private:
  // The file's layer; none where there is no file.
  Result<std::optional<Layer>> Read(const PolicyFiles* files, const std::string& path,
                                    LayerKind kind) {
    if (files == nullptr) return std::optional<Layer>();
    const auto text = files->Read(path);
    if (!text) return text.error();
    if (!*text) return std::optional<Layer>();
    const bool is_own = files == options_.own;
    auto layer = ReadSource(
        {kind, "policy " + files->FullName(path), is_own ? path : files->FullName(path), **text},
        options_.format, options_.origins);
    if (!layer) return layer.error();
    digest_.Add(**text);
    return std::optional<Layer>(*std::move(layer));
  }

  struct NameFiles {
    std::vector<Layer> shared;  // _default.json, from the root down
    std::optional<Layer> own;
  };

  Result<NameFiles> ReadName(const Candidate& name) {
    NameFiles files;
    const std::string path = std::string(kImagesPrefix) + name.repository;
    for (std::size_t slash = path.find('/'); slash != std::string::npos;
         slash = path.find('/', slash + 1)) {
      auto shared =
          Read(options_.own, path.substr(0, slash) + "/_default.json", LayerKind::kShared);
      if (!shared) return shared.error();
      if (*shared) files.shared.push_back(**std::move(shared));
    }
    auto own = Read(options_.own, path + ".json", LayerKind::kImage);
    if (own && !*own) own = Read(options_.shipped, path + ".json", LayerKind::kImage);
    if (!own) return own.error();
    files.own = *std::move(own);
    return files;
  }

  // The layer of the name's tag in its file, taken out of it.
  static std::optional<Layer> TakeTag(Layer& file, std::string_view name) {
    std::optional<Layer> tag;
    for (auto& [text, layer] : file.tags) {
      if (text == name) tag = std::move(layer);
    }
    return tag;
  }

  // One name's layers over the host's `base`.
  Result<Effective> FoldName(const Candidate& name, NameFiles files, const Effective& base) {
    const bool has_file = files.own.has_value();
    Effective policy = base;
    engine::Tier tier = name.tier;
    std::optional<Layer> tag;
    if (has_file) {
      tag = TakeTag(*files.own, name.tag);
      const std::vector<std::string>& pinned =
          tag && !tag->digests.empty() ? tag->digests : files.own->digests;
      policy.image.pin = MatchOf(pinned, identity_);
      if (!policy.image.pin.empty()) {
        tier = engine::Tier::kDigest;
      } else if (!pinned.empty()) {
        policy.image.mispinned_name = name.text();
        policy.image.pinned = pinned;
      }
    }

    std::vector<SourcedWaiver> waivers;
    const auto fold = [&](Layer layer, engine::Tier trusted) {
      const Ceiling ceiling = base.trust.Of(trusted);
      std::ranges::move(TakeWaivers(layer, ceiling), std::back_inserter(waivers));
      if (policy.image.files.empty() || policy.image.files.back() != layer.label) {
        policy.image.files.push_back(layer.label);
      }
      FoldWithin(std::move(layer), ceiling, base, policy);
    };
    for (Layer& layer : files.shared) fold(std::move(layer), tier);
    if (has_file) fold(*std::move(files.own), tier);
    // A pull proves the repository and not the tag, which may have been moved since.
    if (tag) {
      fold(*std::move(tag),
           tier == engine::Tier::kDigest ? tier : std::min(tier, engine::Tier::kTag));
    }
    policy.image.tier = policy.image.files.empty() ? engine::Tier::kNone : tier;
    policy.image.names.push_back(name.text());
    Lift(std::move(waivers), options_.today, policy);
    return policy;
  }

  Status FoldDigests(Effective& policy) {
    std::vector<std::string> digests = identity_.manifest_digests;
    if (!identity_.config_digest.empty()) digests.push_back(identity_.config_digest);
    for (const std::string& digest : digests) {
      if (!engine::IsSha256Digest(digest)) continue;
      std::string path = "digests/" + digest + ".json";
      path[path.find(':')] = '/';
      if (auto folded = FoldShared(path, policy); !folded) return folded.error();
    }
    return {};
  }

  Status FoldPod(Effective& policy) {
    // A DNS label, as Kubernetes wants it; the engine's record says the name, and this the form.
    const std::string& pod = identity_.pod_namespace;
    const bool is_label = !pod.empty() && std::ranges::all_of(pod, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    });
    if (!is_label) return {};
    const auto folded = FoldShared("pods/" + pod + ".json", policy);
    if (!folded) return folded.error();
    return {};
  }

  // A file that speaks of exactly this image, or of a namespace that root's own state proves.
  Result<bool> FoldShared(const std::string& path, Effective& policy) {
    auto layer = Read(options_.own, path, LayerKind::kShared);
    if (!layer) return layer.error();
    if (!*layer) return false;
    const Ceiling ceiling = policy.trust.digest;
    std::vector<SourcedWaiver> waivers = TakeWaivers(**layer, ceiling);
    policy.image.files.push_back((*layer)->label);
    if (policy.image.tier == engine::Tier::kNone) policy.image.tier = engine::Tier::kDigest;
    const Effective host = policy;
    FoldWithin(**std::move(layer), ceiling, host, policy);
    Lift(std::move(waivers), options_.today, policy);
    return true;
  }

  const engine::Identity& identity_;
  const ImageLayersOptions& options_;
  Digest& digest_;
};

}  // namespace

Result<Effective> FoldImageLayers(Effective policy, const engine::Identity& identity,
                                  const ImageLayersOptions& options, Digest& digest) {
  return ImageFolder(identity, options, digest).Run(std::move(policy));
}

}  // namespace runclad::policy
