// A package as rpm keeps it in its database: the header of its file, without the first 8 bytes.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace runclad::packages {

struct RpmPackage {
  std::string_view name;
  std::vector<std::string> files;  // absolute, directories among them
};

// With `wanted`, the files of packages of other names are left out. No value: no header.
std::optional<RpmPackage> ParseRpmHeader(std::string_view header,
                                         const std::vector<std::string>& wanted);

}  // namespace runclad::packages
