// The decision log's line in the formats of other programs, so that what reads those reads runclad.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "runclad/policy/effective.hpp"

namespace runclad::enforce {

// Of a line: a finding has values of a whole document.
inline constexpr std::size_t kMaxLineDepth = 128;

// `line`, as LogLine made it:
//   json   as it is
//   falco  as Falco's json_output (docs: falco.org/docs/outputs/formatting): source "runclad", rule
//          the first rule that led to the decision
//   ocsf   an OCSF 1.3.0 Detection Finding (schema.ocsf.io/1.3.0/classes/detection_finding) with
//          the profiles host and security_control
// What has no place there is in output_fields as "runclad.…", or in unmapped. A line that cannot be
// read, which LogLine does not make, is returned as it is.
std::string InFormat(policy::LogFormat format, const std::string& line);

}  // namespace runclad::enforce
