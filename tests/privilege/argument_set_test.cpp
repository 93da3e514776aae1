#include "privilege/argument_set.hpp"

#include <random>
#include <set>
#include <string>
#include <tuple>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace runclad::privilege::argument_set_test {
namespace {

using Op = SeccompOperator;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAreArray;

constexpr std::uint64_t kMaximum = ~std::uint64_t{0};

struct Said {
  Op op;
  std::uint64_t value;
  std::uint64_t value_two = 0;
  friend bool operator==(const Said&, const Said&) = default;
};

void PrintTo(const Said& said, std::ostream* out) {
  *out << "{op " << static_cast<int>(said.op) << ", " << said.value << ", " << said.value_two
       << "}";
}

ArgumentSet Set(const Said& said) {
  return ArgumentSet::Of({0, said.value, said.value_two, said.op}).value();
}

std::vector<Said> Say(const std::vector<ArgumentSet>& sets) {
  std::vector<Said> all;
  for (const ArgumentSet& set : sets) {
    const SeccompArgument comparison = set.Comparison(0);
    all.push_back({comparison.op, comparison.value, comparison.value_two});
  }
  return all;
}

// What the comparison means, written down a second time.
bool Holds(const Said& said, std::uint64_t value) {
  switch (said.op) {
    case Op::kNotEqual:
      return value != said.value;
    case Op::kLess:
      return value < said.value;
    case Op::kLessEqual:
      return value <= said.value;
    case Op::kEqual:
      return value == said.value;
    case Op::kGreaterEqual:
      return value >= said.value;
    case Op::kGreater:
      return value > said.value;
    case Op::kMaskedEqual:
      return (value & said.value) == said.value_two;
  }
  return false;
}

TEST(ArgumentSet, NormalisesEachComparison) {
  const struct {
    Said said;
    Said canonical;
  } cases[] = {
      {{Op::kEqual, 7}, {Op::kEqual, 7}},
      {{Op::kNotEqual, 7}, {Op::kNotEqual, 7}},
      {{Op::kNotEqual, 0}, {Op::kGreater, 0}},
      {{Op::kNotEqual, kMaximum}, {Op::kLessEqual, kMaximum - 1}},
      {{Op::kLess, 38}, {Op::kLessEqual, 37}},
      {{Op::kLess, 1}, {Op::kEqual, 0}},
      {{Op::kLessEqual, 37}, {Op::kLessEqual, 37}},
      {{Op::kGreaterEqual, 41}, {Op::kGreater, 40}},
      {{Op::kGreater, 40}, {Op::kGreater, 40}},
      {{Op::kGreater, kMaximum - 1}, {Op::kEqual, kMaximum}},
      {{Op::kMaskedEqual, kMaximum, 5}, {Op::kEqual, 5}},
      {{Op::kMaskedEqual, ~std::uint64_t{7}, 0}, {Op::kLessEqual, 7}},
      {{Op::kMaskedEqual, ~std::uint64_t{7}, 8}, {Op::kMaskedEqual, ~std::uint64_t{7}, 8}},
      {{Op::kMaskedEqual, 0x7E020000, 0}, {Op::kMaskedEqual, 0x7E020000, 0}},
  };
  for (const auto& [said, canonical] : cases) {
    EXPECT_THAT(Say({Set(said)}), ElementsAre(canonical)) << ::testing::PrintToString(said);
  }
}

TEST(ArgumentSet, RecognisesEmptyAndUniversalSets) {
  for (const Said& never :
       {Said{Op::kLess, 0}, {Op::kGreater, kMaximum}, {Op::kMaskedEqual, 2, 1}}) {
    EXPECT_FALSE(ArgumentSet::Of({0, never.value, never.value_two, never.op}))
        << ::testing::PrintToString(never);
  }
  for (const Said& always :
       {Said{Op::kGreaterEqual, 0}, {Op::kLessEqual, kMaximum}, {Op::kMaskedEqual, 0, 0}}) {
    EXPECT_TRUE(Set(always).is_everything()) << ::testing::PrintToString(always);
  }
}

TEST(ArgumentSet, IntersectsEachPairOfOperators) {
  constexpr std::uint64_t kAll = kMaximum;
  const struct {
    Said left;
    Said right;
    std::vector<Said> both;
  } cases[] = {
      {{Op::kEqual, 5}, {Op::kEqual, 5}, {{Op::kEqual, 5}}},
      {{Op::kEqual, 5}, {Op::kEqual, 6}, {}},
      {{Op::kEqual, 5}, {Op::kNotEqual, 6}, {{Op::kEqual, 5}}},
      {{Op::kEqual, 5}, {Op::kNotEqual, 5}, {}},
      {{Op::kEqual, 5}, {Op::kLess, 6}, {{Op::kEqual, 5}}},
      {{Op::kEqual, 5}, {Op::kLess, 5}, {}},
      {{Op::kEqual, 5}, {Op::kLessEqual, 5}, {{Op::kEqual, 5}}},
      {{Op::kEqual, 5}, {Op::kGreaterEqual, 6}, {}},
      {{Op::kEqual, 5}, {Op::kGreater, 4}, {{Op::kEqual, 5}}},
      {{Op::kEqual, 5}, {Op::kMaskedEqual, 4, 4}, {{Op::kEqual, 5}}},
      {{Op::kEqual, 5}, {Op::kMaskedEqual, 2, 2}, {}},
      {{Op::kNotEqual, 5}, {Op::kNotEqual, 5}, {{Op::kNotEqual, 5}}},
      {{Op::kNotEqual, 5},
       {Op::kNotEqual, 7},
       {{Op::kLessEqual, 4}, {Op::kEqual, 6}, {Op::kGreater, 7}}},
      {{Op::kNotEqual, 5}, {Op::kLess, 4}, {{Op::kLessEqual, 3}}},
      {{Op::kNotEqual, 5}, {Op::kLessEqual, 5}, {{Op::kLessEqual, 4}}},
      {{Op::kNotEqual, 5}, {Op::kLess, 7}, {{Op::kLessEqual, 4}, {Op::kEqual, 6}}},
      {{Op::kNotEqual, 40}, {Op::kGreaterEqual, 40}, {{Op::kGreater, 40}}},
      {{Op::kNotEqual, 40}, {Op::kGreater, 40}, {{Op::kGreater, 40}}},
      {{Op::kNotEqual, 2}, {Op::kMaskedEqual, 1, 1}, {{Op::kMaskedEqual, 1, 1}}},
      {{Op::kNotEqual, 2}, {Op::kMaskedEqual, kAll - 3, 0}, {{Op::kLessEqual, 1}, {Op::kEqual, 3}}},
      {{Op::kLess, 38}, {Op::kLessEqual, 20}, {{Op::kLessEqual, 20}}},
      {{Op::kLess, 38}, {Op::kGreater, 40}, {}},
      {{Op::kLess, 38}, {Op::kGreaterEqual, 37}, {{Op::kEqual, 37}}},
      {{Op::kLess, 8}, {Op::kGreater, 3}, {{Op::kMaskedEqual, kAll - 3, 4}}},
      {{Op::kLess, 38},
       {Op::kGreaterEqual, 10},
       {{Op::kMaskedEqual, kAll - 1, 10},
        {Op::kMaskedEqual, kAll - 3, 12},
        {Op::kMaskedEqual, kAll - 15, 16},
        {Op::kMaskedEqual, kAll - 3, 32},
        {Op::kMaskedEqual, kAll - 1, 36}}},
      {{Op::kGreater, 10}, {Op::kGreaterEqual, 12}, {{Op::kGreater, 11}}},
      {{Op::kGreater, 100},
       {Op::kMaskedEqual, kAll - 255, 256},
       {{Op::kMaskedEqual, kAll - 255, 256}}},
      {{Op::kLess, 4}, {Op::kMaskedEqual, 1, 1}, {{Op::kMaskedEqual, kAll - 2, 1}}},
      {{Op::kLess, 2}, {Op::kMaskedEqual, 0xF0, 0}, {{Op::kLessEqual, 1}}},
      {{Op::kLess, 2}, {Op::kMaskedEqual, 0xF0, 0x10}, {}},
      {{Op::kMaskedEqual, 0xF, 0x1}, {Op::kMaskedEqual, 0xF, 0x2}, {}},
      {{Op::kMaskedEqual, 0xF, 0x1},
       {Op::kMaskedEqual, 0xF0, 0x20},
       {{Op::kMaskedEqual, 0xFF, 0x21}}},
      {{Op::kMaskedEqual, 0x7E020000, 0},
       {Op::kMaskedEqual, 0x10000000, 0},
       {{Op::kMaskedEqual, 0x7E020000, 0}}},
  };
  for (const auto& [left, right, both] : cases) {
    const auto where = ::testing::PrintToString(left) + " and " + ::testing::PrintToString(right);
    EXPECT_THAT(Say(Intersection(Set(left), Set(right))), UnorderedElementsAreArray(both)) << where;
    EXPECT_THAT(Say(Intersection(Set(right), Set(left))), UnorderedElementsAreArray(both)) << where;
  }
}

TEST(ArgumentSet, ComplementsEachOperator) {
  const struct {
    Said set;
    std::vector<Said> rest;
  } cases[] = {
      {{Op::kEqual, 5}, {{Op::kLessEqual, 4}, {Op::kGreater, 5}}},
      {{Op::kEqual, 0}, {{Op::kGreater, 0}}},
      {{Op::kNotEqual, 5}, {{Op::kEqual, 5}}},
      {{Op::kLess, 5}, {{Op::kGreater, 4}}},
      {{Op::kLessEqual, 5}, {{Op::kGreater, 5}}},
      {{Op::kGreater, 5}, {{Op::kLessEqual, 5}}},
      {{Op::kGreaterEqual, 5}, {{Op::kLessEqual, 4}}},
      {{Op::kMaskedEqual, 6, 2}, {{Op::kMaskedEqual, 2, 0}, {Op::kMaskedEqual, 4, 4}}},
  };
  for (const auto& [set, rest] : cases) {
    EXPECT_THAT(Say(Complement(Set(set))), UnorderedElementsAreArray(rest));
  }
  EXPECT_THAT(Complement(ArgumentSet()), IsEmpty());
}

// Values around every number of a comparison, where an off-by-one would show.
std::set<std::uint64_t> Edges(const std::vector<Said>& all) {
  std::set<std::uint64_t> edges = {
      0, 1, kMaximum, kMaximum - 1, std::uint64_t{1} << 32U, (std::uint64_t{1} << 32U) - 1};
  for (const Said& said : all) {
    for (const std::uint64_t number :
         {said.value, said.value_two, ~said.value, said.value_two | ~said.value}) {
      for (const std::uint64_t step : {kMaximum, std::uint64_t{0}, std::uint64_t{1}}) {
        edges.insert(number + step);
      }
    }
  }
  return edges;
}

bool AnyHas(const std::vector<ArgumentSet>& sets, std::uint64_t value) {
  return std::ranges::any_of(sets, [&](const ArgumentSet& set) { return set.Has(value); });
}

TEST(ArgumentSet, AgreesWithPlainComparisonsOnRandomPairs) {
  std::mt19937_64 random(7);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same pairs each time
  const auto number = [&]() -> std::uint64_t {
    switch (random() % 4) {
      case 0:
        return random() % 16;
      case 1:
        return std::uint64_t{1} << (random() % 64);
      case 2:
        return kMaximum - random() % 16;
      default:
        return random() >> (random() % 64);
    }
  };
  const auto comparison = [&] {
    Said said{static_cast<Op>(random() % 7), number()};
    if (said.op == Op::kMaskedEqual) said.value_two = number() & said.value;
    return said;
  };
  for (int i = 0; i < 3000; ++i) {
    const Said left = comparison();
    const Said right = comparison();
    const auto left_set = ArgumentSet::Of({0, left.value, left.value_two, left.op});
    const auto right_set = ArgumentSet::Of({0, right.value, right.value_two, right.op});
    if (!left_set || !right_set) continue;
    const auto both = Intersection(*left_set, *right_set);
    const auto outside = Complement(*left_set);
    std::set<std::uint64_t> values = Edges({left, right});
    for (int k = 0; k < 8; ++k) values.insert(number());
    for (const std::uint64_t value : values) {
      const auto where =
          ::testing::PrintToString(left) + ::testing::PrintToString(right) + std::to_string(value);
      ASSERT_EQ(left_set->Has(value), Holds(left, value)) << where;
      ASSERT_EQ(AnyHas(both, value), Holds(left, value) && Holds(right, value)) << where;
      ASSERT_EQ(AnyHas(outside, value), !Holds(left, value)) << where;
      if (left_set->Contains(*right_set) && Holds(right, value)) {
        ASSERT_TRUE(Holds(left, value)) << where;
      }
    }
    for (const ArgumentSet& part : both) {  // what is said is what is meant
      if (!part.is_everything()) {
        ASSERT_EQ(ArgumentSet::Of(part.Comparison(0)), part);
      }
    }
  }
}

}  // namespace
}  // namespace runclad::privilege::argument_set_test
