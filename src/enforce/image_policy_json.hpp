// What a container's image brought into its policy, as log lines and records have it.
#pragma once

#include "runclad/json/value.hpp"
#include "runclad/policy/effective.hpp"

namespace runclad::enforce {

// What the image brought into the policy: the names that counted, the files, what was cut from them
// and the waivers. Null when it brought nothing.
json::Document ImagePolicyDocument(const policy::Effective& policy);

}  // namespace runclad::enforce
