// Paths as text: absolute, without ".", ".." and empty names. Links are not followed.
#pragma once

#include <string_view>

namespace runclad {

// Whether `path` is `directory` (not "/") or lies below it.
constexpr bool IsAtOrBelow(std::string_view path, std::string_view directory) {
  return path.starts_with(directory) &&
         (path.size() == directory.size() || path[directory.size()] == '/');
}

// "/a/b" → "b"
constexpr std::string_view LastOf(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

// "/a/b" → "/a"; of "/a": "".
constexpr std::string_view AboveOf(std::string_view path) {
  return path.substr(0, path.rfind('/'));
}

}  // namespace runclad
