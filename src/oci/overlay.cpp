#include "runclad/oci/overlay.hpp"

#include <algorithm>
#include <string_view>

namespace runclad::oci {
namespace {

// Calls `visit` with each part of `text` between two separators.
template <typename Visit>
void Split(std::string_view text, char separator, Visit visit) {
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(separator, begin), text.size());
    visit(text.substr(begin, end - begin));
    begin = end + 1;
  }
}

}  // namespace

std::optional<std::vector<OverlayLayer>> OverlayLayers(const Mount& mount) {
  std::vector<OverlayLayer> layers;
  bool is_clear = true;
  const auto add = [&](std::string_view path, bool is_lower) {
    if (path.empty()) return;  // "::" stands before layers that only hold data
    if (!path.starts_with('/')) is_clear = false;
    layers.push_back({std::string(path), is_lower});
  };
  for (const std::string& options : mount.options) {
    // The kernel gets the options as one text with commas between them.
    Split(options, ',', [&](std::string_view option) {
      const std::size_t equals = option.find('=');
      if (equals == std::string_view::npos) return;
      const std::string_view name = option.substr(0, equals);
      const std::string_view value = option.substr(equals + 1);
      // A backslash escapes the separators, in different ways in different kernels.
      if (value.find('\\') != std::string_view::npos) is_clear = false;
      if (name == "lowerdir" || name == "lowerdir+" || name == "datadir+") {
        Split(value, ':', [&](std::string_view path) { add(path, true); });
      } else if (name == "upperdir" || name == "workdir") {
        add(value, false);
      }
    });
  }
  if (!is_clear) return std::nullopt;
  return layers;
}

}  // namespace runclad::oci
