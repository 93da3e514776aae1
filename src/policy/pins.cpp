#include "pins.hpp"

#include <utility>

#include "digest.hpp"
#include "source.hpp"

namespace runclad::policy {
namespace {

constexpr std::string_view kImagesDirectory = "images";
constexpr std::string_view kSuffix = ".json";
// Files are read one by one until one has a pin; a tree of this many without one has none.
constexpr std::size_t kMaxFiles = 100'000;

class PinFinder {
 public:
  PinFinder(const ImageLayersOptions& options, Digest& digest)
      : options_(options), digest_(digest) {}

  // What `repository`'s file pins for the tag; for an empty one, for any tag.
  Result<std::vector<std::string>> PinsOf(const std::string& repository, const std::string& tag) {
    const std::string path =
        std::string(kImagesDirectory) + "/" + repository + std::string(kSuffix);
    for (const PolicyFiles* files : {options_.own, options_.shipped}) {
      if (files == nullptr) continue;
      const auto text = files->Read(path);
      if (!text) return text.error();
      if (!*text) continue;
      const auto layer =
          ReadSource({LayerKind::kImage, "policy " + files->FullName(path), path, **text},
                     options_.format, /*wants_origins=*/false);
      if (!layer) return layer.error();
      digest_.Add(**text);
      std::vector<std::string> pinned = layer->digests;
      for (const TagLayer& part : layer->tags) {
        if (!tag.empty() && part.tag != tag) continue;
        pinned.insert(pinned.end(), part.layer.digests.begin(), part.layer.digests.end());
      }
      return pinned;
    }
    return std::vector<std::string>();
  }

  // The first repository in the tree of `files` that pins anything.
  Result<std::optional<Pin>> FindAny(const PolicyFiles& files) {
    std::vector<std::string> directories = {std::string(kImagesDirectory)};
    for (std::size_t count = 0; !directories.empty();) {
      const std::string directory = std::move(directories.back());
      directories.pop_back();
      const auto names = files.List(directory);
      if (!names) return names.error();
      for (const std::string& name : *names) {
        if (++count > kMaxFiles) {
          return Error{"policy " + files.FullName(kImagesDirectory) +
                       " has too many files to search all of them for pins"};
        }
        if (name == "_default.json") continue;
        std::string repository = directory + "/" + name.substr(0, name.size() - kSuffix.size());
        repository.erase(0, kImagesDirectory.size() + 1);
        auto pinned = PinsOf(repository, "");
        if (!pinned) return pinned.error();
        if (!pinned->empty()) return std::optional<Pin>({repository, *std::move(pinned)});
      }
      auto below = files.ListDirectories(directory);
      if (!below) return below.error();
      for (const std::string& name : *below) directories.push_back(directory + "/" + name);
    }
    return std::optional<Pin>();
  }

 private:
  const ImageLayersOptions& options_;
  Digest& digest_;
};

}  // namespace

Result<std::optional<Pin>> FindPin(const engine::UnverifiedImage& image,
                                   const ImageLayersOptions& options, Digest& digest) {
  PinFinder finder(options, digest);
  for (const engine::Reference& name : image.names) {
    auto pinned = finder.PinsOf(name.repository, name.tag);
    if (!pinned) return pinned.error();
    if (pinned->empty()) continue;
    const std::string text = name.tag.empty() ? name.repository : name.repository + ":" + name.tag;
    return std::optional<Pin>({text, *std::move(pinned)});
  }
  for (const PolicyFiles* files : {options.own, options.shipped}) {
    if (!image.may_have_other_names || files == nullptr) continue;
    auto pin = finder.FindAny(*files);
    if (!pin || *pin) return pin;
  }
  return std::optional<Pin>();
}

}  // namespace runclad::policy
