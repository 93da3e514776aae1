// The images that the engines of this host have under a name, without a container of it.
#pragma once

#include <string>
#include <vector>

#include "runclad/engine/identity.hpp"
#include "runclad/engine/reference.hpp"

namespace runclad::engine {

struct NamedImage {
  std::string store;                 // "Docker's store /var/lib/docker"
  std::vector<std::string> digests;  // each of them enough to know the image by; not empty
  // Where it was found: Docker's own store, containerd's, or that of podman and CRI-O (kPodman).
  Engine engine = Engine::kUnknown;
  std::string root = {};
  std::string driver = {};      // "overlay2"; empty for containerd
  std::string name_space = {};  // containerd's
};

// Directories of engines' stores.
struct Stores {
  std::vector<std::string> docker = {"/var/lib/docker"};
  std::vector<std::string> containerd = {"/var/lib/containerd"};
  std::vector<std::string> storage = {"/var/lib/containers/storage"};
};

// What has the name `reference` (without a tag: latest) in one of `stores`. An image is listed once
// for each store, and for each namespace of containerd. A store that cannot be read, or that users
// other than root could have written, has none.
std::vector<NamedImage> FindNamedImages(Reference reference, const Stores& stores = {});

}  // namespace runclad::engine
