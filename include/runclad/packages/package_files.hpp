// The files of packages, by the databases of the package managers in an image.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "runclad/sys/rootfs.hpp"

namespace runclad::packages {

struct PackageFiles {
  // Absolute paths as the packages have them, directories among them, without documentation. None
  // for a package that is not installed.
  std::vector<std::string> files;
  // Databases that could not be read, or not whole, each with the reason.
  std::vector<std::pair<std::string, std::string>> unreadable;
};

// Of packages of dpkg, apk and rpm by these names.
PackageFiles FilesOf(const std::vector<std::string>& packages, const sys::Rootfs& rootfs);

}  // namespace runclad::packages
