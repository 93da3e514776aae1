// What probe containers and engines said.
#pragma once

#include <string>
#include <string_view>

#include "runclad/base/result.hpp"
#include "runclad/doctor/facts.hpp"

namespace runclad::doctor {

// From the line that ProbeFromInside() prints, anywhere in `output`.
Result<ProbeAnswer> ReadProbeAnswer(std::string_view output);

// runclad's own sentence in what an engine said; empty: there is none.
std::string RefusalIn(std::string_view text);

// The last line of a text, for messages.
std::string LastLineOf(std::string_view text);

}  // namespace runclad::doctor
