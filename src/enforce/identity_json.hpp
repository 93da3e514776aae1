#pragma once

#include "runclad/base/result.hpp"
#include "runclad/engine/identity.hpp"
#include "runclad/json/value.hpp"
#include "runclad/policy/effective.hpp"

namespace runclad::enforce {

// The image as the log line and the record have it.
json::Document ToDocument(const engine::Identity& identity);
Result<engine::Identity> IdentityFrom(const json::Document& document);

// What the image brought into the policy: the names that counted, the files, what was cut from them
// and the waivers. Null when it brought nothing.
json::Document ImagePolicyDocument(const policy::Effective& policy);

}  // namespace runclad::enforce
