#include "runclad/base/spelling.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace runclad {
namespace {

// A word longer than any name of ours is none of them, and a hostile one would be slow to compare.
constexpr std::size_t kLongestWord = 40;

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// How many letters must be added, removed, replaced or swapped with their neighbour.
std::size_t Distance(std::string_view left, std::string_view right) {
  using Row = std::array<std::size_t, kLongestWord + 1>;
  Row two_up{};
  Row one_up{};
  Row row{};
  for (std::size_t j = 0; j <= right.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= left.size(); ++i) {
    two_up = one_up;
    one_up = row;
    row[0] = i;
    for (std::size_t j = 1; j <= right.size(); ++j) {
      const bool is_same = Lower(left[i - 1]) == Lower(right[j - 1]);
      row[j] = std::min({one_up[j] + 1, row[j - 1] + 1, one_up[j - 1] + (is_same ? 0 : 1)});
      const bool is_swap = i > 1 && j > 1 && Lower(left[i - 1]) == Lower(right[j - 2]) &&
                           Lower(left[i - 2]) == Lower(right[j - 1]);
      if (is_swap) row[j] = std::min(row[j], two_up[j - 2] + 1);
    }
  }
  return row[right.size()];
}

}  // namespace

std::string_view Nearest(std::string_view word, std::span<const std::string_view> candidates) {
  std::string_view nearest;
  if (word.size() > kLongestWord) return nearest;
  std::size_t least = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const std::string_view candidate : candidates) {
    if (candidate.size() > kLongestWord) continue;
    const bool is_abbreviation = word.size() > 2 && candidate.starts_with(word);
    const std::size_t distance = is_abbreviation ? 1 : Distance(word, candidate);
    if (distance >= least) continue;
    least = distance;
    nearest = candidate;
  }
  return nearest;
}

std::string Suggestion(std::string_view word, std::span<const std::string_view> candidates) {
  const std::string_view nearest = Nearest(word, candidates);
  return nearest.empty() ? "" : "; did you mean \"" + std::string(nearest) + "\"?";
}

std::string Alternatives(std::span<const std::string_view> names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? " or " : ", ";
    text += names[i];
  }
  return text;
}

std::string Quoted(std::string_view text) {
  constexpr std::size_t kMaxBytes = 80;
  std::string quoted = "\"";
  for (const char c : text.substr(0, kMaxBytes)) {
    quoted += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
  }
  quoted += text.size() > kMaxBytes ? "…\"" : "\"";
  return quoted;
}

}  // namespace runclad
