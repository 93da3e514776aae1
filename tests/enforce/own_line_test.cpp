#include "runclad/enforce/own_line.hpp"

#include <gtest/gtest.h>

namespace runclad::enforce::own_line_test {
namespace {

TEST(OwnLine, IsFoundInWhatAnEnginePrints) {
  EXPECT_EQ(OwnLineIn("docker: Error: runclad: refused by privileged: x\nSee --help"),
            "runclad: refused by privileged: x");
  EXPECT_EQ(OwnLineIn("runclad: the bundle cannot be read"), "runclad: the bundle cannot be read");
  EXPECT_EQ(OwnLineIn("docker: no such image"), "");
}

TEST(OwnLine, ARefusalIsNotAnyFault) {
  EXPECT_TRUE(HasRefusal("Error: runclad: refused by host-mounts: x: OCI runtime error\n"));
  EXPECT_TRUE(HasRefusal("runclad: warning: x\nrunclad: refused by image: y"));
  EXPECT_FALSE(HasRefusal("runclad: the bundle cannot be read"));
  EXPECT_FALSE(HasRefusal("dial tcp: connection refused by the peer"));
}

}  // namespace
}  // namespace runclad::enforce::own_line_test
