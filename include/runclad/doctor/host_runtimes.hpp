// The OCI runtimes of a host, and who can choose them: for doctor, `close` and `open`.
#pragma once

#include <string>
#include <vector>

#include "runclad/doctor/facts.hpp"

namespace runclad::doctor {

// Whether runclad can stand in the place of this program: it takes the command lines of runc and
// crun.
bool CanBeClosed(const std::string& program);

// Every runtime in the places where engines look, open ones and closed ones; `program`: runclad's.
std::vector<HostRuntime> FindRuntimes(const std::string& program);

// How users of the engines get containers of the runtime `file` of FindRuntimes, "docker run
// --runtime runc". The checks of doctor's category `roads` report the same.
std::vector<std::string> WaysTo(const RoadFacts& roads, const std::string& file);

}  // namespace runclad::doctor
