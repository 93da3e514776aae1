// Image files of one image that were learned on several hosts.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "runclad/base/result.hpp"

namespace runclad::learn {

struct Merged {
  struct Line {
    std::string text;                  // "CAP_CHOWN", "writable /var/cache/nginx"
    std::vector<std::string> origins;  // the files that have it
  };
  std::vector<Line> lines;
  std::string image_file;  // the union, JSON, whose provenance names each line's files
};

// `files`: names and texts. An error: one is not an image file as `learn` writes it, or has rules
// of which a union is not the sum (deny lists, actions).
Result<Merged> MergeImageFiles(const std::vector<std::pair<std::string, std::string>>& files);

}  // namespace runclad::learn
