// Sets of 64-bit values that one comparison of a seccomp rule can describe.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "runclad/privilege/seccomp.hpp"

namespace runclad::privilege {

// Not empty, and in one form only: equal sets compare equal.
class ArgumentSet {
 public:
  ArgumentSet() = default;  // every value

  // The values for which the comparison holds; none when it never does.
  static std::optional<ArgumentSet> Of(const SeccompArgument& comparison);

  // The values whose lower 32 bits are from first to last, as a union.
  static std::vector<ArgumentSet> LowerHalf(std::uint32_t first, std::uint32_t last);

  [[nodiscard]] bool is_everything() const { return *this == ArgumentSet(); }
  [[nodiscard]] bool Has(std::uint64_t value) const;
  [[nodiscard]] bool Contains(const ArgumentSet& other) const;

  // The comparison of argument `index` that describes the set, which is not everything.
  [[nodiscard]] SeccompArgument Comparison(std::uint32_t index) const;

  // What is in both, and what is not in the set, as unions. Exact; a union may be of many sets,
  // since OCI has no comparison for "from 10 to 37" but one for each aligned block therein. The
  // complement of a mask of many bits is of sets that have nothing in common, so that a second one
  // that is taken away divides one of them only.
  friend std::vector<ArgumentSet> Intersection(const ArgumentSet& left, const ArgumentSet& right);
  friend std::vector<ArgumentSet> Complement(const ArgumentSet& set);

  friend bool operator==(const ArgumentSet&, const ArgumentSet&) = default;

 private:
  enum class Kind {
    kRange,   // first_ to second_, both included: from 0, to the maximum, or an aligned block
    kAllBut,  // everything except first_, which is neither 0 nor the maximum
    kMasked,  // (value & first_) == second_, where no range says the same
  };
  static constexpr std::uint64_t kMaximum = std::numeric_limits<std::uint64_t>::max();

  ArgumentSet(Kind kind, std::uint64_t first, std::uint64_t second)
      : kind_(kind), first_(first), second_(second) {}

  static ArgumentSet AllBut(std::uint64_t value);
  static ArgumentSet Masked(std::uint64_t mask, std::uint64_t value);
  static std::vector<ArgumentSet> Ranges(std::uint64_t first, std::uint64_t last);

  Kind kind_ = Kind::kRange;
  std::uint64_t first_ = 0;
  std::uint64_t second_ = kMaximum;
};

std::vector<ArgumentSet> Intersection(const ArgumentSet& left, const ArgumentSet& right);
std::vector<ArgumentSet> Complement(const ArgumentSet& set);

}  // namespace runclad::privilege
