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

  // What happens if somebody other than root could have written config.json.
  enum class Faults {
    kFail,  // an error
    kKeep,  // fault() says so; links are followed as the lower runtime follows them
  };

  // Opens the directory and reads its config.json (at most `max_bytes`). It must be a regular file,
  // not a link, owned by root or by us and writable only by the owner. The same applies to the
  // directory, except that podman gives it to the container's root if that is another user: then
  // `mapped_root` must return this user, and only root may be able to replace the directory itself.
  // Until TakeOwnership, that user can still replace config.json by another file of root's.
  static Result<Bundle> Open(const std::string& path, std::size_t max_bytes,
                             const FindMappedRoot& mapped_root = nullptr,
                             Faults faults = Faults::kFail);

  // Why the bundle is not to be trusted. None under Faults::kFail.
  [[nodiscard]] const std::optional<Error>& fault() const { return fault_; }

  // Absolute, links resolved: the lower runtime's name for the bundle.
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] const std::string& config() const { return config_; }

  // Takes back a directory that belongs to the mapped root: from then on, only we can add or
  // replace files in it. Its group, that of the mapped root, may still traverse it, because the
  // container's mounts have sources in it.
  [[nodiscard]] Status TakeOwnership() const;

  // Replaces config.json in one step, owner and mode kept.
  [[nodiscard]] Status ReplaceConfig(std::string_view bytes) const;

 private:
  Bundle() = default;

  UniqueFd directory_;
  bool belongs_to_mapped_root_ = false;
  std::string path_;
  std::string config_;
  std::optional<Error> fault_;
  struct stat config_status_ {};
};

}  // namespace runclad::sys
