// A bundle: the directory that holds a container's config.json.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "runclad/base/result.hpp"
#include "runclad/base/unique_fd.hpp"

namespace runclad::sys {

class Bundle {
 public:
  // Opens the directory and reads its config.json (at most `max_bytes`), which must be a regular
  // file, no link, that root or we own and nobody else can write.
  static Result<Bundle> Open(const std::string& path, std::size_t max_bytes);

  // Absolute, links resolved: what the lower runtime calls the bundle.
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] const std::string& config() const { return config_; }

  // Replaces config.json in one step, owner and mode kept.
  [[nodiscard]] Status ReplaceConfig(std::string_view bytes) const;

 private:
  Bundle() = default;

  UniqueFd directory_;
  std::string path_;
  std::string config_;
  struct stat config_status_ {};
};

}  // namespace runclad::sys
