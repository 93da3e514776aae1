// Ids of users and groups as policies write them, in plain decimal.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace runclad {

struct IdRange {
  std::uint32_t first = 0;
  std::uint32_t last = 0;  // inclusive

  [[nodiscard]] bool Holds(std::uint32_t id) const { return first <= id && id <= last; }
};

// "1000", "1000-65535". The id 4294967295 is none: the kernel's calls take it for "no change".
std::optional<IdRange> ParseIdRange(std::string_view text);
std::string ToString(const IdRange& range);

struct UserAndGroup {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
};

// "1000:1000"
std::optional<UserAndGroup> ParseUserAndGroup(std::string_view text);

}  // namespace runclad
