#pragma once

#include <string>
#include <vector>

#include "runclad/base/result.hpp"
#include "runclad/engine/identity.hpp"
#include "runclad/engine/layout.hpp"

namespace runclad::engine {

// Fills in what dockerd's own files say about the container's image; each is checked against the
// next: the container's record, its layer, the image's config. On an error `identity` may be half
// filled, and `identity.unverified` has what the files call the image.
Status IdentifyDocker(const Layout& layout, const Call& call, Identity& identity);

// An image that dockerd has mounted into the container as a volume, by the container's record.
struct DockerImageMount {
  std::string source;       // where it is mounted on the host
  std::string destination;  // in the container
  std::string typed;        // the image as it was asked for
  std::string image;        // the digest of its config or, in containerd's store, of its target
};

// Those of the container; none where its record cannot be read.
std::vector<DockerImageMount> FindDockerImageMounts(const Layout& layout);

// Fills in the image of one, its layer held against the image's config, as IdentifyDocker does.
Status IdentifyDockerMount(const Layout& layout, const DockerImageMount& mount, Identity& identity);

}  // namespace runclad::engine
