// What the files of a host say of its engines. `root`: "" but for tests.
#pragma once

#include <string>

#include "runclad/doctor/facts.hpp"

namespace runclad::doctor {

// From /proc: engines of other users, programs with an engine inside, a kubelet.
void ReadProcesses(const std::string& root, RoadFacts& roads);
// From /proc/net/unix: the sockets on which engines listen. After the engines and the processes.
void ReadSockets(const std::string& root, RoadFacts& roads);
// The files that set variables for everyone, and our own environment.
void ReadChrootSettings(const std::string& root, RoadFacts& roads);

}  // namespace runclad::doctor
