// What may be a secret in a document and must not be logged, recorded or shown: values of mount
// options (cifs, ceph, sshfs), passwords in a mount's source, annotations.
#pragma once

#include <string_view>

#include "runclad/json/value.hpp"
#include "runclad/oci/spec.hpp"

namespace runclad::enforce {

// Whether the document has any: a container of Docker's mostly has none.
bool HasSecrets(const oci::Spec& spec);

// A copy of what a finding has at `path` (a JSON pointer) in which "(hidden)" stands for each value
// that may be a secret. Values outside of /mounts and /annotations are returned as they are.
json::Value WithoutSecrets(std::string_view path, json::Value value);

}  // namespace runclad::enforce
