// What is mounted and where: the key by which a line of one mount table is found in another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

#include "runclad/sys/mounts.hpp"

namespace runclad::host {

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

}  // namespace runclad::host
