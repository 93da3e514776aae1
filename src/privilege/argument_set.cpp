#include "argument_set.hpp"

#include <bit>
#include <utility>

namespace runclad::privilege {
namespace {

constexpr int kFewBits = 16;

// (value & mask) == fixed
struct Cube {
  std::uint64_t mask;
  std::uint64_t fixed;
};

// The aligned blocks that make up first to last, both included; 126 at most.
std::vector<Cube> AlignedBlocks(std::uint64_t first, std::uint64_t last) {
  std::vector<Cube> blocks;
  for (;;) {
    // All bits that are 0 at the end of `first` may vary, as far as that stays within `last`.
    std::uint64_t varying = first == 0 ? ~std::uint64_t{0} : (first & -first) - 1;
    while (varying > last - first) varying >>= 1U;
    blocks.push_back({~varying, first});
    if ((first | varying) >= last) return blocks;
    first = (first | varying) + 1;
  }
}

bool IsAlignedBlock(std::uint64_t first, std::uint64_t last) {
  const std::uint64_t varying = first ^ last;
  return (varying & (varying + 1)) == 0 && (first & varying) == 0;
}

void Append(std::vector<ArgumentSet>& to, const std::vector<ArgumentSet>& more) {
  to.insert(to.end(), more.begin(), more.end());
}

}  // namespace

ArgumentSet ArgumentSet::AllBut(std::uint64_t value) {
  if (value == 0) return {Kind::kRange, 1, kMaximum};
  if (value == kMaximum) return {Kind::kRange, 0, kMaximum - 1};
  return {Kind::kAllBut, value, value};
}

ArgumentSet ArgumentSet::Masked(std::uint64_t mask, std::uint64_t value) {
  const std::uint64_t varying = ~mask;
  if ((varying & (varying + 1)) == 0) return {Kind::kRange, value, value | varying};
  return {Kind::kMasked, mask, value};
}

std::optional<ArgumentSet> ArgumentSet::Of(const SeccompArgument& comparison) {
  const std::uint64_t value = comparison.value;
  switch (comparison.op) {
    case SeccompOperator::kEqual:
      return ArgumentSet(Kind::kRange, value, value);
    case SeccompOperator::kNotEqual:
      return AllBut(value);
    case SeccompOperator::kLess:
      if (value == 0) return std::nullopt;
      return ArgumentSet(Kind::kRange, 0, value - 1);
    case SeccompOperator::kLessEqual:
      return ArgumentSet(Kind::kRange, 0, value);
    case SeccompOperator::kGreater:
      if (value == kMaximum) return std::nullopt;
      return ArgumentSet(Kind::kRange, value + 1, kMaximum);
    case SeccompOperator::kGreaterEqual:
      return ArgumentSet(Kind::kRange, value, kMaximum);
    case SeccompOperator::kMaskedEqual:
      break;
  }
  if ((comparison.value_two & ~value) != 0) return std::nullopt;
  return Masked(value, comparison.value_two);
}

std::vector<ArgumentSet> ArgumentSet::LowerHalf(std::uint32_t first, std::uint32_t last) {
  constexpr std::uint64_t kLower = std::numeric_limits<std::uint32_t>::max();
  std::vector<ArgumentSet> sets;
  for (const Cube& block : AlignedBlocks(first, last)) {
    sets.push_back(Masked(block.mask & kLower, block.fixed));
  }
  return sets;
}

bool ArgumentSet::Has(std::uint64_t value) const {
  if (kind_ == Kind::kRange) return first_ <= value && value <= second_;
  if (kind_ == Kind::kAllBut) return value != first_;
  return (value & first_) == second_;
}

bool ArgumentSet::Contains(const ArgumentSet& other) const {
  if (*this == other) return true;
  switch (other.kind_) {
    case Kind::kAllBut:
      return is_everything();
    case Kind::kMasked:
      if (kind_ == Kind::kMasked) {
        return (first_ & ~other.first_) == 0 && (other.second_ & first_) == second_;
      }
      if (kind_ == Kind::kAllBut) return !other.Has(first_);
      return first_ <= other.second_ && (other.second_ | ~other.first_) <= second_;
    case Kind::kRange:
      break;
  }
  if (kind_ == Kind::kRange) return first_ <= other.first_ && other.second_ <= second_;
  if (kind_ == Kind::kAllBut) return !other.Has(first_);
  // Below the highest bit in which its ends differ, each bit takes both values within a range.
  const std::uint64_t differing = other.first_ ^ other.second_;
  const std::uint64_t varying =
      differing == 0 ? 0 : ~std::uint64_t{0} >> static_cast<unsigned>(std::countl_zero(differing));
  return (first_ & varying) == 0 && (other.first_ & first_) == second_;
}

SeccompArgument ArgumentSet::Comparison(std::uint32_t index) const {
  if (kind_ == Kind::kAllBut) return {index, first_, 0, SeccompOperator::kNotEqual};
  if (kind_ == Kind::kMasked) return {index, first_, second_, SeccompOperator::kMaskedEqual};
  if (first_ == second_) return {index, first_, 0, SeccompOperator::kEqual};
  if (first_ == 0) return {index, second_, 0, SeccompOperator::kLessEqual};
  // "greater" and not "greater or equal": from 2^32 on must not need a 33-bit number.
  if (second_ == kMaximum) return {index, first_ - 1, 0, SeccompOperator::kGreater};
  return {index, ~(first_ ^ second_), first_, SeccompOperator::kMaskedEqual};
}

std::vector<ArgumentSet> ArgumentSet::Ranges(std::uint64_t first, std::uint64_t last) {
  if (first == 0 || last == kMaximum || IsAlignedBlock(first, last)) {
    return {ArgumentSet(Kind::kRange, first, last)};
  }
  std::vector<ArgumentSet> blocks;
  for (const Cube& block : AlignedBlocks(first, last)) {
    blocks.push_back(Masked(block.mask, block.fixed));
  }
  return blocks;
}

std::vector<ArgumentSet> Intersection(const ArgumentSet& left, const ArgumentSet& right) {
  using Kind = ArgumentSet::Kind;
  if (left.Contains(right)) return {right};
  if (right.Contains(left)) return {left};
  if (left.kind_ == Kind::kAllBut) {
    const ArgumentSet below(Kind::kRange, 0, left.first_ - 1);
    const ArgumentSet above(Kind::kRange, left.first_ + 1, ArgumentSet::kMaximum);
    std::vector<ArgumentSet> both = Intersection(below, right);
    Append(both, Intersection(above, right));
    return both;
  }
  if (right.kind_ == Kind::kAllBut) return Intersection(right, left);
  if (left.kind_ == Kind::kRange && right.kind_ == Kind::kRange) {
    const std::uint64_t first = std::max(left.first_, right.first_);
    const std::uint64_t last = std::min(left.second_, right.second_);
    if (first > last) return {};
    return ArgumentSet::Ranges(first, last);
  }
  if (left.kind_ == Kind::kRange) return Intersection(right, left);
  const std::vector<Cube> cubes = right.kind_ == Kind::kRange
                                      ? AlignedBlocks(right.first_, right.second_)
                                      : std::vector<Cube>{{right.first_, right.second_}};
  std::vector<ArgumentSet> parts;
  for (const Cube& cube : cubes) {
    const bool agree = ((left.second_ ^ cube.fixed) & left.first_ & cube.mask) == 0;
    if (agree) {
      parts.push_back(ArgumentSet::Masked(left.first_ | cube.mask, left.second_ | cube.fixed));
    }
  }
  return parts;
}

std::vector<ArgumentSet> Complement(const ArgumentSet& set) {
  using Kind = ArgumentSet::Kind;
  std::vector<ArgumentSet> parts;
  if (set.kind_ == Kind::kAllBut) {
    parts.push_back(ArgumentSet(Kind::kRange, set.first_, set.first_));
  } else if (set.kind_ == Kind::kRange) {
    if (set.first_ > 0) parts.push_back(ArgumentSet(Kind::kRange, 0, set.first_ - 1));
    if (set.second_ < ArgumentSet::kMaximum) {
      parts.push_back(ArgumentSet(Kind::kRange, set.second_ + 1, ArgumentSet::kMaximum));
    }
  } else if (std::popcount(set.first_) > kFewBits) {
    for (std::uint64_t rest = set.first_; rest != 0; rest &= rest - 1) {
      const std::uint64_t bit = rest & -rest;
      parts.push_back(ArgumentSet::Masked(rest, (set.second_ ^ bit) & rest));
    }
  } else {
    for (std::uint64_t rest = set.first_; rest != 0; rest &= rest - 1) {
      const std::uint64_t bit = rest & -rest;
      parts.push_back(ArgumentSet::Masked(bit, ~set.second_ & bit));
    }
  }
  return parts;
}

}  // namespace runclad::privilege
