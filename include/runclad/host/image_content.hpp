// Whether a container's root filesystem is its image's, or was written to already.
#pragma once

#include <string>

namespace runclad::host {

// True where `root` is an overlay mount whose upper layer holds nothing but places for the engine's
// own mounts in /etc: nobody has changed, added or removed a file. False if that cannot be
// determined: other storage drivers.
bool IsAsInImage(const std::string& root);

}  // namespace runclad::host
