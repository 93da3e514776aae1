#pragma once

#include <string>

#include "runclad/sys/mounts.hpp"

namespace runclad::sys {

// The name of the program that listens on a unix socket, "" if there is none. Connects to find out;
// the listener sees a client that sends nothing and disconnects.
std::string ListenerOf(const Located& socket);

}  // namespace runclad::sys
