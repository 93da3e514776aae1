// What hidden-paths found in an image, kept under /var/lib/runclad/hidden: an image never changes.
#pragma once

#include <optional>
#include <string>

#include "runclad/base/result.hpp"
#include "runclad/engine/identity.hpp"
#include "runclad/host/hidden_files.hpp"
#include "runclad/store/state_directory.hpp"
#include "runclad/sys/rootfs.hpp"

namespace runclad::store {

class HiddenCache {
 public:
  // What `lists` find in the image, which has to be known; for other lists in the policy,
  // another engine or another version of runclad it is another answer.
  HiddenCache(const engine::Identity& image, const host::HiddenLists& lists,
              std::string state_directory = kStateDirectory);

  // No value: nothing is kept, or what is there is cut off or could be another's than root's.
  [[nodiscard]] std::optional<host::HiddenFacts> Find() const;

  // For facts of the image alone, never of what a container made of it. Removes the oldest where
  // there are more than 256, at most 64 at a time.
  [[nodiscard]] Status Keep(const host::HiddenFacts& facts) const;

 private:
  std::string state_directory_;
  std::string question_;
  std::string file_name_;
};

// The image of a living container, by its engine's own state.
struct HiddenImage {
  const engine::Identity& identity;
  std::string root;  // the container's root directory
  std::string state_directory = kStateDirectory;
};

// host::FindHidden, from what is kept of a known image while the container has changed nothing.
// What is hidden in the image stays hidden under its name in a container that did.
Result<host::HiddenFacts> FindHidden(const host::HiddenLists& lists, const sys::Rootfs& rootfs,
                                     const HiddenImage& image);

}  // namespace runclad::store
