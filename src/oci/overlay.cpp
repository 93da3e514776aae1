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

bool NamesLowerLayers(std::string_view option) {
  return option == "lowerdir" || option == "lowerdir+" || option == "datadir+";
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
      if (NamesLowerLayers(name)) {
        Split(value, ':', [&](std::string_view path) { add(path, true); });
      } else if (name == "upperdir" || name == "workdir") {
        add(value, false);
      }
    });
  }
  if (!is_clear) return std::nullopt;
  return layers;
}

std::vector<std::string> ReplaceLowerLayers(const std::vector<std::string>& options,
                                            const std::map<std::string, std::string>& places) {
  std::vector<std::string> replaced;
  for (const std::string& text : options) {
    std::string& result = replaced.emplace_back();
    Split(text, ',', [&](std::string_view option) {
      if (!result.empty()) result += ',';
      const std::size_t equals = option.find('=');
      if (equals == std::string_view::npos || !NamesLowerLayers(option.substr(0, equals))) {
        result += option;
        return;
      }
      result += option.substr(0, equals + 1);
      bool is_first = true;
      Split(option.substr(equals + 1), ':', [&](std::string_view path) {
        if (!is_first) result += ':';
        is_first = false;
        const auto place = places.find(std::string(path));
        result += place == places.end() ? path : std::string_view(place->second);
      });
    });
  }
  return replaced;
}

}  // namespace runclad::oci
