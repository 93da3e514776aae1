#include "runclad/base/path.hpp"

#include <gtest/gtest.h>

namespace runclad::path_test {
namespace {

TEST(Path, IsAtOrBelowADirectory) {
  struct Case {
    std::string_view path;
    std::string_view directory;
    bool expected;
  };
  constexpr Case kCases[] = {
      {"/srv", "/srv", true},      {"/srv/data", "/srv", true}, {"/srv/data/x", "/srv/data", true},
      {"/srvdata", "/srv", false}, {"/sr", "/srv", false},      {"/", "/srv", false},
      {"/opt/srv", "/srv", false}, {"", "/srv", false},         {"/srv-1/data", "/srv", false},
  };
  for (const Case& test : kCases) {
    EXPECT_EQ(IsAtOrBelow(test.path, test.directory), test.expected)
        << test.path << " below " << test.directory;
  }
}

}  // namespace
}  // namespace runclad::path_test
