// Running containers that runclad has no record of.
#pragma once

#include <string>

#include "runclad/doctor/facts.hpp"
#include "runclad/host/running.hpp"

namespace runclad::doctor {

// "web (0123456789ab)", or the beginning of the id.
std::string ShownName(const host::RunningContainer& container);

// By where its engine keeps its bundle, and the annotations in there. `program`: runclad's.
UnrecordedFact Unrecorded(const host::RunningContainer& container, const std::string& program);

}  // namespace runclad::doctor
