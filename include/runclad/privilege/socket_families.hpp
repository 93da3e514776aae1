// Address families of sockets, as people write them and as policies keep them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace runclad::privilege {

// "AF_VSOCK" for "VSOCK", "af_vsock" and "40"; a number without a known name stays a number ("46").
// None when it is neither: numbers are those of sa_family_t, 0 to 65535.
std::optional<std::string> CanonicalFamily(std::string_view text);

// The number of a canonical family: 40 for "AF_VSOCK", 46 for "46".
std::optional<std::uint16_t> FamilyNumber(std::string_view canonical);

// The canonical names of all families known here, in the order of their numbers.
std::span<const std::string_view> FamilyNames();

}  // namespace runclad::privilege
