#include "runclad/base/inline_text.hpp"

#include <algorithm>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace runclad::inline_text_test {
namespace {

struct Row {
  InlineText<6> name;
  int number = 0;
};
constexpr Row kRows[] = {{"", 0}, {"one", 1}, {"eleven", 11}};

TEST(InlineText, IsTheTextThatItWasMadeOf) {
  EXPECT_EQ(kRows[0].name.text(), "");
  EXPECT_EQ(kRows[1].name.text(), "one");
  EXPECT_EQ(kRows[2].name.text(), "eleven");
  EXPECT_EQ(kRows[2].name.size(), 6U);
  const std::string_view text = kRows[1].name;
  EXPECT_EQ(std::string(kRows[1].name) + std::string(text), "oneone");
  EXPECT_EQ(InlineText<6>(text), kRows[1].name);
}

TEST(InlineText, IsFoundInATable) {
  EXPECT_EQ(std::ranges::find(kRows, std::string_view("eleven"), &Row::name)->number, 11);
  EXPECT_EQ(std::ranges::find(kRows, std::string_view("twelve"), &Row::name), std::end(kRows));
  EXPECT_NE(kRows[1].name, "on");
  EXPECT_NE(kRows[1].name, "ones");
  EXPECT_NE(kRows[1].name, kRows[2].name);
}

// It stands where the row stands: nothing in a table of such rows is relocated.
TEST(InlineText, IsInPlace) {
  const char* const begin = kRows[1].name.text().data();
  EXPECT_GE(static_cast<const void*>(begin), static_cast<const void*>(&kRows[1]));
  EXPECT_LT(static_cast<const void*>(begin), static_cast<const void*>(&kRows[1] + 1));
}

}  // namespace
}  // namespace runclad::inline_text_test
