#include "runclad/engine/named_images.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

#include "runclad/json/scanner.hpp"
#include "runclad/sys/directory.hpp"

#include "bolt.hpp"
#include "state_directory.hpp"

namespace runclad::engine {
namespace {

constexpr std::size_t kMaxListBytes = std::size_t{64} << 20;
constexpr std::string_view kDigestPrefix = "sha256:";

bool IsName(std::string_view text, const Reference& wanted) {
  auto reference = ParseReference(text);
  if (!reference || !reference->digest.empty()) return false;
  if (reference->tag.empty()) reference->tag = "latest";
  return *reference == wanted;
}

void AddDigest(std::string_view text, std::vector<std::string>& digests) {
  if (!IsSha256Digest(text)) return;
  if (std::ranges::find(digests, text) == digests.end()) digests.emplace_back(text);
}

// image/<driver>/repositories.json: the image's id under each name, a digest among these.
std::vector<std::string> InRepositories(std::string_view text, const Reference& wanted) {
  std::string image;
  std::vector<std::pair<std::string, std::string>> by_digest;  // image, digest
  json::Scanner scanner(text);
  scanner.Object({"Repositories"}, [&](std::size_t) {
    scanner.Members([&](std::string_view) {
      scanner.Members([&](std::string_view view) {
        const std::string name(view);
        const std::string_view id = scanner.String();
        if (IsName(name, wanted)) image = id;
        const std::size_t at = name.find('@');
        if (at != std::string::npos) by_digest.emplace_back(id, name.substr(at + 1));
      });
    });
  });
  std::vector<std::string> digests;
  if (!scanner.Finish() || image.empty()) return digests;
  AddDigest(image, digests);
  for (const auto& [id, digest] : by_digest) {
    if (id == image) AddDigest(digest, digests);
  }
  return digests;
}

void AddOfDocker(const std::string& path, const Reference& wanted, std::vector<NamedImage>& found) {
  const auto root = StateDirectory::Open(path);
  if (!root) return;
  for (const std::string& name : sys::NamesIn(path + "/image")) {
    const auto text = root->ReadIfPresent("image/" + name + "/repositories.json", kMaxListBytes);
    if (!text || !*text) continue;
    auto digests = InRepositories(**text, wanted);
    if (digests.empty()) continue;
    found.push_back({"Docker's store " + path, std::move(digests), Engine::kDocker, path, name});
  }
}

// v1/<namespace>/images/<name>/target/digest
void AddOfContainerd(const std::string& path, const Reference& wanted,
                     std::vector<NamedImage>& found) {
  const auto root = StateDirectory::Open(path);
  if (!root) return;
  const auto database = root->OpenFile("io.containerd.metadata.v1.bolt/meta.db");
  if (!database) return;
  std::vector<NamedImage> images;
  const auto read = ReadOneState(database->get(), "containerd's metadata", [&](Bolt& bolt) {
    images.clear();
    const auto version = bolt.FindBucket(bolt.root(), "v1");
    if (!version) return Status();
    bolt.ForEach(*version, [&](const Bolt::Entry& entry) {
      const auto name_space = bolt.AsBucket(entry);
      const auto list = name_space ? bolt.FindBucket(*name_space, "images") : std::nullopt;
      const auto image = list ? bolt.FindBucket(*list, wanted.text()) : std::nullopt;
      const auto target = image ? bolt.FindBucket(*image, "target") : std::nullopt;
      const auto digest = target ? bolt.FindValue(*target, "digest") : std::nullopt;
      if (digest && IsSha256Digest(*digest)) {
        images.push_back({"containerd's namespace " + std::string(entry.key) + " in " + path,
                          {std::string(*digest)},
                          Engine::kContainerd,
                          path,
                          {},
                          std::string(entry.key)});
      }
      return true;
    });
    return Status();
  });
  if (read && *read) std::ranges::move(images, std::back_inserter(found));
}

// <driver>-images/images.json: the id is the digest of the image's config.
std::vector<std::string> InImageList(std::string_view text, const Reference& wanted) {
  std::vector<std::string> digests;
  json::Scanner scanner(text);
  scanner.Elements([&] {
    std::string id;
    std::string manifest;
    bool is_wanted = false;
    scanner.Object({"id", "digest", "names"}, [&](std::size_t member) {
      if (member < 2) {
        (member == 0 ? id : manifest) = scanner.String();
      } else if (!scanner.Null()) {
        scanner.Elements([&] { is_wanted = IsName(scanner.String(), wanted) || is_wanted; });
      }
    });
    if (!is_wanted) return;
    AddDigest(std::string(kDigestPrefix) + id, digests);
    AddDigest(manifest, digests);
  });
  if (!scanner.Finish()) digests.clear();
  return digests;
}

void AddOfStorage(const std::string& path, const Reference& wanted,
                  std::vector<NamedImage>& found) {
  const auto root = StateDirectory::Open(path);
  if (!root) return;
  constexpr std::string_view kImages = "-images";
  for (const std::string& name : sys::NamesIn(path)) {
    if (!name.ends_with(kImages)) continue;
    const auto text = root->ReadIfPresent(name + "/images.json", kMaxListBytes);
    if (!text || !*text) continue;
    auto digests = InImageList(**text, wanted);
    if (digests.empty()) continue;
    found.push_back({"the store " + path, std::move(digests), Engine::kPodman, path,
                     name.substr(0, name.size() - kImages.size())});
  }
}

}  // namespace

std::vector<NamedImage> FindNamedImages(Reference reference, const Stores& stores) {
  if (reference.tag.empty()) reference.tag = "latest";
  std::vector<NamedImage> found;
  for (const std::string& path : stores.docker) AddOfDocker(path, reference, found);
  for (const std::string& path : stores.containerd) AddOfContainerd(path, reference, found);
  for (const std::string& path : stores.storage) AddOfStorage(path, reference, found);
  return found;
}

}  // namespace runclad::engine
