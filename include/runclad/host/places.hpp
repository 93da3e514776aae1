// Where the paths of a document lead in the container.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "runclad/host/facts.hpp"
#include "runclad/oci/spec.hpp"

namespace runclad::host {

struct Places {
  // Of /mounts/*/destination as written, through what is mounted before it.
  std::map<std::string, std::string> destinations;
  // Of these: a predicate that says why the runtime may mount elsewhere.
  std::map<std::string, std::string> uncertain_destinations;
  std::optional<PlaceFacts> working_directory;  // none: relative, or without a process
  // By /linux/maskedPaths/* and /linux/readonlyPaths/* as written.
  std::map<std::string, PlaceFacts> hardened_paths;
};

// `root`: of a container that is to be made; nothing is found where it is missing.
Places FindPlaces(const oci::Spec& spec, const std::string& root, const std::string& bundle);

// The working directory of a process in a running container, whose root is /proc/PID/root. None:
// it is relative.
std::optional<PlaceFacts> FindWorkingDirectory(const oci::Spec& process, const std::string& root);

}  // namespace runclad::host
