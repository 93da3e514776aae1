// Passwords in mount options (cifs, ceph), which must not be logged, recorded or shown.
#pragma once

#include <string_view>

#include "runclad/json/value.hpp"
#include "runclad/oci/spec.hpp"

namespace runclad::enforce {

// Whether some mount has an option with a secret: nearly no document does.
bool HasSecrets(const oci::Spec& spec);

// A copy of what a finding has at `path` (a JSON pointer) in which "(hidden)" stands for each
// secret of a mount option. Values outside of /mounts are returned as they are.
json::Value WithoutSecrets(std::string_view path, json::Value value);

}  // namespace runclad::enforce
