#include "look/task_state.hpp"

#include <gtest/gtest.h>

namespace runclad::look {
namespace {

TEST(KernelAbis, ACallReachesTheKernelThroughAnEntryThatItHas) {
  const KernelAbis none;
  const KernelAbis both{.has_32_bit = true, .has_x32 = true};
  for (const char* native : {"SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64", "SCMP_ARCH_RISCV64"}) {
    EXPECT_TRUE(HasEntry(none, native)) << native;
  }
  for (const char* other : {"SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_ARM"}) {
    EXPECT_FALSE(HasEntry(none, other)) << other;
    EXPECT_TRUE(HasEntry(both, other)) << other;
  }
  EXPECT_FALSE(HasEntry({.has_32_bit = true, .has_x32 = false}, "SCMP_ARCH_X32"));
  EXPECT_FALSE(HasEntry({.has_32_bit = false, .has_x32 = true}, "SCMP_ARCH_ARM"));
}

}  // namespace
}  // namespace runclad::look
