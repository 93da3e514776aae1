// A container's root filesystem seen from outside: its links lead nowhere but inside.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "runclad/base/result.hpp"
#include "runclad/base/unique_fd.hpp"

namespace runclad::sys {

class Rootfs {
 public:
  static Result<Rootfs> Open(const std::string& path);

  // `path` with every link followed as a process in the container would follow it; what does not
  // exist stays as written. Absolute, without "." and "..".
  [[nodiscard]] std::string Resolve(std::string_view path) const;

  // lstat of a resolved path; no value where nothing is there.
  [[nodiscard]] std::optional<struct stat> Examine(const std::string& resolved) const;

  // The bytes that the content of a resolved directory takes on a tmpfs (whole pages).
  [[nodiscard]] std::uint64_t ContentBytes(const std::string& resolved) const;

 private:
  explicit Rootfs(UniqueFd directory) : directory_(std::move(directory)) {}

  UniqueFd directory_;
};

}  // namespace runclad::sys
