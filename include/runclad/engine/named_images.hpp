// The images that the engines of this host have under a name, without a container of it.
#pragma once

#include <string>
#include <vector>

#include "runclad/engine/reference.hpp"

namespace runclad::engine {

struct NamedImage {
  std::string store;                 // "Docker's store /var/lib/docker"
  std::vector<std::string> digests;  // each of them enough to know the image by; not empty
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
