// Findings that the operator knows of: they are reported, and no longer count.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runclad/base/result.hpp"
#include "runclad/doctor/doctor.hpp"

namespace runclad::doctor {

struct Acknowledgement {
  std::string check;    // "runtime/known-holes"
  std::string subject;  // as doctor reports it; empty: every subject
  std::string reason;
  std::string until;  // "2027-03-31", the last day
};

// {"acknowledged": [{"check", "subject", "reason", "until"}]}; only "subject" may be missing.
Result<std::vector<Acknowledgement>> ParseAcknowledgements(std::string_view text);

// Those in doctor.json of the directory, which only root may be able to write; none if there is no
// such file.
Result<std::vector<Acknowledgement>> ReadAcknowledgements(const std::string& directory);

// Marks the findings that are acknowledged on `today` (days since 1970-01-01). Returns the
// acknowledgements that have ended and, if every check was made, those that fit no finding.
std::vector<AcknowledgementFault> Acknowledge(const std::vector<Acknowledgement>& acknowledgements,
                                              std::int64_t today, bool is_every_check,
                                              std::vector<CheckResult>& results);

}  // namespace runclad::doctor
