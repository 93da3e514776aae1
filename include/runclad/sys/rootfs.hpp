// A container's root filesystem seen from outside: its links never lead outside it.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runclad/base/result.hpp"
#include "runclad/base/unique_fd.hpp"

namespace runclad::sys {

// What is below a directory.
struct DirectoryContent {
  std::uint64_t bytes = 0;  // on a tmpfs (whole pages)
  std::string special;      // a FIFO, socket or device: "/directory/fifo"; empty: there is none
};

class Rootfs {
 public:
  static Result<Rootfs> Open(const std::string& path);

  // `path` with every link followed as a process in the container would follow it; what does not
  // exist stays as written, and so does a link after 255 others (runc follows so many, the kernel
  // 40). Absolute, without "." and "..". The time is linear in the components of the path and of
  // the links. An error where the path, or what it leads to, is too long for the kernel, and once
  // more than half a million names were looked up in this root filesystem.
  [[nodiscard]] Result<std::string> Resolve(std::string_view path) const;

  // lstat of a resolved path; no value where nothing is there.
  [[nodiscard]] std::optional<struct stat> Examine(const std::string& resolved) const;

  // The content of a resolved path, a regular file of at most `max_bytes`.
  [[nodiscard]] Result<std::string> Read(const std::string& resolved, std::size_t max_bytes) const;

  // The names in a resolved directory, sorted, at most `max_names`; none where it is no directory.
  [[nodiscard]] std::vector<std::string> List(const std::string& resolved,
                                              std::size_t max_names) const;

  // Opens a resolved path; an error where a link stands by now.
  [[nodiscard]] Result<UniqueFd> OpenResolved(const std::string& resolved, int flags) const;

  [[nodiscard]] DirectoryContent Measure(const std::string& resolved) const;

 private:
  explicit Rootfs(UniqueFd directory) : directory_(std::move(directory)) {}

  UniqueFd directory_;
  mutable std::size_t looked_up_ = 0;  // names, by Resolve
};

}  // namespace runclad::sys
