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
};
inline constexpr std::size_t kMaxVolumes = 32;

Result<ImageConfig> ReadImageConfig(std::string_view config);

// The name of the layers as a stack; empty for none.
std::string ChainId(const std::vector<std::string>& diff_ids);

}  // namespace runclad::engine
