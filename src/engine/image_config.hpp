// What an image's config blob says (OCI image spec, config.md).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "runclad/base/result.hpp"

namespace runclad::engine {

struct ImageConfig {
  // The digests of the uncompressed layers, from the lowest up; empty for an image of no layers.
  std::vector<std::string> diff_ids;
  // The absolute paths among config.Volumes, in the order of the text; at most kMaxVolumes.
  std::vector<std::string> volumes;
  bool has_rootfs = false;
};
inline constexpr std::size_t kMaxVolumes = 32;
// Of a config and of a manifest. Engines set no limit; labels and history make a config as large as
// its author likes. What is beyond this cannot be verified.
inline constexpr std::size_t kMaxImageDocumentBytes = std::size_t{32} << 20;

// Takes the members that count as Go does and passes over the rest, whatever it is. An error where
// one of these is there twice: engines' decoders merge the two.
Result<ImageConfig> ReadImageConfig(std::string_view config);

// The same of a blob that need not be an image's: what has no layers, or layers by another name
// than a sha256 digest, is no error.
Result<ImageConfig> ReadConfigBlob(std::string_view config);

// The name of the layers as a stack; empty for none.
std::string ChainId(const std::vector<std::string>& diff_ids);

}  // namespace runclad::engine
