// The records of every runtime's root, in a directory of the test's own.
#include "runclad/enforce/record_search.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

namespace runclad::enforce::record_search_test {
namespace {

namespace fs = std::filesystem;

TEST(FindRecords, LeavesDirectoriesOutAndNoFileThatCannotBeRead) {
  std::string base = "/tmp/runclad-records-XXXXXX";
  ASSERT_NE(::mkdtemp(base.data()), nullptr);
  // As a user of dockerd can have one made.
  fs::create_directories(base + "/1-1/web.json/inside");
  const auto found = FindRecords("", std::nullopt, base);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_TRUE(found->empty());
  std::ofstream(base + "/1-1/db.json") << "{";
  EXPECT_FALSE(FindRecords("", std::nullopt, base));
  EXPECT_TRUE(FindRecords("web", std::nullopt, base));
  fs::remove_all(base);
}

}  // namespace
}  // namespace runclad::enforce::record_search_test
