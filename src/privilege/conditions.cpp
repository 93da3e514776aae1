#include "conditions.hpp"

#include <algorithm>
#include <utility>

namespace runclad::privilege {
namespace {

bool Covers(const Condition& outer, const Condition& inner) {
  return std::ranges::equal(outer, inner, [](const ArgumentSet& large, const ArgumentSet& small) {
    return large.Contains(small);
  });
}

}  // namespace

std::optional<Conditions> Both(const Condition& left, const Condition& right) {
  Conditions parts(1);  // everything
  for (std::size_t index = 0; index < left.size(); ++index) {
    if (left[index].is_everything() && right[index].is_everything()) continue;
    const std::vector<ArgumentSet> sets = Intersection(left[index], right[index]);
    if (parts.size() * sets.size() > kMaxParts) {
      // An argument yet to come may still have nothing in common.
      for (std::size_t rest = index + 1; rest < left.size(); ++rest) {
        if (Intersection(left[rest], right[rest]).empty()) return Conditions();
      }
      return std::nullopt;
    }
    Conditions next;
    for (const ArgumentSet& set : sets) {
      for (Condition part : parts) {
        part[index] = set;
        next.push_back(part);
      }
    }
    parts = std::move(next);
  }
  return parts;
}

std::optional<Conditions> Without(const Condition& from, const Condition& taken,
                                  std::size_t limit) {
  Conditions parts;
  for (std::size_t index = 0; index < from.size(); ++index) {
    if (Intersection(from[index], taken[index]).empty()) return Conditions{from};
  }
  for (std::size_t index = 0; index < from.size(); ++index) {
    for (const ArgumentSet& outside : Complement(taken[index])) {
      for (const ArgumentSet& set : Intersection(from[index], outside)) {
        parts.push_back(from);
        parts.back()[index] = set;
      }
    }
  }
  if (parts.size() > limit) return std::nullopt;
  return parts;
}

void Reduce(Conditions& conditions) {
  Conditions kept;
  for (const Condition& candidate : conditions) {
    const auto covers = [&](const Condition& other) { return Covers(other, candidate); };
    if (std::ranges::any_of(kept, covers)) continue;
    std::erase_if(kept, [&](const Condition& other) { return Covers(candidate, other); });
    kept.push_back(candidate);
  }
  conditions = std::move(kept);
}

std::vector<SeccompArgument> ComparisonsOf(const Condition& condition) {
  std::vector<SeccompArgument> comparisons;
  for (std::uint32_t index = 0; index < condition.size(); ++index) {
    if (!condition[index].is_everything()) {
      comparisons.push_back(condition[index].Comparison(index));
    }
  }
  return comparisons;
}

}  // namespace runclad::privilege
