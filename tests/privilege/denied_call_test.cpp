#include "runclad/privilege/denied_call.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace runclad::privilege::denied_call_test {
namespace {

using ::testing::HasSubstr;

TEST(DeniedCall, IsReadAndWritten) {
  const struct {
    const char* text;
    const char* canonical;
  } cases[] = {
      {"setsockopt arg1==41 arg2==64", "setsockopt arg1==41 arg2==64"},
      {"setsockopt arg2==0x40 arg1==41", "setsockopt arg1==41 arg2==64"},
      {"clone arg0&0x10000000==268435456", "clone arg0&0x10000000==0x10000000"},
      {"madvise arg2!=0", "madvise arg2!=0"},
      {"madvise arg2<4294967295", "madvise arg2<4294967295"},
      {"madvise arg2<=1 arg1>2 arg0>=3", "madvise arg0>=3 arg1>2 arg2<=1"},
  };
  for (const auto& [text, canonical] : cases) {
    const auto call = ParseDeniedCall(text);
    ASSERT_TRUE(call) << call.error().message;
    EXPECT_EQ(ToText(*call), canonical);
    EXPECT_EQ(ToText(*ParseDeniedCall(canonical)), canonical);
  }
}

TEST(DeniedCall, FaultsAreSaid) {
  const struct {
    const char* text;
    const char* fault;
  } cases[] = {
      {"setsockop arg1==41", "unknown system call \"setsockop\""},
      {"ioctl", "names no argument"},
      {"ioctl ", "is not a system call with arguments"},
      {"ioctl 1==2", "is not a system call with arguments"},
      {"ioctl arg6==2", "is not a system call with arguments"},
      {"ioctl arg1=2", "is not a system call with arguments"},
      {"ioctl arg1==", "is not a system call with arguments"},
      {"ioctl arg1==-1", "is not a system call with arguments"},
      {"ioctl arg1==2x", "is not a system call with arguments"},
      {"ioctl arg1&2", "is not a system call with arguments"},
      {"ioctl arg1&2!=2", "is not a system call with arguments"},
      {"ioctl  arg1==2", "is not a system call with arguments"},
      {"ioctl arg1==18446744073709551616", "is not a system call with arguments"},
      {"ioctl arg1==2 arg1==3", "one argument twice"},
      {"ioctl arg1==4294967296", "more than 32 bits"},
      {"ioctl arg1&0x100000001==1", "more than 32 bits"},
      {"ioctl arg1>=0", "always holds"},
      {"ioctl arg1<=4294967295", "always holds"},
      {"ioctl arg1&0==0", "always holds"},
      {"ioctl arg1<0", "never holds"},
      {"ioctl arg1&1==2", "never holds"},
  };
  for (const auto& [text, fault] : cases) {
    const auto call = ParseDeniedCall(text);
    ASSERT_FALSE(call) << text;
    EXPECT_THAT(call.error().message, HasSubstr(fault)) << text;
  }
}

}  // namespace
}  // namespace runclad::privilege::denied_call_test
