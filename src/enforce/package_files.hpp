// The files of a package, by the database of its package manager in an image.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runclad/sys/rootfs.hpp"

namespace runclad::enforce {

class PackageFiles {
 public:
  explicit PackageFiles(const sys::Rootfs& rootfs) : rootfs_(rootfs) {}

  // Absolute paths as the package has them, directories among them where dpkg lists them, without
  // documentation. None for a package that is not installed.
  std::vector<std::string> Of(const std::string& package);

  // There are packages that cannot be looked up: a database of rpm.
  [[nodiscard]] bool HasUnreadable() const;

 private:
  const std::string& Apk();

  const sys::Rootfs& rootfs_;
  std::optional<std::string> apk_;  // its database, once read
};

}  // namespace runclad::enforce
