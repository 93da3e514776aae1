// What is mounted and where: the key by which a line of one mount table is found in another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <unordered_map>

#include "runclad/enforce/promise.hpp"
#include "runclad/sys/mounts.hpp"

namespace runclad::enforce {

// The views are the table's.
struct MountSpot {
  std::string_view point;
  std::uint64_t file_system = 0;
  std::string_view root;
  friend bool operator==(const MountSpot&, const MountSpot&) = default;
};

inline MountSpot SpotOf(const sys::Mount& mount) {
  return {mount.point, mount.file_system, mount.root};
}

struct HashMountSpot {
  std::size_t operator()(const MountSpot& spot) const {
    constexpr std::size_t kPrime = 1000003;
    const std::hash<std::string_view> text;
    std::size_t hash = text(spot.point);
    hash = hash * kPrime ^ std::hash<std::uint64_t>()(spot.file_system);
    return hash * kPrime ^ text(spot.root);
  }
};

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

using SpotTable = std::unordered_map<MountSpot, SpotLines, HashMountSpot>;

}  // namespace runclad::enforce
