// A place that protects checked files from replacement: they are bound there in a private mount
// namespace, so that the program that we exec finds exactly these files, whatever happens to the
// original names.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "runclad/base/result.hpp"
#include "runclad/sys/file.hpp"

namespace runclad::sys {

class Staging {
 public:
  // Moves this process to a mount namespace of its own, where an empty tmpfs covers `place`, a
  // directory. No other namespace sees the tmpfs or what is bound in it; every other mount keeps
  // its propagation, but that what is mounted later on the mount that has `place` is not seen
  // outside either.
  static Result<Staging> Open(const std::string& place);

  // Binds the file at `path`, absolute and without links, and everything mounted below it; gives
  // the new path. An error where a file other than `expected` is there by now.
  Result<std::string> Bind(const std::string& path, const Inode& expected);

  // Covers the regular file at `path` by one with `bytes`: the file itself stays as it is, and is
  // what every other namespace sees.
  Status Cover(const std::string& path, std::string_view bytes);

 private:
  explicit Staging(std::string place) : place_(std::move(place)) {}

  // A file or directory of our own to bind something on.
  Result<std::string> MakeMountPoint(bool is_directory);

  std::string place_;
  int next_ = 0;
};

}  // namespace runclad::sys
