#include "runclad/sys/command.hpp"

#include <chrono>

#include <gmock/gmock.h>

namespace runclad::sys::command_test {
namespace {

using ::testing::HasSubstr;

TEST(Command, ReturnsBothOutputsAndTheStatus) {
  const auto output = RunCommand({"sh", "-c", "cat; echo out; echo err >&2; exit 7"});
  ASSERT_TRUE(output) << output.error().message;
  EXPECT_EQ(output->status, 7);
  EXPECT_EQ(output->out, "out\n");
  EXPECT_EQ(output->err, "err\n");
}

TEST(Command, ReturnsTheSignal) {
  const auto output = RunCommand({"sh", "-c", "kill -TERM $$"});
  ASSERT_TRUE(output);
  EXPECT_EQ(output->status, 128 + 15);
}

TEST(Command, CanWriteMoreThanAPipeHolds) {
  const auto output =
      RunCommand({"sh", "-c", "head -c 300000 /dev/zero; head -c 300000 /dev/zero >&2"});
  ASSERT_TRUE(output);
  EXPECT_EQ(output->out.size(), 300000U);
  EXPECT_EQ(output->err.size(), 300000U);
}

TEST(Command, GetsTheAddedVariables) {
  const auto output =
      RunCommand({"sh", "-c", "echo $A $HOME"}, {.environment = {{"A", "1"}, {"HOME", "/2"}}});
  ASSERT_TRUE(output);
  EXPECT_EQ(output->out, "1 /2\n");
}

TEST(Command, IsKilledWithItsChildrenAtTheTimeLimit) {
  const auto begin = std::chrono::steady_clock::now();
  const auto output = RunCommand({"sh", "-c", "sleep 100 & sleep 100"},
                                 {.limit = std::chrono::seconds(1), .environment = {}});
  ASSERT_FALSE(output);
  EXPECT_THAT(output.error().message, HasSubstr("did not end within 1 seconds"));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

TEST(Command, FailsIfTheProgramIsMissing) {
  const auto output = RunCommand({"runclad-no-such-program"});
  ASSERT_FALSE(output);
  EXPECT_EQ(output.error().message, "runclad-no-such-program cannot be started (ENOENT)");
}

TEST(FindInPath, ReturnsAnAbsolutePathOrNothing) {
  EXPECT_THAT(FindInPath("sh"), HasSubstr("/sh"));
  EXPECT_EQ(FindInPath("runclad-no-such-program"), "");
}

}  // namespace
}  // namespace runclad::sys::command_test
