// The lines of a container's mount table that are explained, by what is mounted and where.
#pragma once

#include <cstddef>
#include <unordered_map>

#include "runclad/enforce/promise.hpp"
#include "runclad/host/mount_spot.hpp"

namespace runclad::enforce {

// The lines of one spot that are explained: more than one where the same is mounted on itself.
class SpotLines {
 public:
  explicit SpotLines(std::size_t first) : first_(first) {}

  void Add(unsigned flags, bool is_mask) {
    flag_sets_ |= 1U << flags;
    has_mask_ = has_mask_ || is_mask;
  }
  [[nodiscard]] std::size_t first() const { return first_; }
  [[nodiscard]] bool has_mask() const { return has_mask_; }
  // Whether one of them has no flag but `flags`.
  [[nodiscard]] bool HasNoStricter(unsigned flags) const {
    for (unsigned set = 0; set <= kAllFlags; ++set) {
      if ((flag_sets_ >> set & 1) != 0 && (set & ~flags) == 0) return true;
    }
    return false;
  }

 private:
  static constexpr unsigned kAllFlags = kReadOnly | kNoSuid | kNoDev | kNoExec;

  std::size_t first_;
  unsigned flag_sets_ = 0;  // bit N: a line whose flags are N
  bool has_mask_ = false;
};

using SpotTable = std::unordered_map<host::MountSpot, SpotLines, host::HashMountSpot>;

}  // namespace runclad::enforce
