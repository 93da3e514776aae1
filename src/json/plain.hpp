// How far a text stands for itself in a JSON string: printable ASCII without " and \.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace runclad::json {

inline constexpr unsigned char kFirstBeyondAscii = 0x80;
inline constexpr unsigned char kFirstPrintable = 0x20;

// Whether a byte stands for itself in a string.
inline constexpr std::array<bool, 256> kIsPlain = [] {
  std::array<bool, 256> plain{};
  for (std::size_t byte = kFirstPrintable; byte < kFirstBeyondAscii; ++byte) plain[byte] = true;
  plain['"'] = false;
  plain['\\'] = false;
  return plain;
}();

// The first byte in [begin, end) that does not stand for itself, or `end`. Eight bytes at a time,
// as most of what is read and written is strings.
inline const char* EndOfPlain(const char* begin, const char* end) {
  const auto in_each_byte = [](std::uint64_t byte) { return byte * 0x0101010101010101U; };
  const std::uint64_t high_bits = in_each_byte(0x80);
  const auto zeros = [&](std::uint64_t word) { return (word - in_each_byte(1)) & ~word; };
  if constexpr (std::endian::native == std::endian::little) {
    while (static_cast<std::size_t>(end - begin) >= sizeof(std::uint64_t)) {
      std::uint64_t word = 0;
      std::memcpy(&word, begin, sizeof word);
      // Borrows affect only bytes after the first match, and only the first match counts.
      const std::uint64_t odd =
          (word | ((word - in_each_byte(kFirstPrintable)) & ~word) |
           zeros(word ^ in_each_byte('"')) | zeros(word ^ in_each_byte('\\'))) &
          high_bits;
      if (odd != 0) return begin + std::countr_zero(odd) / 8;
      begin += sizeof word;
    }
  }
  while (begin != end && kIsPlain[static_cast<unsigned char>(*begin)]) ++begin;
  return begin;
}

}  // namespace runclad::json
