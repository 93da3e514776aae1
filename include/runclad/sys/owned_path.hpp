#pragma once

#include <string>

namespace runclad::sys {

// Whether nobody but root (or our own user) could have put what is at `path`, absolute and without
// links: it and every directory above it are root's, writable by nobody else, or sticky as /tmp is.
bool OnlyRootCouldReplace(const std::string& path);

// Whether the same holds for every link that `path` leads through. False where one leads through
// more than 40.
bool OnlyRootCouldRedirect(const std::string& path);

}  // namespace runclad::sys
