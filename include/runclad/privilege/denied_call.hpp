// System calls that are denied with certain arguments only, as policies and SeccompTuning::deny
// write them:
//
//   setsockopt arg1==41 arg2==64
//   clone arg0&0x10000000==0x10000000
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runclad/base/result.hpp"
#include "runclad/privilege/seccomp.hpp"

namespace runclad::privilege {

// Where all comparisons hold. What the kernel would take for the same number is denied, too: the
// upper halves of arguments do not count, where the kernel may take the lower 32 bits alone.
struct DeniedCall {
  std::string name;
  std::vector<SeccompArgument> arguments;  // each compared once
  friend bool operator==(const DeniedCall&, const DeniedCall&) = default;
};

// Arguments are counted from 0, and numbers are decimal or hexadecimal. Errors are sentences
// without the name of the list.
Result<DeniedCall> ParseDeniedCall(std::string_view text);

// Why it cannot be denied: a comparison that always or never holds, one of more than 32 bits, two
// of one argument. Empty: it can.
std::string WhyNotDenied(const DeniedCall& call);

// The one way to write it.
std::string ToText(const DeniedCall& call);

}  // namespace runclad::privilege
