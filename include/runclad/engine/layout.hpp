// Which engine called and where it keeps its state, determined from argv and the filesystem only:
// anyone may choose the container's annotations and environment.
#pragma once

#include <string>
#include <vector>

#include "runclad/engine/identity.hpp"

namespace runclad::engine {

// What the engine said on the command line.
struct Call {
  std::string id;
  std::string bundle;        // absolute
  std::string runtime_root;  // --root; empty when not given
  std::string rootfs;        // /root/path, absolute
};

// Directories are absolute and without links; empty where there is none.
struct Layout {
  Engine engine = Engine::kUnknown;
  std::string id;
  std::string bundle;
  // Docker: the data root; podman and CRI-O: the storage root (graphroot); BuildKit: the executor's
  // directory.
  std::string data_root;
  std::string storage_driver;    // podman and CRI-O: "overlay" of overlay-containers
  std::string containerd_root;   // containerd: /var/lib/containerd
  std::string containerd_state;  // Docker and containerd: /run/containerd
  // A record of this container that others than root could have written; nothing else of it is
  // here.
  std::string untrusted_record;
  std::vector<std::string> data_directories;  // every directory that holds the engine's own data
  std::vector<std::string> run_directories;   // and those with its sockets and running containers
  // Where the engine pins the namespaces that it makes.
  std::vector<std::string> namespace_directories;
};

// Never fails: what cannot be determined stays empty, and then no file counts as the engine's own.
Layout Discover(const Call& call);

}  // namespace runclad::engine
