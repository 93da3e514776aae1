// Where names lead. What does not exist, or cannot be looked at, leads nowhere: the answer is
// empty, or false.
#pragma once

#include <string>

namespace runclad::sys {

// What the link says, as it is written.
std::string ReadLink(const std::string& path);

// The absolute path of what exists there, without links.
std::string Canonical(const std::string& path);

// A regular file itself, and no link to one.
bool IsFile(const std::string& path);

}  // namespace runclad::sys
