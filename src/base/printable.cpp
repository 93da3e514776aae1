#include "runclad/base/printable.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string>

namespace runclad {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::uint32_t kFirstBeyondBmp = 0x10000;

unsigned char ByteAt(std::string_view text, std::size_t at) {
  return at < text.size() ? static_cast<unsigned char>(text[at]) : 0;
}

// Of a whole sequence.
std::uint32_t CodePoint(std::string_view sequence) {
  const std::uint32_t first = ByteAt(sequence, 0);
  if (sequence.size() == 1) return first;
  std::uint32_t point = first & (0x7FU >> sequence.size());
  for (const char byte : sequence.substr(1)) {
    point = point << 6U | (static_cast<unsigned char>(byte) & 0x3FU);
  }
  return point;
}

struct Range {
  std::uint32_t first;
  std::uint32_t last;
};

// Unicode's Cc and Cf, the separators of lines, and what has no width by itself.
constexpr Range kDeceptive[] = {
    {0x00, 0x1F},       {0x7F, 0x9F},       {0xAD, 0xAD},      {0x34F, 0x34F},   {0x600, 0x605},
    {0x61C, 0x61C},     {0x6DD, 0x6DD},     {0x70F, 0x70F},    {0x115F, 0x1160}, {0x17B4, 0x17B5},
    {0x180B, 0x180F},   {0x200B, 0x200F},   {0x2028, 0x202E},  {0x2060, 0x206F}, {0x3164, 0x3164},
    {0xFE00, 0xFE0F},   {0xFEFF, 0xFEFF},   {0xFFA0, 0xFFA0},  {0xFFF0, 0xFFFB}, {0x110BD, 0x110BD},
    {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF}};

void AppendUnit(std::uint32_t unit, std::string& out) {
  out += "\\u";
  for (unsigned shift = 16; shift > 0;) {
    shift -= 4;
    out += kHexDigits[(unit >> shift) & 0xFU];
  }
}

// "\033[31m", as Style has it; 0: no such thing is there.
std::size_t ColourLength(std::string_view text) {
  if (!text.starts_with("\033[")) return 0;
  const std::size_t end = text.find_first_not_of("0123456789", 2);
  return end != std::string_view::npos && end > 2 && end <= 4 && text[end] == 'm' ? end + 1 : 0;
}

template <typename KeptLength>
std::string Escape(std::string_view text, KeptLength kept) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    std::size_t length = kept(text);
    if (length != 0) {
      out += text.substr(0, length);
    } else if (length = SequenceLength(text); length == 0) {
      length = 1;
      out += "\\x";
      out += kHexDigits[ByteAt(text, 0) >> 4U];
      out += kHexDigits[ByteAt(text, 0) & 0xFU];
    } else if (const auto sequence = text.substr(0, length); IsDeceptive(sequence)) {
      AppendEscaped(sequence, out);
    } else {
      out += sequence;
    }
    text.remove_prefix(length);
  }
  return out;
}

constexpr std::size_t kLongestEscape = 6;  // \u202e

// Of a JSON pointer's escape (~1), or of one that Printable makes.
std::size_t EscapeLength(std::string_view escape) {
  constexpr std::size_t kOfByte = 4;  // \x9b
  if (escape.front() == '~') return 2;
  return ByteAt(escape, 1) == 'x' ? kOfByte : kLongestEscape;
}

// Where what is around `at` begins: an escape or a character.
std::size_t CutBefore(std::string_view text, std::size_t at) {
  const std::size_t near = at - std::min(at, kLongestEscape - 1);
  const std::size_t escape = text.substr(near, at - near).find_last_of("~\\");
  if (escape != std::string_view::npos &&
      near + escape + EscapeLength(text.substr(near + escape)) > at) {
    return near + escape;
  }
  constexpr std::size_t kLongestCharacter = 4;
  std::size_t begin = at;
  while (begin > 0 && at - begin < kLongestCharacter && (ByteAt(text, begin) & 0xC0U) == 0x80U) {
    --begin;
  }
  return begin;
}

// Where it ends.
std::size_t CutBehind(std::string_view text, std::size_t at) {
  const std::size_t begin = CutBefore(text, at);
  if (begin == at) return at;
  const bool is_escape = text[begin] == '~' || text[begin] == '\\';
  std::size_t end =
      std::min(text.size(), is_escape ? begin + EscapeLength(text.substr(begin)) : at);
  while (end < text.size() && (ByteAt(text, end) & 0xC0U) == 0x80U) ++end;
  return end;
}

}  // namespace

std::size_t SequenceLength(std::string_view text) {
  const unsigned char first = ByteAt(text, 0);
  const unsigned char second = ByteAt(text, 1);
  const auto continues = [&](std::size_t at) { return (ByteAt(text, at) & 0xC0U) == 0x80U; };
  if (first < 0x80) return text.empty() ? 0 : 1;
  if (first >= 0xC2 && first <= 0xDF) return continues(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const bool is_overlong = first == 0xE0 && second < 0xA0;
    const bool is_surrogate = first == 0xED && second > 0x9F;
    return continues(1) && continues(2) && !is_overlong && !is_surrogate ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool is_overlong = first == 0xF0 && second < 0x90;
    const bool is_beyond = first == 0xF4 && second > 0x8F;
    return continues(1) && continues(2) && continues(3) && !is_overlong && !is_beyond ? 4 : 0;
  }
  return 0;
}

bool IsDeceptive(std::string_view text) {
  const std::uint32_t point = CodePoint(text);
  return std::any_of(std::begin(kDeceptive), std::end(kDeceptive), [&](const Range& range) {
    return point >= range.first && point <= range.last;
  });
}

void AppendEscaped(std::string_view sequence, std::string& out) {
  const std::uint32_t point = CodePoint(sequence);
  if (point < kFirstBeyondBmp) return AppendUnit(point, out);
  AppendUnit(0xD800U + ((point - kFirstBeyondBmp) >> 10U), out);
  AppendUnit(0xDC00U + ((point - kFirstBeyondBmp) & 0x3FFU), out);
}

std::string Printable(std::string_view text) {
  return Escape(text, [](std::string_view) { return std::size_t{0}; });
}

std::string Shortened(std::string_view text, std::size_t most) {
  if (text.size() <= most) return std::string(text);
  const std::size_t end = CutBefore(text, most / 2);
  const std::size_t rest = CutBehind(text, text.size() - most / 2);
  return std::string(text.substr(0, end))
      .append("… (")
      .append(std::to_string(rest - end))
      .append(" bytes left out) …")
      .append(text.substr(rest));
}

std::string PrintableLines(std::string_view text) {
  return Escape(text, [](std::string_view rest) {
    return rest.front() == '\n' || rest.front() == '\t' ? std::size_t{1} : ColourLength(rest);
  });
}

}  // namespace runclad
