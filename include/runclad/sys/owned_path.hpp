#pragma once

#include <sys/stat.h>

#include <functional>
#include <string>

namespace runclad::sys {

// Whether nobody but root (or our own user) could have put what is at `path`, absolute and without
// links: it and every directory above it are root's, writable by nobody else, or sticky as /tmp is.
bool OnlyRootCouldReplace(const std::string& path);

// Whether the same holds for every link that `path` leads through. False where one leads through
// more than 40.
bool OnlyRootCouldRedirect(const std::string& path);

// One name on the way along a path: the directory in which it is looked up, without links, and what
// stands there, which may be a link.
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
