// What an image's config blob says of its layers (OCI image spec, config.md).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runclad/base/result.hpp"

namespace runclad::engine {

// The digests of the uncompressed layers, from the lowest up; empty for an image of no layers.
Result<std::vector<std::string>> ReadDiffIds(std::string_view config);

// The name of the layers as a stack; empty for none.
std::string ChainId(const std::vector<std::string>& diff_ids);

}  // namespace runclad::engine
