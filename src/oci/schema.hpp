// The members that the OCI runtime spec (1.3) knows, object by object, with their types.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runclad/base/result.hpp"
#include "runclad/json/value.hpp"

namespace runclad::oci {

// Holds `document` against the spec's types, and drops members that are null (Go reads null over a
// field as "not there"). An error where a member's type is wrong, an array holds null, or a name is
// another spelling of a known one: Go matches names without regard to case, so it would count.
// Also an error: a path, or the name of the program, that is longer than the kernel takes.
// Adds to `unknown` the pointers of the members that the spec does not have.
Status CheckConfig(json::Document& document, std::vector<std::string>& unknown);
// That every comparison in /linux/seccomp has one of the spec's operators (spec_seccomp.cpp).
Status CheckSeccompOperators(const json::Document& document);
Status CheckProcess(json::Document& document, std::vector<std::string>& unknown);

}  // namespace runclad::oci
