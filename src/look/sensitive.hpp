// What of the host makes a container the host when it is mounted.
#pragma once

#include "runclad/look/container.hpp"

namespace runclad::look {

// The API socket of an engine.
bool IsEngineSocket(const MountState& mount);
// Such a socket, or a directory like /, /etc or an engine's storage.
bool IsSensitive(const MountState& mount);
// A file or directory that an engine makes for the container: volumes, /etc/hosts, /dev/shm.
bool IsOfEngine(const MountState& mount);

}  // namespace runclad::look
