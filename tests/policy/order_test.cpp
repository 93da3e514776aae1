#include "policy/order.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace runclad::policy::order_test {
namespace {

using Strings = std::vector<std::string>;

constexpr std::string_view kChoices[] = {"refuse", "warn", "off"};

TEST(Order, OrdersEveryKindOfValue) {
  struct Case {
    const char* name;
    ParameterSchema schema;
    Parameters::Value left;
    Parameters::Value right;
    Parameters::Value looser;
    Parameters::Value stricter;
  };
  const Case cases[] = {
      {"a list that grants",
       {.name = "p", .order = Order::kMoreIsLooser},
       Strings{"a", "b"},
       Strings{"b", "c"},
       Strings{"a", "b", "c"},
       Strings{"b"}},
      {"a list that denies",
       {.name = "p", .order = Order::kFewerIsLooser},
       Strings{"a", "b"},
       Strings{"b", "c"},
       Strings{"b"},
       Strings{"a", "b", "c"}},
      {"a list of ranges that grants",
       {.name = "p", .vocabulary = Vocabulary::kIdRange, .order = Order::kMoreIsLooser},
       Strings{"0-999", "5000"},
       Strings{"500-2000", "4000-6000"},
       Strings{"0-999", "5000", "500-2000", "4000-6000"},
       Strings{"500-999", "5000"}},
      {"a limit",
       {.name = "p", .type = ParameterType::kInteger, .order = Order::kMoreIsLooser},
       std::int64_t{5},
       std::int64_t{7},
       std::int64_t{7},
       std::int64_t{5}},
      {"a floor",
       {.name = "p", .type = ParameterType::kInteger, .order = Order::kFewerIsLooser},
       std::int64_t{5},
       std::int64_t{7},
       std::int64_t{5},
       std::int64_t{7}},
      {"a permission",
       {.name = "p", .type = ParameterType::kBoolean, .order = Order::kTrueIsLooser},
       true,
       false,
       true,
       false},
      {"a demand",
       {.name = "p", .type = ParameterType::kBoolean, .order = Order::kFalseIsLooser},
       true,
       false,
       false,
       true},
      {"a choice",
       {.name = "p",
        .type = ParameterType::kText,
        .choices = kChoices,
        .order = Order::kLaterIsLooser},
       std::string("warn"),
       std::string("refuse"),
       std::string("warn"),
       std::string("refuse")},
  };
  for (const Case& test : cases) {
    EXPECT_EQ(Looser(test.schema, test.left, test.right), test.looser) << test.name;
    EXPECT_EQ(Stricter(test.schema, test.left, test.right), test.stricter) << test.name;
    EXPECT_EQ(Looser(test.schema, test.left, test.left), test.left) << test.name;
    EXPECT_EQ(Stricter(test.schema, test.right, test.right), test.right) << test.name;
  }
}

TEST(Order, RefuseIsTheStrictestAction) {
  EXPECT_EQ(Stricter(Action::kFix, Action::kRefuse), Action::kRefuse);
  EXPECT_EQ(Stricter(Action::kFix, Action::kWarn), Action::kFix);
  EXPECT_EQ(Stricter(Action::kOff, Action::kWarn), Action::kWarn);
}

}  // namespace
}  // namespace runclad::policy::order_test
