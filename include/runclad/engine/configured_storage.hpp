// Where the engines on this host are configured to keep their storage, whichever of them calls.
#pragma once

#include <string>
#include <vector>

namespace runclad::engine {

// Absolute paths as written.
struct ConfiguredStorage {
  std::vector<std::string> data_directories;  // layers, volumes, databases
  std::vector<std::string> run_directories;   // sockets and running containers
  // Where podman keeps named volumes instead of in its storage: <directory>/<name>/_data.
  std::vector<std::string> volume_directories = {};
  // A clause: which file an engine may read and runclad could not, so that there may be other
  // directories: "line 3 of /etc/containers/storage.conf cannot be read as TOML"; empty: none.
  std::string unclear_because = {};
};

// From the configuration files of Docker, containerd, BuildKit, podman and CRI-O below
// `etc` and, for podman's defaults, `share`. They only ever add to what is denied, so that it does
// not matter who wrote them. What an engine was given on its command line is in none of them.
ConfiguredStorage FindConfiguredStorage(const std::string& etc = "/etc",
                                        const std::string& share = "/usr/share");

}  // namespace runclad::engine
