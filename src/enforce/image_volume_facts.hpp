// The images that a container's mounts show, each with the policy for it.
#pragma once

#include <string>
#include <vector>

#include "runclad/base/result.hpp"
#include "runclad/enforce/facts.hpp"
#include "runclad/host/sources.hpp"
#include "runclad/oci/spec.hpp"
#include "runclad/policy/effective.hpp"
#include "runclad/rules/questions.hpp"

namespace runclad::enforce {

// Adds to `volumes`. `policy` is the container's own, for a request without `policy_of`. An
// error where the policy for such an image cannot be read.
Status GatherImageVolumes(const oci::Spec& spec, const host::ImagesBySource& images,
                          const policy::Effective& policy, const Request& request,
                          const std::string& pod_namespace,
                          std::vector<rules::ImageVolumeFacts>& volumes);

}  // namespace runclad::enforce
