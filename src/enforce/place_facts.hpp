// Where the paths of a document lead in the container.
#pragma once

#include <string>

#include "runclad/oci/spec.hpp"
#include "runclad/rules/facts.hpp"

namespace runclad::enforce {

// Fills in resolved_destinations of the mounts, uncertain_destinations, working_directory and
// hardened_paths. `root`: of a container that is to be made; nothing is said where it is missing.
void GatherPlaces(const oci::Spec& spec, const std::string& root, const std::string& bundle,
                  rules::Facts& facts);

// The working directory of a process in a running container, whose root is /proc/PID/root.
void GatherWorkingDirectory(const oci::Spec& process, const std::string& root, rules::Facts& facts);

}  // namespace runclad::enforce
