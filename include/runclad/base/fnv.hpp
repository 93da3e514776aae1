// FNV-1a of 64 bits, against accidents alone: whoever wants two texts with one value finds them.
#pragma once

#include <cstdint>
#include <string_view>

namespace runclad {

constexpr std::uint64_t Fnv1a(std::string_view bytes) {
  constexpr std::uint64_t kBasis = 0xcbf29ce484222325;
  constexpr std::uint64_t kPrime = 0x100000001b3;
  std::uint64_t hash = kBasis;
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * kPrime;
  return hash;
}

// The published value: http://www.isthe.com/chongo/src/fnv/test_fnv.c has it as 0x85944171f73967e8.
static_assert(Fnv1a("foobar") == 0x85944171f73967e8);

}  // namespace runclad
