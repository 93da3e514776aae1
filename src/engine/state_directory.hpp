// An engine's directory on disk, read without trusting who created its content.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "runclad/base/result.hpp"
#include "runclad/base/unique_fd.hpp"

namespace runclad::engine {

class StateDirectory {
 public:
  // `path`: absolute and without links; it and everything above it must be modifiable only by root.
  static Result<StateDirectory> Open(const std::string& path);

  // The directory at `path` below this one, as trusted, for several files in it.
  [[nodiscard]] Result<StateDirectory> Below(const std::string& path) const;

  // What is at `path` ("image/overlay2/repositories.json") below the directory: no component may be
  // a link, or be writable by others than root; the last one is a regular file of at most
  // `max_bytes`. Errors name the file.
  [[nodiscard]] Result<std::string> Read(const std::string& path, std::size_t max_bytes) const;

  // The same; no value where a component of the path does not exist.
  [[nodiscard]] Result<std::optional<std::string>> ReadIfPresent(const std::string& path,
                                                                 std::size_t max_bytes) const;

  // The same as Read, opened for reading (a database that is read in pieces).
  [[nodiscard]] Result<UniqueFd> OpenFile(const std::string& path) const;
  // The same; no value where a component of the path does not exist.
  [[nodiscard]] Result<std::optional<UniqueFd>> OpenFileIfPresent(const std::string& path) const;

 private:
  StateDirectory(std::string path, UniqueFd directory)
      : path_(std::move(path)), directory_(std::move(directory)) {}

  std::string path_;
  UniqueFd directory_;
};

}  // namespace runclad::engine
