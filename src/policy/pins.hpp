// Which pinned name an image may have that could not be verified.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runclad/base/result.hpp"

#include "image_layers.hpp"

namespace runclad::policy {

struct Pin {
  std::string name;                  // "docker.io/library/nginx:1.27", or the repository alone
  std::vector<std::string> digests;  // that the name is pinned to
};

// The first name of `image` whose file pins digests or, if the image may have names that could not
// be read, the first file that does. `digest` takes every text that was read.
Result<std::optional<Pin>> FindPin(const engine::UnverifiedImage& image,
                                   const ImageLayersOptions& options, Digest& digest);

}  // namespace runclad::policy
