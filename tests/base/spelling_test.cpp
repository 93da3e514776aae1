#include "runclad/base/spelling.hpp"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace runclad::spelling_test {
namespace {

TEST(Nearest, NamesTheClosestSpelling) {
  const std::vector<std::string_view> names = {"capabilities", "no-new-privileges", "user",
                                               "hooks"};
  struct {
    std::string_view word;
    std::string_view expected;
  } const rows[] = {
      {"capabilites", "capabilities"},    // a letter missing
      {"capabilitiees", "capabilities"},  // one too many
      {"cababilities", "capabilities"},   // another one
      {"caapbilities", "capabilities"},   // two swapped
      {"CAPABILITIES", "capabilities"},   // letter case
      {"no-newprivileges", "no-new-privileges"},
      {"cap", "capabilities"},  // cut short
      {"usr", "user"},
      {"hook", "hooks"},
      {"mounts", ""},
      {"", ""},
      {"x", ""},
  };
  for (const auto& row : rows) EXPECT_EQ(Nearest(row.word, names), row.expected) << row.word;
}

TEST(Nearest, DoesNotCompareHostileLengths) {
  const std::string long_name(100, 'a');
  const std::vector<std::string_view> names = {long_name, "aaa"};
  EXPECT_EQ(Nearest(long_name, names), "");
  EXPECT_EQ(Nearest("aaaa", names), "aaa");
}

TEST(Quoted, KeepsAnErrorOnOneShortLine) {
  EXPECT_EQ(Quoted("a b"), "\"a b\"");
  EXPECT_EQ(Quoted("a\nb\x1b\x7f"), "\"a?b??\"");
  EXPECT_EQ(Quoted(std::string(81, 'x')), "\"" + std::string(80, 'x') + "…\"");
}

TEST(Suggestion, EndsASentenceOrIsEmpty) {
  constexpr std::string_view kVerbs[] = {"create", "delete"};
  EXPECT_EQ(Suggestion("crate", kVerbs), "; did you mean \"create\"?");
  EXPECT_EQ(Suggestion("frobnicate", kVerbs), "");
}

TEST(Alternatives, AreJoinedWithCommasAndOr) {
  constexpr std::string_view kNames[] = {"fix", "refuse", "off"};
  const std::span<const std::string_view> names = kNames;
  EXPECT_EQ(Alternatives(names.first(0)), "");
  EXPECT_EQ(Alternatives(names.first(1)), "fix");
  EXPECT_EQ(Alternatives(names.first(2)), "fix or refuse");
  EXPECT_EQ(Alternatives(names), "fix, refuse or off");
}

}  // namespace
}  // namespace runclad::spelling_test
