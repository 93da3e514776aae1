// What comes along with a bind that promises to hide it (PromisedMount::hides_submounts): podman's
// bind of the host's /sys.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_set>

#include "runclad/enforce/promise.hpp"
#include "runclad/sys/mounts.hpp"

namespace runclad::enforce {

class HiddenMounts {
 public:
  using Points = std::unordered_set<std::string_view>;

  // `masked` has the points of masks; it grows, and outlives this.
  HiddenMounts(const Promise& promise, const Points& masked);

  // The mount `id` has another one on its root.
  void AddCovered(std::uint64_t id) { covered_.insert(id); }

  // Whether `mount` came along with such a bind and has another one on its root; `below`: the
  // promised mount that explains what it is mounted on, if any. It is not the one that was promised
  // at its point then, although on cgroup v2 the host's tree could pass for the container's.
  [[nodiscard]] bool IsCovered(const sys::Mount& mount, const PromisedMount* below) const;

  // Whether the path is at or below a mask, or the container's own cgroups.
  [[nodiscard]] bool IsHidden(std::string_view path) const;

  // The points of the container's own cgroups above such a bind. That nothing but them is found
  // there has to be looked at.
  [[nodiscard]] const Points& covers() const { return covers_; }

 private:
  const Points& masked_;
  Points covers_;
  std::unordered_set<std::uint64_t> covered_;
};

}  // namespace runclad::enforce
