// Where the engines on this host are configured to keep their storage, whichever of them calls.
#pragma once

#include <string>
#include <vector>

namespace runclad::engine {

// Absolute paths as written.
struct ConfiguredStorage {
  std::vector<std::string> data_directories;  // layers, volumes, databases
  std::vector<std::string> run_directories;   // sockets and running containers
};

// From the configuration files of Docker, containerd, BuildKit, podman and CRI-O below `etc`. Files
// that users other than root could have written, that are larger than 1 MiB or that cannot be read
// are left out. What an engine was given on its command line is in none of them.
ConfiguredStorage FindConfiguredStorage(const std::string& etc = "/etc");

}  // namespace runclad::engine
