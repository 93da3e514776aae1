// What hidden-paths would hide in an image, and what it must leave.
#pragma once

#include <string>

#include "runclad/base/result.hpp"
#include "runclad/enforce/state_directory.hpp"
#include "runclad/engine/identity.hpp"
#include "runclad/policy/effective.hpp"
#include "runclad/rules/facts.hpp"
#include "runclad/sys/rootfs.hpp"

namespace runclad::enforce {

// The image of a living container, by its engine's own state.
struct HiddenImage {
  const engine::Identity& identity;
  std::string root;  // the container's root directory
  std::string state_directory = kStateDirectory;
};

// `setting` is hidden-paths' own; nothing is looked at while its lists are empty.
// An error where the image's files are too many to be looked up.
Result<rules::HiddenFacts> GatherHidden(const policy::RuleSetting& setting,
                                        const sys::Rootfs& rootfs);

// The same, from what is kept of a known image while the container has changed nothing. What is
// hidden in the image stays hidden under its name in a container that did.
Result<rules::HiddenFacts> GatherHidden(const policy::RuleSetting& setting,
                                        const sys::Rootfs& rootfs, const HiddenImage& image);

}  // namespace runclad::enforce
