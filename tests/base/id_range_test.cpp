#include "runclad/base/id_range.hpp"

#include <gtest/gtest.h>

namespace runclad::id_range_test {
namespace {

TEST(IdRange, IsOneIdOrTwoInAscendingOrder) {
  struct Case {
    std::string_view text;
    std::string_view read;  // empty: is none
  };
  constexpr Case kCases[] = {
      {"0", "0"},
      {"1000", "1000"},
      {"1000-65535", "1000-65535"},
      {"7-7", "7"},
      {"0-4294967294", "0-4294967294"},
      {"4294967295", ""},
      {"0-4294967295", ""},
      {"4294967296", ""},
      {"2-1", ""},
      {"0644", ""},
      {"-1", ""},
      {"1-", ""},
      {"1 - 2", ""},
      {"+1", ""},
      {"", ""},
      {"root", ""},
  };
  for (const Case& c : kCases) {
    const auto range = ParseIdRange(c.text);
    EXPECT_EQ(range ? ToString(*range) : "", c.read) << c.text;
  }
}

TEST(UserAndGroup, ParseTwoIds) {
  const auto both = ParseUserAndGroup("1000:2000");
  ASSERT_TRUE(both);
  EXPECT_EQ(both->uid, 1000U);
  EXPECT_EQ(both->gid, 2000U);
  for (const std::string_view text : {"", "1000", "1000:", ":1000", "app:app", "1:2:3", "-1:1"}) {
    EXPECT_FALSE(ParseUserAndGroup(text)) << text;
  }
}

}  // namespace
}  // namespace runclad::id_range_test
