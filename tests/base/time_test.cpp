#include "runclad/base/time.hpp"

#include <gtest/gtest.h>

namespace runclad::time_test {
namespace {

constexpr std::int64_t kSeconds = 1'795'326'018;  // 2026-11-22T05:40:18Z, by date(1)

TEST(Time, IsFormattedInUtc) {
  EXPECT_STREQ(FormatTime(kSeconds).data(), "2026-11-22T05:40:18Z");
  EXPECT_STREQ(FormatTime(0).data(), "1970-01-01T00:00:00Z");
  EXPECT_EQ(FormatTime(kSeconds, 42), "2026-11-22T05:40:18.000042Z");
  EXPECT_EQ(FormatTime(kSeconds, 999'999), "2026-11-22T05:40:18.999999Z");
  EXPECT_EQ(FormatDay(kSeconds), "2026-11-22");
}

TEST(Time, ParsesAnyOffsetAndFraction) {
  for (const char* text : {"2026-11-22T05:40:18Z", "2026-11-22T05:40:18.999999999Z",
                           "2026-11-22T07:10:18+01:30", "2026-11-21T21:40:18.5-08:00"}) {
    EXPECT_EQ(ParseTime(text), kSeconds) << text;
  }
  EXPECT_EQ(ParseTime("2016-12-31T23:59:60Z"), ParseTime("2017-01-01T00:00:00Z"))
      << "a leap second";
}

TEST(Time, RejectsOtherFormats) {
  for (const char* text :
       {"", "2026-11-22", "2026-11-22T05:40:18", "2026-11-22 05:40:18Z", "2026-11-22T24:00:00Z",
        "2026-11-22T05:60:00Z", "2026-02-30T00:00:00Z", "2026-11-22T05:40:18+0100",
        "2026-11-22T05:40:18Zx", "x026-11-22T05:40:18Z"}) {
    EXPECT_FALSE(ParseTime(text)) << text;
  }
}

TEST(Day, MustExistInTheCalendar) {
  EXPECT_EQ(ParseDay("1970-01-01"), 0);
  EXPECT_EQ(ParseDay("1970-02-01"), 31);
  EXPECT_EQ(ParseDay("2028-02-29"), *ParseDay("2028-03-01") - 1);
  for (const char* text : {"", "2027-02-29", "2027-13-01", "2027-00-01", "2027-3-31", "2027-03-31 ",
                           "27-03-31", "2027/03/31"}) {
    EXPECT_FALSE(ParseDay(text)) << text;
  }
}

}  // namespace
}  // namespace runclad::time_test
