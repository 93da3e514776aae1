// What probe containers and engines said.
#pragma once

#include <string>
#include <string_view>

#include "runclad/base/result.hpp"
#include "runclad/doctor/facts.hpp"

namespace runclad::doctor {

// From the line that ProbeFromInside() prints, anywhere in `output`.
Result<ProbeAnswer> ReadProbeAnswer(std::string_view output);

// The last line of a text, for messages.
std::string LastLineOf(std::string_view text);

}  // namespace runclad::doctor
