#pragma once

#include <sys/stat.h>

#include <functional>
#include <string>

namespace runclad::sys {

// Whether only root (or our own user) could have created what is at `path`, which is absolute and
// without links: it and every directory above it belong to root and are writable only by root, or
// are sticky like /tmp.
bool OnlyRootCouldReplace(const std::string& path);

// Whether the same applies to every link that `path` leads through. False if it leads through more
// than 40.
bool OnlyRootCouldRedirect(const std::string& path);

// One step of a path lookup: the directory in which the name is looked up, without links, and the
// entry, which may be a link.
struct Step {
  const std::string& directory;
  const struct stat& directory_status;
  const struct stat& entry_status;
};

enum class Way {
  kComplete,
  kStopped,  // by the visitor
  kMissing,  // a name on it could not be examined
  kTooLong,  // more than 40 links
};

// Follows `path`, absolute, as the kernel does, and calls `visit` for each name until it returns
// false.
Way FollowPath(const std::string& path, const std::function<bool(const Step&)>& visit);

}  // namespace runclad::sys
