// How far a text stands for itself in a JSON string: printable ASCII without " and \.
#pragma once

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

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

// What JSON allows between values; all that is above the blank is answered first.
inline bool IsBlank(char c) {
  return static_cast<unsigned char>(c) <= ' ' && (c == ' ' || c == '\n' || c == '\r' || c == '\t');
}

#if defined(__SSE2__)
using Block = __m128i;  // 16 bytes of a text

inline Block BlockAt(const char* text) {
  Block block;
  std::memcpy(&block, text, sizeof block);
  return block;
}

// Both return a bit for each byte, the lowest for the first.
inline unsigned BitsOf(Block truths) { return static_cast<unsigned>(_mm_movemask_epi8(truths)); }

inline Block AreQuotesOrEscapes(Block block) {
  return _mm_or_si128(_mm_cmpeq_epi8(block, _mm_set1_epi8('"')),
                      _mm_cmpeq_epi8(block, _mm_set1_epi8('\\')));
}

inline unsigned QuotesAndEscapes(Block block) { return BitsOf(AreQuotesOrEscapes(block)); }

inline unsigned NotPlain(Block block) {
  // A byte beyond ASCII is negative here.
  const Block are_beyond = _mm_cmplt_epi8(block, _mm_set1_epi8(kFirstPrintable));
  return BitsOf(_mm_or_si128(are_beyond, AreQuotesOrEscapes(block)));
}

// The first and the last half of a block, of a text of `bytes` that may overlap.
template <typename Half>
Block BlockOfHalves(const char* text, std::size_t bytes) {
  std::array<Half, 2> halves;
  std::memcpy(&halves[0], text, sizeof(Half));
  std::memcpy(&halves[1], text + bytes - sizeof(Half), sizeof(Half));
  if constexpr (sizeof(Half) == sizeof(std::uint64_t)) {
    return _mm_set_epi64x(static_cast<long long>(halves[1]), static_cast<long long>(halves[0]));
  }
  return _mm_set1_epi64x(static_cast<long long>(std::uint64_t{halves[1]} << 32U | halves[0]));
}

// Whether a text shorter than a block is plain; false for some that are: those of up to 3 bytes.
inline bool IsShortAndPlain(const char* text, std::size_t bytes) {
  if (bytes >= sizeof(std::uint64_t)) {
    return NotPlain(BlockOfHalves<std::uint64_t>(text, bytes)) == 0;
  }
  return bytes >= sizeof(std::uint32_t) && NotPlain(BlockOfHalves<std::uint32_t>(text, bytes)) == 0;
}
#endif

// The first byte in [begin, end) that does not stand for itself, or `end`. A block at a time, as
// most of what is read and written is strings.
inline const char* EndOfPlain(const char* begin, const char* end) {
#if defined(__SSE2__)
  const auto bytes = static_cast<std::size_t>(end - begin);
  if (bytes >= sizeof(Block)) {
    const char* const last = end - sizeof(Block);
    while (true) {
      const unsigned odd = NotPlain(BlockAt(begin));
      if (odd != 0) return begin + std::countr_zero(odd);
      if (begin == last) return end;
      // The last block begins in one that was plain.
      begin =
          last - begin > static_cast<std::ptrdiff_t>(sizeof(Block)) ? begin + sizeof(Block) : last;
    }
  }
  if (IsShortAndPlain(begin, bytes)) return end;
#endif
  while (begin != end && kIsPlain[static_cast<unsigned char>(*begin)]) ++begin;
  return begin;
}

#if defined(__SSE2__)
// The same for a text shorter than two of `Half`, of which the first and the last may overlap.
template <typename Half>
bool CopyHalves(const char* text, std::size_t bytes, char* to) {
  if (NotPlain(BlockOfHalves<Half>(text, bytes)) != 0) return false;
  Half last;
  std::memcpy(&last, text + bytes - sizeof(Half), sizeof(Half));
  std::memcpy(to, text, sizeof(Half));
  std::memcpy(to + bytes - sizeof(Half), &last, sizeof(Half));
  return true;
}
#endif

// Copies a text that stands for itself. False where it does not: what is at `to` is of no use then.
inline bool CopyPlain(const char* text, std::size_t bytes, char* to) {
#if defined(__SSE2__)
  if (bytes >= sizeof(Block)) {
    const std::size_t last = bytes - sizeof(Block);
    for (std::size_t at = 0;; at = at + sizeof(Block) < last ? at + sizeof(Block) : last) {
      const Block block = BlockAt(text + at);
      if (NotPlain(block) != 0) return false;
      std::memcpy(to + at, &block, sizeof block);
      if (at == last) return true;
    }
  }
  if (bytes >= sizeof(std::uint64_t)) return CopyHalves<std::uint64_t>(text, bytes, to);
  if (bytes >= sizeof(std::uint32_t)) return CopyHalves<std::uint32_t>(text, bytes, to);
#endif
  for (std::size_t at = 0; at < bytes; ++at) {
    if (!kIsPlain[static_cast<unsigned char>(text[at])]) return false;
    to[at] = text[at];
  }
  return true;
}

// The first quotation mark or backslash in [begin, end), or `end`.
inline const char* QuoteOrEscape(const char* begin, const char* end) {
#if defined(__SSE2__)
  for (; end - begin >= static_cast<std::ptrdiff_t>(sizeof(Block)); begin += sizeof(Block)) {
    const unsigned found = QuotesAndEscapes(BlockAt(begin));
    if (found != 0) return begin + std::countr_zero(found);
  }
#endif
  while (begin != end && *begin != '"' && *begin != '\\') ++begin;
  return begin;
}

}  // namespace runclad::json
