#include "containerd_content.hpp"

#include <algorithm>

#include "runclad/base/sha256.hpp"
#include "runclad/engine/reference.hpp"
#include "runclad/json/scanner.hpp"

#include "image_config.hpp"

namespace runclad::engine {
namespace {

constexpr std::size_t kMaxContentBytes = 2 * kMaxImageDocumentBytes;
constexpr std::size_t kMaxDocuments = 100;
constexpr std::size_t kMaxImageLayers = 1000;
constexpr std::size_t kMaxNested = 4;  // an index of indexes, its manifest and the config

// An index or a manifest, as far as it leads on.
struct Document {
  std::string config;  // the digests of what it names
  std::vector<std::string> manifests;
};

Result<Document> ReadDocument(std::string_view text) {
  Document document;
  json::Scanner scanner(text);
  const auto take_digest = [&](std::string& digest) {
    scanner.Object({"digest"}, [&](std::size_t) { digest = scanner.String(); });
  };
  scanner.Object({"config", "manifests"}, [&](std::size_t member) {
    if (scanner.Null()) return;
    if (member == 0) return take_digest(document.config);
    scanner.Elements([&] { take_digest(document.manifests.emplace_back()); });
  });
  if (auto finished = scanner.Finish(); !finished) return finished.error();
  // Which of the two it is for an engine depends on what leads to it.
  if (!document.config.empty() && !document.manifests.empty()) {
    return Error{"is both an index and a manifest"};
  }
  return document;
}

}  // namespace

Result<ContainerdContent> ContainerdContent::Open(const std::string& root) {
  auto blobs = StateDirectory::Open(root + "/io.containerd.content.v1.content/blobs/sha256");
  if (!blobs) return blobs.error();
  return ContainerdContent(*std::move(blobs));
}

Result<ContainerdContent::Chain> ContainerdContent::FindImage(const std::string& target,
                                                              std::string_view chain_id) {
  const std::string question = target + ' ' + std::string(chain_id);
  const auto known =
      std::ranges::find(known_, question, [](const auto& pair) { return pair.first; });
  if (known != known_.end()) return known->second;

  Search search{.chain_id = chain_id, .path = {}, .found = {}};
  if (Status status = Follow(target, search); !status) return status.error();
  if (search.found.empty())
    return Error{target + " does not lead to an image with the container's layers"};
  if (search.found.size() > 1) {
    return Error{target + " leads to two images with the container's layers"};
  }
  return known_.emplace_back(question, search.found.front()).second;
}

Result<std::optional<std::string>> ContainerdContent::Read(const std::string& digest,
                                                           Search& search) const {
  if (!IsSha256Digest(digest)) return Error{"the content store has a digest of an unknown kind"};
  if (++search.documents > kMaxDocuments || search.bytes > kMaxContentBytes) {
    return Error{"its index has too many manifests"};
  }
  auto bytes = blobs_.ReadIfPresent(digest.substr(digest.find(':') + 1), kMaxImageDocumentBytes);
  if (!bytes || !*bytes) return bytes;
  search.bytes += (*bytes)->size();
  if (Sha256(**bytes) != digest)
    return Error{digest + " does not match its content in the content store"};
  return bytes;
}

Status ContainerdContent::Follow(const std::string& digest, Search& search) const {
  if (search.path.size() == kMaxNested) return Error{"its indexes are nested too deeply"};
  const auto bytes = Read(digest, search);
  if (!bytes) return bytes.error();
  if (!*bytes && search.path.empty()) return Error{digest + " is not in the content store"};
  if (!*bytes) return {};
  const auto document = ReadDocument(**bytes);
  if (!document) return document.error().In(digest);
  search.path.push_back(digest);
  Status status;
  if (!document->config.empty()) {
    status = TakeConfig(document->config, search);
  } else {
    for (const std::string& manifest : document->manifests) {
      status = Follow(manifest, search);
      if (!status) break;
    }
  }
  search.path.pop_back();
  return status;
}

Status ContainerdContent::TakeConfig(const std::string& digest, Search& search) const {
  const auto bytes = Read(digest, search);
  if (!bytes) return bytes.error();
  if (!*bytes) return {};
  const auto config = ReadConfigBlob(**bytes);
  if (!config) return config.error().In(digest);
  if (config->diff_ids.size() > kMaxImageLayers) {
    return Error{digest + " has more layers than an image may have"};
  }
  if (config->diff_ids.empty() || ChainId(config->diff_ids) != search.chain_id) return {};
  for (Chain& chain : search.found) {
    if (chain.config != digest) continue;
    chain.manifests.insert(chain.manifests.end(), search.path.begin(), search.path.end());
    return {};
  }
  search.found.push_back({digest, search.path, config->volumes});
  return {};
}

}  // namespace runclad::engine
