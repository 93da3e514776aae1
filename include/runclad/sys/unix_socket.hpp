#pragma once

#include <string>

#include "runclad/sys/mounts.hpp"

namespace runclad::sys {

// The name of the program that listens on a unix socket, "" when nobody does. Asks by connecting;
// the listener sees a client that says nothing and goes.
std::string ListenerOf(const Located& socket);

}  // namespace runclad::sys
