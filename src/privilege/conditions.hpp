// What a seccomp rule asks of the six arguments together, and unions of that.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <vector>

#include "argument_set.hpp"

namespace runclad::privilege {

// Holds when every argument is in its set. One rule of a filter can say it.
using Condition = std::array<ArgumentSet, 6>;
// Holds when one of them does; empty: never. One rule each.
using Conditions = std::vector<Condition>;

// Above this many rules for what two rules of the filters have in common, a condition counts as one
// that cannot be said.
inline constexpr std::size_t kMaxParts = 16;

// The calls for which both hold, or those for which only `from` does; no value when that takes more
// than kMaxParts or `limit` rules.
std::optional<Conditions> Both(const Condition& left, const Condition& right);
std::optional<Conditions> Without(const Condition& from, const Condition& taken, std::size_t limit);

// Removes every condition that another one covers.
void Reduce(Conditions& conditions);

// The comparisons of the rule that says it, in the order of their index.
std::vector<SeccompArgument> ComparisonsOf(const Condition& condition);

}  // namespace runclad::privilege
