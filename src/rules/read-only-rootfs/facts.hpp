// What read-only-rootfs asks of the image for itself.
#pragma once

#include <string>
#include <vector>

#include "runclad/base/result.hpp"
#include "runclad/rules/questions.hpp"
#include "runclad/rules/rule.hpp"

namespace runclad::rules::read_only_rootfs {

// A directory that the container's image is known to write to, but that the policy makes read-only.
struct WrittenDirectory {
  std::string path;
  std::string because;   // a predicate: "is declared as a volume by the image …"
  std::string resolved;  // links followed
};

// Gathered where the root becomes read-only.
struct ImageWrites {
  std::vector<WrittenDirectory> written;
  // Directories of the image that hold neither its programs nor the kernel's file systems,
  // resolved, and are not there for mount points alone. What the image writes is among them or
  // below.
  std::vector<std::string> state_directories;

  static Result<ImageWrites> Gather(const Asked& asked, const Destinations& destinations);
};

}  // namespace runclad::rules::read_only_rootfs
