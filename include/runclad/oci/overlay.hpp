// The host directories that an overlay mount names in its options.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runclad/oci/spec.hpp"

namespace runclad::oci {

struct OverlayLayer {
  std::string path;
  bool is_lower = false;  // only ever read
};

// Nothing where the options cannot be read in one way only: escapes, relative paths.
std::optional<std::vector<OverlayLayer>> OverlayLayers(const Mount& mount);

}  // namespace runclad::oci
