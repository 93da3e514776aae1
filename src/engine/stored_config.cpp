#include "runclad/engine/stored_config.hpp"

#include <utility>

#include <nlohmann/json.hpp>

#include "runclad/base/sha256.hpp"
#include "runclad/base/spelling.hpp"
#include "runclad/json/reader.hpp"

#include "image_config.hpp"
#include "state_directory.hpp"
#include "storage_lists.hpp"

namespace runclad::engine {
namespace {

constexpr std::string_view kSha256 = "sha256:";

std::string HexOf(const std::string& digest) { return digest.substr(kSha256.size()); }

Result<std::string> Verified(Result<std::string> text, const std::string& digest) {
  if (text && Sha256(*text) != digest) return Error{"what is stored as " + digest + " is not it"};
  return text;
}

// The digest below "digest" of `object`; empty: there is none.
std::string DigestIn(const json::Document& object) {
  if (!object.is_object()) return {};
  const auto digest = object.find("digest");
  if (digest == object.end() || !digest->is_string()) return {};
  auto text = digest->get<std::string>();
  return IsSha256Digest(text) ? text : std::string();
}

// What an index or a manifest leads to; empty: it is neither.
std::string NextOf(const json::Document& document, const std::string& architecture) {
  if (!document.is_object()) return {};
  if (const auto config = document.find("config"); config != document.end()) {
    if (auto digest = DigestIn(*config); !digest.empty()) return digest;
  }
  const auto manifests = document.find("manifests");
  if (manifests == document.end() || !manifests->is_array()) return {};
  for (const json::Document& manifest : *manifests) {
    if (!manifest.is_object()) continue;
    const auto platform = manifest.find("platform");
    const bool is_ours = platform == manifest.end() ||
                         (platform->is_object() && platform->contains("architecture") &&
                          (*platform)["architecture"] == architecture);
    if (is_ours) return DigestIn(manifest);
  }
  return {};
}

Result<StoredConfig> ReadInContainerd(const StateDirectory& root, std::string digest,
                                      const std::string& architecture) {
  constexpr int kMaxSteps = 4;  // an index in an index, a manifest, a config
  for (int step = 0; step < kMaxSteps; ++step) {
    auto text = Verified(root.Read("io.containerd.content.v1.content/blobs/sha256/" + HexOf(digest),
                                   kMaxImageDocumentBytes),
                         digest);
    if (!text) return text.error();
    const auto document = json::Read(*text, {.keeps_numbers = true});
    if (!document) return document.error().In(digest);
    std::string next = NextOf(*document, architecture);
    if (next.empty()) return StoredConfig{std::move(digest), *std::move(text)};
    digest = std::move(next);
  }
  return Error{"the image has no config"};
}

}  // namespace

Result<StoredConfig> ReadStoredConfig(const NamedImage& image, const std::string& architecture) {
  const std::string& digest = image.digests.front();
  if (image.engine == Engine::kPodman) {
    const auto lists = StorageLists::Open(image.root, image.driver);
    if (!lists) return lists.error();
    auto text = Verified(lists->Blob(HexOf(digest), digest), digest);
    if (!text) return text.error();
    return StoredConfig{digest, *std::move(text)};
  }
  const auto root = StateDirectory::Open(image.root);
  if (!root) return root.error();
  if (image.engine == Engine::kContainerd) return ReadInContainerd(*root, digest, architecture);
  auto text =
      Verified(root->Read("image/" + image.driver + "/imagedb/content/sha256/" + HexOf(digest),
                          kMaxImageDocumentBytes),
               digest);
  if (!text) return text.error();
  return StoredConfig{digest, *std::move(text)};
}

}  // namespace runclad::engine
