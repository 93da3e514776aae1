// The flags that a promise is about (MountFlag), of a line of a mount table.
#pragma once

#include <string>

#include "runclad/sys/mounts.hpp"

namespace runclad::enforce {

unsigned FlagsOf(const sys::Mount& mount);

// "ro, nosuid"
std::string NamesOf(unsigned flags);

}  // namespace runclad::enforce
