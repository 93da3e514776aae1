// Which image a container is made of, out of containerd's metadata and content store.
#pragma once

#include <string>
#include <string_view>

#include "runclad/base/result.hpp"
#include "runclad/engine/identity.hpp"
#include "runclad/engine/layout.hpp"
#include "runclad/engine/pod.hpp"

namespace runclad::engine {

// Of a container that ctr, nerdctl or Kubernetes made. On an error `identity` may be half filled.
Status IdentifyContainerd(const Layout& layout, const Call& call, Identity& identity, Pod& pod);

// A container whose record is another engine's (Docker with the containerd image store) and whose
// files are a snapshot in containerd.
struct Snapshot {
  std::string containerd_root;
  std::string name_space;   // "moby"
  std::string snapshotter;  // Docker's storage driver, "overlayfs"
  std::string key;          // the container's id
  std::string target;  // the digest of the image's index or manifest, as Docker's record has it
};

// Fills in the digests of such a container and its names, all of Tier::kTag; `typed` is what it was
// asked for with.
Status IdentifySnapshot(const Snapshot& snapshot, std::string_view typed, Identity& identity);

// The image that the CRI plugin has mounted at `point` for the pod of `layout`'s container: it is a
// snapshot of that name. `target`: the digest of the image's index or manifest.
Status IdentifyMountedSnapshot(const Layout& layout, const std::string& point,
                               const std::string& target, Identity& identity);

}  // namespace runclad::engine
