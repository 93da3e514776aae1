#include "runclad/base/version.hpp"

#include <gmock/gmock.h>

namespace runclad::version_test {
namespace {

TEST(Version, HasTheFormOfARelease) {
  EXPECT_THAT(std::string(Version()),
              ::testing::MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+(-rc\\.[0-9]+)?"));
}

TEST(Version, NamesTheCommit) {
  EXPECT_THAT(std::string(VersionAndCommit()),
              ::testing::MatchesRegex(std::string(Version()) + "( \\(commit [0-9a-f]+\\))?"));
}

}  // namespace
}  // namespace runclad::version_test
