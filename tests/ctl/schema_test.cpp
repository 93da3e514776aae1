// runcladctl policy schema: what is shipped is what the catalogue says. tests/schema.py holds
// policies against it.
#include <gmock/gmock.h>

#include "program.hpp"
#include "test_paths.hpp"

namespace runclad::ctl::schema_test {
namespace {

TEST(PolicySchema, IsCurrent) {
  for (const std::string sort : {"policy", "image", "shared"}) {
    const ProgramRun run = Runcladctl({"policy", "schema", sort});
    ASSERT_EQ(run.status, 0) << run.err;
    std::ifstream file(std::string(RUNCLAD_SOURCE_DIR) + "/profiles/schema/" + sort +
                       ".schema.json");
    const std::string shipped(std::istreambuf_iterator<char>(file), {});
    EXPECT_EQ(run.out, shipped) << "runcladctl policy schema " << sort << " > profiles/schema/"
                                << sort << ".schema.json";
  }
}

TEST(PolicySchema, RejectsAnUnknownKind) {
  const ProgramRun run = Runcladctl({"policy", "schema", "images"});
  EXPECT_EQ(run.status, 3);
  EXPECT_THAT(run.err, ::testing::HasSubstr(
                           "there is a schema for policy, image or shared, not for \"images\"; did "
                           "you mean \"image\"?"));
}

}  // namespace
}  // namespace runclad::ctl::schema_test
