// A bundle: the directory that holds a container's config.json.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "runclad/base/result.hpp"
#include "runclad/base/unique_fd.hpp"

namespace runclad::sys {

class Bundle {
 public:
  // The uid on the host of the root of the user namespace that a config.json asks for; no value
  // where it asks for none.
  using FindMappedRoot = std::function<std::optional<uid_t>(const std::string& config)>;

  // Opens the directory and reads its config.json (at most `max_bytes`), which must be a regular
  // file, no link, that root or we own and nobody else can write. The same holds for the directory,
  // which podman gives to the container's root where that is another user: `mapped_root` is asked
  // for it then, and nobody else may be able to replace the directory itself. Until TakeOwnership
  // that user can still exchange config.json for another file of root's.
  static Result<Bundle> Open(const std::string& path, std::size_t max_bytes,
                             const FindMappedRoot& mapped_root = nullptr);

  // Absolute, links resolved: what the lower runtime calls the bundle.
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] const std::string& config() const { return config_; }

  // Makes a directory that is the mapped root's our own again: from then on nobody else can put
  // anything into it, or exchange what is in it. Its group, the mapped root's, may still pass
  // through it: the container's mounts have sources in there.
  [[nodiscard]] Status TakeOwnership() const;

  // Replaces config.json in one step, owner and mode kept.
  [[nodiscard]] Status ReplaceConfig(std::string_view bytes) const;

 private:
  Bundle() = default;

  UniqueFd directory_;
  bool is_mapped_roots_ = false;
  std::string path_;
  std::string config_;
  struct stat config_status_ {};
};

}  // namespace runclad::sys
