// What a service could need, judging by the changes that it made.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "runclad/learn/minimise.hpp"
#include "runclad/look/drift.hpp"

namespace runclad::learn {

// The directories that the profile makes writable in every container.
inline constexpr const char* kAlwaysWritable[] = {"/tmp", "/var/tmp", "/run"};

struct Places {
  std::vector<std::string> writable;  // outermost first; none is in another
  std::vector<std::string> programs;  // where files that can run were added
  std::vector<std::string> notes;     // changes that no grant covers
};
// Derived from the changes to a writable root filesystem. `mounts`: mount points, which need no
// grant.
Places PlacesOf(std::span<const look::Drift> drifts, std::span<const std::string> mounts);

// Adds the directories of the image in which something was made and removed again: in `upper`, the
// directory of the container's changes, they are empty.
void AddTouched(const std::string& upper, look::Drift& drift);

// Groups for Minimise, what is rarely needed first and together; of capabilities those in `mask`.
// `used`: those that were seen to be used, if that is known.
std::vector<Grants> GroupsOf(const Places& places, std::uint64_t mask,
                             const std::optional<std::uint64_t>& used = std::nullopt);

}  // namespace runclad::learn
