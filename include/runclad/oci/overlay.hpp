// The host directories that an overlay mount names in its options.
#pragma once

#include <map>
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

// The options with the lower layers that `places` names put in the place that it has for them.
// OverlayLayers must have been able to read them.
std::vector<std::string> ReplaceLowerLayers(const std::vector<std::string>& options,
                                            const std::map<std::string, std::string>& places);

}  // namespace runclad::oci
