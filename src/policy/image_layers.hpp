// The policy layers of a container's image, found by its names and digests.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "runclad/base/result.hpp"
#include "runclad/policy/effective.hpp"

#include "digest.hpp"
#include "files.hpp"
#include "layer.hpp"

namespace runclad::policy {

struct ImageLayersOptions {
  const PolicyFiles* own = nullptr;      // the policy's directory; null: there is none
  const PolicyFiles* shipped = nullptr;  // files of images where `own` has none for the repository
  Format format;
  bool origins = false;
  std::int64_t today = 0;
};

// `policy` (the host's layers folded) with what the identity brings in; `digest` goes on over every
// text that was read.
Result<Effective> FoldImageLayers(Effective policy, const engine::Identity& identity,
                                  const ImageLayersOptions& options, Digest& digest);

}  // namespace runclad::policy
